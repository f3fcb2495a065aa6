"""Which examples go into which optimizer step: pure, and decided before training starts."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from itertools import chain

Batch = list[int]
"""Indices of the examples of one optimizer step."""


def plan_batches(
    groups: Sequence[str], sizes: Sequence[int], batch_size: int, epochs: float, seed: int, token_budget: int | None = None
) -> list[Batch]:
    """The global batch of every step, in order.

    Args:
        groups: of each example; those of one group always share a step.
        sizes: forward tokens of each example.
        batch_size: examples per step, as nearly as whole groups allow.
        epochs: passes over the data; of a fraction, as many steps of that pass (rounded), and one step at least in all.
        seed: of the shuffling, which differs from epoch to epoch.
        token_budget: train until this many tokens were used, to the nearest step, whatever `epochs` says.
    """
    passes = _passes(groups, batch_size, seed)
    return _by_tokens(passes, sizes, token_budget) if token_budget is not None else _by_epochs(passes, epochs)


def fill(groups: Sequence[Batch], batch_size: int) -> Iterator[Batch]:
    """Puts whole groups into batches, in order: a group joins the open batch unless that leaves it further from `batch_size`.

    A group larger than a batch is a batch of its own; the last batch holds what remains.
    """
    batch: Batch = []
    for group in groups:
        if batch and abs(len(batch) + len(group) - batch_size) > abs(len(batch) - batch_size):
            yield batch
            batch = []
        batch = batch + group
    if batch:
        yield batch


def _passes(groups: Sequence[str], batch_size: int, seed: int) -> Iterator[list[Batch]]:
    """Epoch after epoch, without end."""
    members: dict[str, Batch] = {}
    for index, group in enumerate(groups):
        members.setdefault(group, []).append(index)
    epoch = 0
    while True:
        order = list(members.values())
        random.Random(f"{seed}/{epoch}").shuffle(order)
        yield list(fill(order, batch_size))
        epoch += 1


def _by_epochs(passes: Iterator[list[Batch]], epochs: float) -> list[Batch]:
    whole, rest = divmod(epochs, 1)
    batches = [batch for _ in range(int(whole)) for batch in next(passes)]
    if rest:
        last = next(passes)
        batches += last[: max(round(rest * len(last)), 0 if batches else 1)]
    return batches


def _by_tokens(passes: Iterator[list[Batch]], sizes: Sequence[int], budget: int) -> list[Batch]:
    steps = chain.from_iterable(passes)
    batches = [next(steps)]
    left = budget - _cost(batches[0], sizes)
    for batch in steps:
        cost = _cost(batch, sizes)
        if cost - left > left:  # going on would miss the budget by more than stopping does
            break
        batches.append(batch)
        left -= cost
    return batches


def _cost(batch: Batch, sizes: Sequence[int]) -> int:
    return sum(sizes[index] for index in batch)
