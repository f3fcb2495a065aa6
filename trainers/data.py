"""Global batches for Lightning: one item of the loader is everything that one optimizer step learns from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from lightning.pytorch import LightningDataModule

from models.batches import split_by_tokens
from trainers.batching import plan_batches
from trainers.examples import DpoExample, Prepared, SftExample, forward_tokens
from trainers.recipe import Recipe

GlobalBatch = tuple[SftExample, ...] | tuple[DpoExample, ...]

_MICRO_BATCH_TOKENS = 1024


@dataclass(frozen=True)
class Loader:
    """Batches in order, already in memory as token ids: there is nothing for worker processes to do."""

    batches: Sequence[GlobalBatch]

    def __iter__(self) -> Iterator[GlobalBatch]:
        return iter(self.batches)

    def __len__(self) -> int:
        return len(self.batches)


class GlobalBatches(LightningDataModule):
    """All steps of a training, in order, and the validation examples as one batch."""

    def __init__(self, prepared: Prepared[Any], recipe: Recipe, seed: int, token_budget: int | None = None) -> None:
        super().__init__()
        examples = prepared.train
        planned = plan_batches(
            [example.group for example in examples],
            [forward_tokens(example) for example in examples],
            recipe.batch_size,
            recipe.epochs,
            seed,
            token_budget,
        )
        self.train_batches: list[GlobalBatch] = [tuple(examples[index] for index in batch) for batch in planned]
        self.validation: GlobalBatch = prepared.validation

    def train_dataloader(self) -> Loader:
        """One item per optimizer step."""
        return Loader(self.train_batches)

    def val_dataloader(self) -> Loader:
        """One item with every validation example, so that its loss is an exact mean; none where there are no examples."""
        return Loader([self.validation] if self.validation else [])

    def transfer_batch_to_device(self, batch: GlobalBatch, device: torch.device, dataloader_idx: int) -> GlobalBatch:
        """Token ids stay where they are: micro-batches become tensors on the device one at a time."""
        return batch

    @property
    def forward_tokens(self) -> int:
        """Tokens that the training steps read, padding and validation not counted."""
        return sum(forward_tokens(example) for batch in self.train_batches for example in batch)


def micro_batches(batch: GlobalBatch, size: int | None) -> list[GlobalBatch]:
    """Splits a global batch into parts of similar length: of `size` examples, or bounded by their padded tokens."""
    costs = [len(example.sequences) * max(map(len, example.sequences)) for example in batch]
    if size is None:
        groups = split_by_tokens(costs, _MICRO_BATCH_TOKENS)
    else:
        order = sorted(range(len(batch)), key=lambda index: (-costs[index], index))
        groups = [order[start : start + size] for start in range(0, len(order), size)]
    return [tuple(batch[index] for index in group) for group in groups]  # type: ignore[misc]
