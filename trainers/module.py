"""What SFT and DPO have in common: one training step is one optimizer step on a global batch, in exact shares."""

from __future__ import annotations

import gc
import math
from abc import abstractmethod
from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from lightning.pytorch import LightningModule
from torch import Tensor

from models.loading import LoadedBase
from trainers.data import GlobalBatch, micro_batches
from trainers.errors import TrainingDiverged
from trainers.memory_policy import MemoryPolicy
from trainers.readings import Readings
from trainers.recipe import Recipe
from trainers.resume import Keeper, State
from trainers.snapshot import restore, snapshot
from trainers.strategy import Peers, clip, divide

Share = tuple[Tensor, dict[str, Tensor]]
"""A micro-batch's part of the global loss, and of every metric: parts add up to the global batch's mean."""


@dataclass(frozen=True)
class Reading:
    """What some numbers are about."""

    step: int
    """Optimizer steps done when they were measured."""
    ids: tuple[str, ...] = ()
    """Of the examples of a training step; of a validation none."""
    learning_rate: float | None = None
    """Of a training step."""


class TrainingModule(LightningModule):
    """Manual optimisation with AdamW, a schedule, and gradient clipping; curves go to every logger.

    The host queues work for the device and never waits for it: numbers are looked at when they have arrived.

    Args:
        base: with what is to be trained on it.
        recipe: how.
        policy: how much goes through the model at a time.
        steps: in all.
        on_step: called with (steps done, loss), in order.
        validation: examples for the validation curves.
        validate_after: the steps after which these are drawn.
        peers: the processes among which a batch is divided.
        keeper: of the state to go on from after an interruption.
        resumed: go on from this state.
    """

    def __init__(
        self,
        base: LoadedBase,
        recipe: Recipe,
        policy: MemoryPolicy,
        steps: int,
        on_step: Callable[[int, float], None],
        *,
        validation: GlobalBatch = (),
        validate_after: Container[int] = (),
        peers: Peers | None = None,
        keeper: Keeper | None = None,
        resumed: State | None = None,
    ) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.model = base.model
        self.base, self.recipe, self.policy, self.steps, self.on_step = base, recipe, policy, steps, on_step
        self.validation, self.validate_after = validation, validate_after
        self.peers, self.keeper, self.resumed = peers or Peers(), keeper, resumed
        self.done = 0
        self.rows: list[tuple[int, dict[str, float]]] = []
        """The curves so far."""
        self._readings: Readings[Reading] = Readings()
        self._forward = self.peers.forward(self.model, self.share)

    @abstractmethod
    def share(self, micro: GlobalBatch, whole: GlobalBatch) -> Share:
        """One forward pass, over a micro-batch; normalised by the counts of the whole global batch."""

    def shares(self, batch: GlobalBatch) -> Iterator[Share]:
        """Forward passes over this process's micro-batches of a global batch, one at a time."""
        for micro, weight in self._passes(batch):
            loss, metrics = self._forward(micro, batch)
            yield loss * weight, {name: value * weight for name, value in metrics.items()}

    def _passes(self, batch: GlobalBatch) -> list[tuple[GlobalBatch, float]]:
        """Micro-batches with weight 1; with weight 0 those that only keep a process in step with the others."""
        parts = [self._micro_batches(part) for part in divide(batch, self.peers.size)]
        own = parts[self.peers.rank]
        most = max(map(len, parts)) if self.peers.lockstep else 1
        idle = [(self._micro_batches(batch)[-1], 0.0)] * (most - len(own)) if len(own) < most else []
        return [(micro, 1.0) for micro in own] + idle

    def _micro_batches(self, batch: GlobalBatch) -> list[GlobalBatch]:
        return micro_batches(batch, self.policy, self.recipe.micro_batch_size)

    def configure_optimizers(self) -> Any:
        """AdamW on what is trainable (decay on matrices only), stepped together with its schedule."""
        from transformers import get_scheduler

        trainable = [parameter for parameter in self.model.parameters() if parameter.requires_grad]
        groups = [
            {"params": [p for p in trainable if p.ndim >= 2], "weight_decay": self.recipe.weight_decay},
            {"params": [p for p in trainable if p.ndim < 2], "weight_decay": 0.0},
        ]
        fused = self.base.device.type == "cuda"  # one launch instead of a dozen, for which a GPU would wait
        optimizer = torch.optim.AdamW([g for g in groups if g["params"]], lr=self.recipe.learning_rate, fused=fused)
        name = "constant_with_warmup" if self.recipe.schedule == "constant" else self.recipe.schedule
        warmup = self.recipe.warmup_steps(self.steps)
        return [optimizer], [get_scheduler(name, optimizer, num_warmup_steps=warmup, num_training_steps=self.steps)]

    def on_train_start(self) -> None:
        """The first point of the validation curve, or everything as it was when the training was interrupted."""
        if self.resumed is None:
            self._validate()
            return
        restore(self, self.resumed)
        for step, values in self.resumed.values["rows"]:
            self._log(step, values)

    def training_step(self, batch: GlobalBatch, batch_idx: int) -> None:
        """One optimizer step.

        Raises:
            TrainingDiverged: the loss or the gradient of this step, or one shortly before, is not finite.
        """
        optimizer: Any = self.optimizers()
        scheduler: Any = self.lr_schedulers()
        totals = self._accumulate_in_memory(batch, backward=True)
        self.peers.sum_gradients(self._trained())
        norm = clip(self._trained(), self.recipe.max_grad_norm)
        rate = float(scheduler.get_last_lr()[0])
        optimizer.step()
        scheduler.step()
        optimizer.zero_grad()
        self.done += 1
        about = Reading(self.done, tuple(example.id for example in batch), rate)
        self._readings.add(about, {**self._summed(totals), "train/grad_norm": norm})
        if self.done in self.validate_after:
            self._validate()
        self._report()
        self._keep()

    def on_train_end(self) -> None:
        """Nothing is reported as done before it is known to be finite."""
        self._report(wait=True)

    validated: frozenset[str] = frozenset({"train/loss"})
    """Which metrics are drawn for the validation examples too."""

    def cpu(self) -> TrainingModule:
        """The base model stays where it is: Lightning would move it off the device when it is done."""
        return self

    def _accumulate_in_memory(self, batch: GlobalBatch, *, backward: bool) -> dict[str, Tensor]:
        """Out of memory, the whole global batch starts over in micro-batches of half the tokens, as if nothing had been.

        Raises:
            OutOfMemoryError: not even a prompt at a time fits, the recipe fixes the micro-batch, or others wait in mid-pass.
        """
        random = _random_state(self.base.device)
        while True:
            try:
                return self._accumulate(batch, backward=backward)
            except torch.OutOfMemoryError:
                groups = len({example.group for example in batch})
                fixed = self.recipe.micro_batch_size is not None or self.peers.lockstep
                if fixed or len(micro_batches(batch, self.policy)) == groups:
                    raise
            self.policy = self.policy.halved()  # outside the handler, which still holds the tensors of the failed pass
            self.zero_grad()
            gc.collect()  # what was trained or answered before may still wait for it
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

    def _summed(self, totals: dict[str, Tensor]) -> dict[str, Tensor]:
        numbers = self.peers.sum(torch.stack([value.double() for value in totals.values()]))
        return dict(zip(totals, numbers.unbind(), strict=True))

    def _validate(self) -> None:
        """The means of the loss and some metrics over all validation examples."""
        if not self.validation:
            return
        self.model.eval()
        with torch.no_grad():
            totals = self._summed(self._accumulate_in_memory(self.validation, backward=False))
        self.model.train()
        self._readings.add(Reading(self.done), {name: value for name, value in totals.items() if name in self.validated})

    def _report(self, *, wait: bool = False) -> None:
        """Passes on the numbers that have arrived."""
        for about, values in self._readings.arrived(wait=wait):
            if about.learning_rate is None:
                self._log(about.step, {f"validation/{name.rpartition('/')[2]}": value for name, value in values.items()})
                continue
            if not (math.isfinite(values["train/loss"]) and math.isfinite(values["train/grad_norm"])):
                raise TrainingDiverged(about.step, values["train/loss"], values["train/grad_norm"], about.ids)
            self._log(about.step, {**values, "train/learning_rate": about.learning_rate})

    def _log(self, step: int, values: dict[str, float]) -> None:
        self.rows.append((step, values))
        for logger in self.loggers:
            logger.log_metrics(values, step=step)
        if "train/loss" in values:
            self.on_step(step, values["train/loss"])

    def _keep(self) -> None:
        """Writes down what is needed to go on from here, where that is due."""
        if self.keeper is None or self.done == self.steps or not self.peers.first_says(self.keeper.due(self.done)):
            return
        self._report(wait=True)
        state = snapshot(self)
        if self.peers.rank == 0:
            self.keeper.save(state)
        else:
            self.keeper.saved(self.done)


def _random_state(device: torch.device) -> Tensor:
    return torch.cuda.get_rng_state(device) if device.type == "cuda" else torch.get_rng_state()


def _set_random_state(device: torch.device, state: Tensor) -> None:
    if device.type == "cuda":
        torch.cuda.set_rng_state(state, device)
    else:
        torch.set_rng_state(state)
