"""Global batches for Lightning: one item of the loader is everything that one optimizer step learns from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from lightning.pytorch import LightningDataModule

from models.batches import tree_tokens
from models.packing import split_by_tokens
from trainers.batching import plan_batches, split_by_count
from trainers.examples import DpoExample, Prepared, SftExample, forward_tokens, sequences
from trainers.memory_policy import MemoryPolicy
from trainers.recipe import Recipe

GlobalBatch = tuple[SftExample, ...] | tuple[DpoExample, ...]


@dataclass(frozen=True)
class Loader:
    """Batches in order, already in memory as token ids: there is nothing for worker processes to do."""

    batches: Sequence[GlobalBatch]

    def __iter__(self) -> Iterator[GlobalBatch]:
        return iter(self.batches)

    def __len__(self) -> int:
        return len(self.batches)


class GlobalBatches(LightningDataModule):
    """All steps of a training, in order; the validation examples are one batch, whose loss is an exact mean."""

    def __init__(self, prepared: Prepared[Any], recipe: Recipe, seed: int, token_budget: int | None = None) -> None:
        super().__init__()
        examples = prepared.train
        planned = plan_batches(
            [example.group for example in examples],
            lambda batch: forward_tokens(examples[index] for index in batch),
            recipe.batch_size,
            recipe.epochs,
            seed,
            token_budget,
        )
        self.train_batches: list[GlobalBatch] = [tuple(examples[index] for index in batch) for batch in planned]
        self.validation: GlobalBatch = prepared.validation
        self.done = 0
        """Steps that an interrupted training has behind it."""

    def train_dataloader(self) -> Loader:
        """One item per optimizer step that is still to do."""
        return Loader(self.train_batches[self.done :])

    def transfer_batch_to_device(self, batch: GlobalBatch, device: torch.device, dataloader_idx: int) -> GlobalBatch:
        """Token ids stay where they are: micro-batches become tensors on the device one at a time."""
        return batch

    @property
    def forward_tokens(self) -> int:
        """Tokens that the training steps read, padding and validation not counted."""
        return sum(map(forward_tokens, self.train_batches))


def micro_batches(batch: GlobalBatch, policy: MemoryPolicy, size: int | None = None) -> list[GlobalBatch]:
    """Splits a global batch into parts: of `size` examples, or of the policy's tokens; the longest come first.

    The pairs of a prompt stay together, so that what they share is computed once; a part has at least one such group.
    """
    groups: dict[str, list[Any]] = {}
    for example in batch:
        groups.setdefault(example.group, []).append(example)
    trees = sorted(groups.values(), key=lambda group: -tree_tokens(sequences(group)))
    if size is not None:
        parts = split_by_count([len(tree) for tree in trees], size)
    else:
        parts = split_by_tokens([tree_tokens(sequences(tree)) for tree in trees], policy.tokens, padded=not policy.packed)
    return [tuple(example for index in part for example in trees[index]) for part in parts]
