"""Which examples go into which optimizer step: pure, and decided before training starts."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from itertools import chain

Batch = list[int]
"""Indices of the examples of one optimizer step."""


def plan_batches(
    groups: Sequence[str],
    cost: Callable[[Batch], int],
    batch_size: int,
    epochs: float,
    seed: int,
    token_budget: int | None = None,
) -> list[Batch]:
    """The global batch of every step, in order.

    Args:
        groups: of each example; those of one group always share a step.
        cost: forward tokens of a batch.
        batch_size: examples per step, as nearly as whole groups allow.
        epochs: passes over the data; of a fraction, as many steps of that pass (rounded), and one step at least in all.
        seed: of the shuffling, which differs from epoch to epoch.
        token_budget: train until this many tokens were used, to the nearest step, whatever `epochs` says.
    """
    passes = _passes(groups, batch_size, seed)
    return _by_tokens(passes, cost, token_budget) if token_budget is not None else _by_epochs(passes, epochs)


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


def split_by_count(sizes: Sequence[int], most: int) -> list[Batch]:
    """Indices in order, in parts of at most `most` in sum, or of one that is larger."""
    parts: list[Batch] = []
    taken = 0
    for index, size in enumerate(sizes):
        if parts and taken + size <= most:
            parts[-1].append(index)
            taken += size
        else:
            parts.append([index])
            taken = size
    return parts


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


def _by_tokens(passes: Iterator[list[Batch]], cost: Callable[[Batch], int], budget: int) -> list[Batch]:
    steps = chain.from_iterable(passes)
    batches = [next(steps)]
    left = budget - cost(batches[0])
    for batch in steps:
        next_cost = cost(batch)
        if next_cost - left > left:  # going on would miss the budget by more than stopping does
            break
        batches.append(batch)
        left -= next_cost
    return batches
