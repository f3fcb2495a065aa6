"""From token ids to tensors: padded batches that say which position predicts which scored token.

The scored tokens are listed (position, target, row) rather than masked, so that only those positions are projected to the
vocabulary, without asking the device how many there are. Packed or tree-shaped batches can fill the same fields.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from models.prompt_format import Encoded

LossOn = Literal["response", "all"]


@dataclass(frozen=True)
class Batch:
    """B sequences padded to T columns, with N scored tokens in all."""

    input_ids: Tensor
    """[B, T] int64."""
    attention_mask: Tensor
    """[B, T] int64, 1 where there is a token."""
    position_ids: Tensor
    """[B, T] int64, counted from each sequence's first token."""
    predictors: Tensor
    """[N] int64 into the flattened [B * T] positions: where the model predicts each scored token."""
    targets: Tensor
    """[N] int64: the scored tokens."""
    rows: Tensor
    """[N] int64: the sequence each belongs to."""
    counts: Tensor
    """[B] int64: scored tokens of each sequence."""


def collate(sequences: Sequence[Encoded], device: torch.device | str = "cpu", *, loss_on: LossOn = "response") -> Batch:
    """Pads on the right, to the longest.

    `response` scores the response with its END; `all` scores the prompt too, but for its first token, which nothing predicts.
    """
    width = max(map(len, sequences))
    gaps = [width - len(sequence) for sequence in sequences]
    scored = [
        (row * width + at - 1, sequence.ids[at], row)
        for row, sequence in enumerate(sequences)
        for at in range(max(1, len(sequence.prompt_ids) if loss_on == "response" else 1), len(sequence))
    ]
    predictors, targets, rows = torch.tensor(scored, dtype=torch.int64).reshape(-1, 3).T.contiguous()
    tensors = (
        torch.tensor([list(sequence.ids) + [0] * gap for sequence, gap in zip(sequences, gaps, strict=True)]),
        torch.tensor([[1] * (width - gap) + [0] * gap for gap in gaps]),
        torch.arange(width).repeat(len(sequences), 1),
        predictors,
        targets,
        rows,
        torch.bincount(rows, minlength=len(sequences)),
    )
    return Batch(*(tensor.to(device, non_blocking=True) for tensor in tensors))


def split_by_tokens(lengths: Sequence[int], budget: int) -> list[list[int]]:
    """Indices in groups of similar length, each of at most `budget` tokens with padding (or of one that is longer).

    Longest first, so that memory runs out at once or not at all; the same lengths always give the same groups.
    """
    groups: list[list[int]] = []
    for index in sorted(range(len(lengths)), key=lambda index: (-lengths[index], index)):
        if groups and (len(groups[-1]) + 1) * lengths[groups[-1][0]] <= budget:
            groups[-1].append(index)
        else:
            groups.append([index])
    return groups
