"""What SFT and DPO have in common: one training step is one optimizer step on a global batch, in exact shares."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable, Iterator
from typing import Any

import torch
from lightning.pytorch import LightningModule
from torch import Tensor

from models.loading import LoadedBase
from trainers.data import GlobalBatch, micro_batches
from trainers.errors import TrainingDiverged
from trainers.memory_policy import MemoryPolicy
from trainers.recipe import Recipe

Share = tuple[Tensor, dict[str, Tensor]]
"""A micro-batch's part of the global loss, and of every metric: parts add up to the global batch's mean."""


class TrainingModule(LightningModule):
    """Manual optimisation with AdamW, a schedule, and gradient clipping; curves go to every logger after each step."""

    def __init__(
        self,
        base: LoadedBase,
        recipe: Recipe,
        policy: MemoryPolicy,
        steps: int,
        on_step: Callable[[int, float], None],
    ) -> None:
        super().__init__()
        self.policy = policy
        self.automatic_optimization = False
        self.model = base.model
        self.base, self.recipe, self.steps, self.on_step = base, recipe, steps, on_step
        self.done = 0

    @abstractmethod
    def share(self, micro: GlobalBatch, whole: GlobalBatch) -> Share:
        """One forward pass, over a micro-batch; normalised by the counts of the whole global batch."""

    def shares(self, batch: GlobalBatch) -> Iterator[Share]:
        """Forward passes over the micro-batches of a global batch, one at a time."""
        for micro in micro_batches(batch, self.policy, self.recipe.micro_batch_size):
            yield self.share(micro, batch)

    def configure_optimizers(self) -> Any:
        """AdamW on what is trainable (decay on matrices only), stepped together with its schedule."""
        from transformers import get_scheduler

        trainable = [parameter for parameter in self.model.parameters() if parameter.requires_grad]
        groups = [
            {"params": [p for p in trainable if p.ndim >= 2], "weight_decay": self.recipe.weight_decay},
            {"params": [p for p in trainable if p.ndim < 2], "weight_decay": 0.0},
        ]
        optimizer = torch.optim.AdamW([group for group in groups if group["params"]], lr=self.recipe.learning_rate)
        name = "constant_with_warmup" if self.recipe.schedule == "constant" else self.recipe.schedule
        warmup = math.ceil(self.recipe.warmup_ratio * self.steps)
        return [optimizer], [get_scheduler(name, optimizer, num_warmup_steps=warmup, num_training_steps=self.steps)]

    def training_step(self, batch: GlobalBatch, batch_idx: int) -> None:
        """One optimizer step.

        Raises:
            TrainingDiverged: the loss or the gradient is not finite; the weights stay as they were.
        """
        optimizer: Any = self.optimizers()
        scheduler: Any = self.lr_schedulers()
        totals = self._accumulate_in_memory(batch)
        norm = torch.nn.utils.clip_grad_norm_(self._trained(), self.recipe.max_grad_norm)
        values = _to_host({**totals, "train/grad_norm": norm})
        values["train/learning_rate"] = scheduler.get_last_lr()[0]
        if not (math.isfinite(values["train/loss"]) and math.isfinite(values["train/grad_norm"])):
            ids = [example.id for example in batch]
            raise TrainingDiverged(self.done + 1, values["train/loss"], values["train/grad_norm"], ids)
        optimizer.step()
        scheduler.step()
        optimizer.zero_grad()
        self.done += 1
        self._log(values)
        self.on_step(self.done, values["train/loss"])

    def validation_step(self, batch: GlobalBatch, batch_idx: int) -> None:
        """The same means over all validation examples."""
        values = _to_host(self._accumulate(batch, backward=False))
        self._log({f"validation/{name.rpartition('/')[2]}": value for name, value in values.items() if name in self.validated})

    validated: frozenset[str] = frozenset({"train/loss"})
    """Which metrics are drawn for the validation examples too."""

    def cpu(self) -> TrainingModule:
        """The base model stays where it is: Lightning would move it off the device when it is done."""
        return self

    def _accumulate_in_memory(self, batch: GlobalBatch) -> dict[str, Tensor]:
        """Out of memory, the whole global batch starts over in micro-batches of half the tokens, as if nothing had been.

        Raises:
            OutOfMemoryError: not even a prompt at a time fits, or the recipe fixes the micro-batch.
        """
        random = _random_state(self.base.device)
        while True:
            try:
                return self._accumulate(batch, backward=True)
            except torch.OutOfMemoryError:
                groups = len({example.group for example in batch})
                fixed = self.recipe.micro_batch_size is not None
                if fixed or len(micro_batches(batch, self.policy)) == groups:
                    raise
            self.policy = self.policy.halved()  # outside the handler, which still holds the tensors of the failed pass
            self.zero_grad()
            torch.cuda.empty_cache()
            _set_random_state(self.base.device, random)

    def _accumulate(self, batch: GlobalBatch, *, backward: bool) -> dict[str, Tensor]:
        """Sums the shares on the device: nothing is copied to the host before the whole batch is done."""
        totals: dict[str, Tensor] = {}
        for loss, metrics in self.shares(batch):
            if backward:
                self.manual_backward(loss)
            for name, value in {"train/loss": loss.detach(), **metrics}.items():
                totals[name] = totals[name] + value if name in totals else value
        return totals

    def _trained(self) -> list[torch.nn.Parameter]:
        return [parameter for parameter in self.model.parameters() if parameter.requires_grad]

    def _log(self, values: dict[str, float]) -> None:
        for logger in self.loggers:
            logger.log_metrics(values, step=self.done)


def _to_host(values: dict[str, Tensor]) -> dict[str, float]:
    """All numbers in one transfer."""
    numbers: list[float] = torch.stack([value.double() for value in values.values()]).tolist()
    return dict(zip(values, numbers, strict=True))


def _random_state(device: torch.device) -> Tensor:
    return torch.cuda.get_rng_state(device) if device.type == "cuda" else torch.get_rng_state()


def _set_random_state(device: torch.device, state: Tensor) -> None:
    if device.type == "cuda":
        torch.cuda.set_rng_state(state, device)
    else:
        torch.set_rng_state(state)
