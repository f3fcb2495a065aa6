"""From token ids to tensors: every prompt becomes a tree, read once, with the responses to it as its branches.

A branch's positions go on where its prompt ends, and its tokens see the prompt and what comes before them in their own branch:
what a tree computes is what each prompt with one response alone would. The trees lie side by side, padded to the longest
(any device), or end to end in one row without padding (where attention takes segments of any length: see `models.attention`).

The scored tokens are listed (position, target, row) rather than masked, so that only those positions are projected to the
vocabulary, without asking the device how many there are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, chain
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.prompt_format import Encoded

LossOn = Literal["response", "all"]
_PADDING = -1


@dataclass(frozen=True)
class Segments:
    """Packed attention: segment s asks with its own tokens and sees, causally, its prompt's tokens and its own."""

    query_ends: Tensor
    """[S + 1] int32: segment s asks with positions query_ends[s] to query_ends[s + 1]."""
    key_ends: Tensor
    """[S + 1] int32: and sees the entries key_ends[s] to key_ends[s + 1] of `keys`."""
    keys: Tensor | None
    """[K] int64 into the positions: a prompt's once with its first branch and once with each other one. None: all, in order."""
    longest_query: int
    longest_key: int


@dataclass(frozen=True)
class Batch:
    """B sequences as trees in R rows of T positions, with N scored tokens in all."""

    input_ids: Tensor
    """[R, T] int64."""
    position_ids: Tensor
    """[R, T] int64, counted from each sequence's first token."""
    seen: Tensor | None
    """[R, 1, T, T] bool: which position (column) each position (row) sees; None where `segments` say it."""
    segments: Segments | None
    predictors: Tensor
    """[N] int64 into the flattened [R * T] positions: where the model predicts each scored token."""
    targets: Tensor
    """[N] int64: the scored tokens."""
    rows: Tensor
    """[N] int64: the sequence each belongs to."""
    counts: Tensor
    """[B] int64: scored tokens of each sequence."""


@dataclass(frozen=True)
class _Tree:
    """A prompt, and which sequences are its branches."""

    prompt: tuple[int, ...]
    branches: tuple[tuple[int, tuple[int, ...]], ...]
    """(index of the sequence, its response)."""

    def __len__(self) -> int:
        return len(self.prompt) + sum(len(response) for _, response in self.branches)

    @property
    def starts(self) -> list[int]:
        """Where each branch begins, counted from the tree's first token."""
        lengths = (len(response) for _, response in self.branches)
        return list(accumulate(lengths, initial=len(self.prompt)))[:-1]


def collate(
    sequences: Sequence[Encoded], device: torch.device | str = "cpu", *, loss_on: LossOn = "response", packed: bool = False
) -> Batch:
    """Trees of the sequences that share a prompt, in rows of their own or `packed` into one.

    `response` scores the response with its END; `all` scores the prompt too, but for its first token, which nothing predicts.
    """
    trees = _trees(sequences)
    width = sum(map(len, trees)) if packed else max(map(len, trees))
    starts = list(accumulate(map(len, trees), initial=0))[:-1] if packed else [width * row for row in range(len(trees))]
    rows = 1 if packed else len(trees)
    ids, positions = np.zeros((2, rows * width), np.int64)
    for tree, start in zip(trees, starts, strict=True):
        ids[start : start + len(tree)] = [*tree.prompt, *chain.from_iterable(response for _, response in tree.branches)]
        positions[start : start + len(tree)] = _positions(tree)
    predictors, targets, owners = _scored(trees, starts, loss_on)

    def put(values: NDArray[np.int64]) -> Tensor:
        return sent(torch.from_numpy(values), device)

    position_ids = put(positions.reshape(rows, width))
    return Batch(
        input_ids=put(ids.reshape(rows, width)),
        position_ids=position_ids,
        seen=None if packed else _seen(trees, width, position_ids),
        segments=_segments(trees, starts, device) if packed else None,
        predictors=put(predictors),
        targets=put(targets),
        rows=put(owners),
        counts=put(np.bincount(owners, minlength=len(sequences))),
    )


def sent(tensor: Tensor, device: torch.device | str) -> Tensor:
    """On its way from the host to the device: from memory that the device reads by itself, so that the host need not wait."""
    pinned = tensor.pin_memory() if torch.device(device).type == "cuda" else tensor
    return pinned.to(device, non_blocking=True)


def tree_tokens(sequences: Sequence[Encoded]) -> int:
    """Tokens that a forward pass over the sequences reads: each prompt once, and every response."""
    return sum(len(prompt) for prompt in {sequence.prompt_ids for sequence in sequences}) + sum(
        len(sequence.response_ids) for sequence in sequences
    )


def _trees(sequences: Sequence[Encoded]) -> list[_Tree]:
    """In the order in which their prompts first appear."""
    branches: dict[tuple[int, ...], list[tuple[int, tuple[int, ...]]]] = {}
    for index, sequence in enumerate(sequences):
        branches.setdefault(sequence.prompt_ids, []).append((index, sequence.response_ids))
    return [_Tree(prompt, tuple(responses)) for prompt, responses in branches.items()]


def _positions(tree: _Tree) -> NDArray[np.int64]:
    prompt = len(tree.prompt)
    return np.concatenate([np.arange(prompt), *(np.arange(prompt, prompt + len(response)) for _, response in tree.branches)])


def _scored(trees: Sequence[_Tree], starts: Sequence[int], loss_on: LossOn) -> NDArray[np.int64]:
    """[3, N]: predicting position, target and sequence of every scored token, sequence by sequence."""
    by_sequence: dict[int, NDArray[np.int64]] = {}
    for tree, start in zip(trees, starts, strict=True):
        prompt = np.arange(start, start + len(tree.prompt))
        for (index, response), branch in zip(tree.branches, tree.starts, strict=True):
            places = np.concatenate([prompt, np.arange(start + branch, start + branch + len(response))])
            first = max(1, len(prompt) if loss_on == "response" else 1)
            targets = np.array([*tree.prompt, *response], np.int64)[first:]
            by_sequence[index] = np.stack([places[first - 1 : -1], targets, np.full(len(targets), index)])
    return np.concatenate([by_sequence[index] for index in range(len(by_sequence))], axis=1)


def _seen(trees: Sequence[_Tree], width: int, position_ids: Tensor) -> Tensor:
    """[R, 1, T, T] bool. Padding sees padding, so that no row of the attention is empty."""
    branch = np.full((len(trees), width), _PADDING)
    for row, tree in enumerate(trees):
        branch[row, : len(tree.prompt)] = 0
        for number, (start, (_, response)) in enumerate(zip(tree.starts, tree.branches, strict=True), start=1):
            branch[row, start : start + len(response)] = number
    owner = sent(torch.from_numpy(branch), position_ids.device)
    same = (owner[:, :, None] == owner[:, None, :]) | ((owner[:, None, :] == 0) & (owner[:, :, None] != _PADDING))
    return (same & (position_ids[:, None, :] <= position_ids[:, :, None]))[:, None]


def _segments(trees: Sequence[_Tree], starts: Sequence[int], device: torch.device | str) -> Segments:
    queries, keys = [], []
    for tree, start in zip(trees, starts, strict=True):
        prompt = np.arange(start, start + len(tree.prompt))
        for number, (branch, (_, response)) in enumerate(zip(tree.starts, tree.branches, strict=True)):
            own = np.arange(start + branch, start + branch + len(response))
            keys.append(np.concatenate([prompt, own]))
            queries.append(len(own) if number else len(keys[-1]))  # a prompt and its first branch are one causal sequence
    seen = [len(key) for key in keys]

    def ends(lengths: list[int]) -> Tensor:
        return sent(torch.tensor([0, *accumulate(lengths)], dtype=torch.int32), device)

    shared = any(len(tree.branches) > 1 for tree in trees)
    return Segments(
        query_ends=ends(queries),
        key_ends=ends(seen),
        keys=sent(torch.from_numpy(np.concatenate(keys)), device) if shared else None,
        longest_query=max(queries),
        longest_key=max(seen),
    )
