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

    def one(self, tensor: Tensor) -> Tensor:
        """The tensor as it is, if it is in this precision."""
        if tensor.dtype == self._dtype:
            return tensor
        self._sources.append(tensor)
        self._targets.append(torch.empty_like(tensor, dtype=self._dtype))
        return self._targets[-1]

    def stacked(self, tensors: Sequence[Tensor]) -> Tensor:
        """One below the other: [sum of n, ...] of tensors [n, ...]."""
        if len(tensors) == 1:
            return self.one(tensors[0])
        lengths = [tensor.shape[0] for tensor in tensors]
        target = tensors[0].new_empty((sum(lengths), *tensors[0].shape[1:]), dtype=self._dtype)
        self._sources += tensors
        self._targets += target.split_with_sizes(lengths)
        return target

    def __enter__(self) -> Copies:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._targets and error is None:
            torch._foreach_copy_(self._targets, self._sources)
