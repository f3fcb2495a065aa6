"""Whether to open a further seat or to wait for one: to open it takes longer than many steps, and takes from the seats at work.

Pure: no processes, no clock.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from compiler.plan import Step
from stage1.time_left import StepTimes

_WORTH = 2.0  # a wait this many times as long as opening
_SECONDS = {True: 10.0, False: 2.0}


@dataclass(frozen=True, slots=True)
class Busy:
    """A seat with a step."""

    step: Step
    seconds: float
    """It has been at it; or, if it is not open yet, has been opening."""
    opening: bool = False


class Opening:
    """What opening has taken in this run, and what steps of a kind have."""

    def __init__(self, seconds: Mapping[bool, float] = _SECONDS) -> None:
        """`seconds`: to open a seat with a model (True) or without, until one has been opened."""
        self._seconds = dict(seconds)
        self._times = StepTimes()

    def opened(self, for_model: bool, seconds: float) -> None:
        """A seat was opened in this time."""
        self._seconds[for_model] = seconds

    def finished(self, step: Step, seconds: float) -> None:
        """A step took this long."""
        self._times.finished(step, seconds)

    def left(self, for_model: bool, taken: float) -> float:
        """Seconds until a seat is open that has been opening for so long."""
        return _rest(self._seconds[for_model], taken)

    def until_free(self, for_model: bool, busy: Sequence[Busy], waiting: Sequence[Step]) -> float:
        """Seconds until one of these seats takes a step that comes after those that wait already; endless without a seat."""
        seats = [self._until_done(seat, for_model) for seat in busy]
        if not seats:
            return float("inf")
        heapq.heapify(seats)
        for step in waiting:
            heapq.heapreplace(seats, seats[0] + self._times.of(step.kind))
        return seats[0]

    def pays(self, for_model: bool, wait: float) -> bool:
        """Whether such a wait is worth a seat of its own."""
        return wait > _WORTH * self._seconds[for_model]

    def _until_done(self, seat: Busy, for_model: bool) -> float:
        usual = self._times.of(seat.step.kind)
        return self.left(for_model, seat.seconds) + usual if seat.opening else _rest(usual, seat.seconds)


def _rest(usual: float, taken: float) -> float:
    """Of what usually takes so long; of what has taken longer, as long again: a wrong guess costs a wait and no more."""
    return usual - taken if taken < usual else taken
