"""Many small tensors brought into another precision with one launch: for a GPU the launches are what takes the time."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType

import torch
from torch import Tensor


class Copies:
    """Tensors that are asked for inside the block and are there at its end."""

    def __init__(self, dtype: torch.dtype) -> None:
        self._dtype = dtype
        self._sources: list[Tensor] = []
        self._targets: list[Tensor] = []

    def stacked(self, tensors: Sequence[Tensor]) -> Tensor:
        """One below the other: [sum of n, ...] of tensors [n, ...]. A single one that is in this precision is given as it is."""
        first = tensors[0]
        if len(tensors) == 1 and first.dtype == self._dtype:
            return first
        lengths = [len(tensor) for tensor in tensors]
        target = torch.empty((sum(lengths), *first.shape[1:]), dtype=self._dtype, device=first.device)
        self._sources += tensors
        self._targets += target.split(lengths)
        return target

    def __enter__(self) -> Copies:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._targets and error is None:
            torch._foreach_copy_(self._targets, self._sources)
