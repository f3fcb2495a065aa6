"""Numbers on their way from the device to the host: they are read when they have arrived, and nobody waits for them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import torch
from torch import Tensor

About = TypeVar("About")


@dataclass(frozen=True)
class _Underway(Generic[About]):
    about: About
    names: tuple[str, ...]
    numbers: Tensor
    arrived: Any
    """A CUDA event; None where the numbers are on the host already."""


class Readings(Generic[About]):
    """First in, first out. On a GPU a reading is copied by the device while the host goes on queueing work."""

    def __init__(self) -> None:
        self._underway: deque[_Underway[About]] = deque()

    def add(self, about: About, values: Mapping[str, Tensor]) -> None:
        """Sends scalars on their way, all in one transfer."""
        numbers, arrived = torch.stack([value.double() for value in values.values()]), None
        if numbers.is_cuda:
            numbers = torch.empty(len(values), dtype=torch.float64, pin_memory=True).copy_(numbers, non_blocking=True)
            arrived = torch.cuda.Event()
            arrived.record()
        self._underway.append(_Underway(about, tuple(values), numbers, arrived))

    def arrived(self, *, wait: bool = False) -> Iterator[tuple[About, dict[str, float]]]:
        """What has arrived since it was last asked for, in order; with `wait` everything."""
        while self._underway:
            first = self._underway[0]
            if first.arrived is not None:
                if not wait and not first.arrived.query():
                    return
                first.arrived.synchronize()
            self._underway.popleft()
            yield first.about, dict(zip(first.names, first.numbers.tolist(), strict=True))
