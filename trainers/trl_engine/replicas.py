"""TRL's two trainers on given global batches: the order of the data and the records are ours, what computes is TRL's."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader
from trl import DPOTrainer, SFTTrainer

from trainers.data import GlobalBatch
from trainers.errors import TrainingDiverged
from trainers.recipe import Recipe
from trainers.trl_engine.rows import micro_batches, row, scored_tokens

Values = dict[str, float]
OnStep = Callable[[int, Values, GlobalBatch], None]
"""Called with (steps done with this one, its values, its batch) before the weights change."""

_METRICS = {
    "rewards/chosen": "rewards/chosen",
    "rewards/rejected": "rewards/rejected",
    "rewards/margins": "rewards/margin",
    "rewards/accuracies": "rewards/accuracy",
    "logps/chosen": "logps/chosen",
    "logps/rejected": "logps/rejected",
}
"""TRL's names -> ours."""


class OnGivenBatches:
    """What both replicas have in common; comes before TRL's class."""

    def __init__(self, *, batches: Sequence[GlobalBatch], recipe: Recipe, on_step: OnStep, **options: Any) -> None:
        self._batches, self._recipe, self._on_step = batches, recipe, on_step
        super().__init__(**options)

    def get_train_dataloader(self) -> DataLoader[Any]:
        """One item per optimizer step, in the order given."""
        return DataLoader(self._batches, batch_size=None, collate_fn=lambda batch: {"batch": batch})  # type: ignore[arg-type]

    def training_step(self: Any, model: Any, inputs: dict[str, Any], num_items_in_batch: Any = None) -> Tensor:
        """Everything that one optimizer step learns from: TRL's loss and backward pass on each micro-batch, in exact shares.

        Raises:
            TrainingDiverged: the loss or the gradient is not finite; the weights stay as they were.
        """
        batch, done = inputs["batch"], self.state.global_step + 1
        step = super().training_step  # type: ignore[misc]  # TRL's, which comes after
        values = self._mean(batch, lambda micro: step(model, micro))
        norm = torch.nn.utils.get_total_norm([p.grad for p in model.parameters() if p.grad is not None])
        values |= {"train/grad_norm": norm.item(), "train/learning_rate": self.lr_scheduler.get_last_lr()[0]}
        if not (math.isfinite(values["train/loss"]) and math.isfinite(values["train/grad_norm"])):
            raise TrainingDiverged(done, values["train/loss"], values["train/grad_norm"], [example.id for example in batch])
        self._on_step(done, values, batch)
        return torch.tensor(values["train/loss"], device=self.args.device)

    def mean_over(self: Any, batch: GlobalBatch) -> Values:
        """The same means of a batch that nothing is learnt from."""
        training = self.model.training
        self.model.eval()
        try:
            with torch.no_grad():
                return self._mean(batch, lambda micro: self.compute_loss(self.model, self._prepare_inputs(micro)))
        finally:
            self.model.train(training)

    def _mean(self: Any, batch: GlobalBatch, loss_of: Callable[[dict[str, Any]], Tensor]) -> Values:
        values: Values = defaultdict(float)
        for micro in micro_batches(batch, self._recipe):
            inputs = self.data_collator([row(example, self._recipe) for example in micro])
            values["train/loss"] += loss_of(inputs | {"share": self.share(micro, batch)}).item()
            for name, value in self._recorded():
                values[name] += value * len(micro) / len(batch)
        return dict(values)

    def _recorded(self: Any) -> Iterator[tuple[str, float]]:
        """What TRL noted of the last micro-batch, under our names."""
        for noted in self._metrics.values():
            for theirs, ours in _METRICS.items():
                if theirs in noted:
                    yield ours, noted[theirs][-1]
            noted.clear()

    def log(self, *_: Any, **__: Any) -> None:
        """Curves are written step by step, here."""

    def floating_point_ops(self, _: Any) -> int:
        """Not asked for."""
        return 0

    def _send_telemetry(self) -> None:
        """Nothing about an experiment leaves the machine."""


class SftReplica(OnGivenBatches, SFTTrainer):
    """Mean over the scored tokens of the global batch."""

    def share(self, micro: GlobalBatch, whole: GlobalBatch) -> int:
        """The token count that the micro-batch's sum is divided by."""
        return scored_tokens(whole, self._recipe)

    def compute_loss(self, model: Any, inputs: dict[str, Any], **_: Any) -> Any:
        """TRL's, told the tokens of the whole global batch."""
        total = torch.tensor(inputs.pop("share"), device=self.args.device)
        return super().compute_loss(model, inputs, num_items_in_batch=total)


class DpoReplica(OnGivenBatches, DPOTrainer):
    """Mean over the pairs of the global batch, against TRL's own copy of the weights that training starts from."""

    def share(self, micro: GlobalBatch, whole: GlobalBatch) -> float:
        """The micro-batch's part of the pairs."""
        return len(micro) / len(whole)

    def compute_loss(self, model: Any, inputs: dict[str, Any], **_: Any) -> Any:
        """TRL's mean over the micro-batch, as part of the global batch's."""
        share = inputs.pop("share")
        return super().compute_loss(model, inputs) * share

    def _prepare_dataset(self, dataset: Any, *_: Any, **__: Any) -> Any:
        """Rows are token ids already."""
        return dataset
