"""Which step comes next: of those whose inputs are complete, the one with the longest way to the end of the plan.

Pure: no disk, no clock. List scheduling by critical path (Graham, 1969; Kwok and Ahmad, 1999): the order in which few
workers finish a graph soonest, as far as a greedy rule can.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Container, Mapping, Sequence

from compiler.plan import Step


class Schedule:
    """The state of a plan that is being carried out. Each operation takes O(edges touched x log steps)."""

    def __init__(
        self,
        steps: Sequence[Step],
        complete: Container[str],
        seconds: Callable[[Step], float],
        *,
        falls_with_what_it_follows: bool = True,
    ) -> None:
        """`steps` hold all inputs of each other, inputs first; `complete` are the ids of those that need not be made.

        Of what a step comes `after` it reads nothing: if that cannot be made the step falls with it, or else goes ahead.
        """
        self._steps = {step.id: step for step in steps}
        self._falls = falls_with_what_it_follows
        self._consumers: dict[str, list[str]] = {step.id: [] for step in steps}
        for step in steps:
            for source in sorted(self._sources(step)):
                self._consumers[source].append(step.id)
        self._place = {step.id: place for place, step in enumerate(steps)}
        self._way = ways_to_the_end(steps, self._consumers, seconds)
        self._to_make = {step.id for step in steps if step.id not in complete}
        self._missing = {step.id: self._count_missing(step) for step in steps}
        self._taken: set[str] = set()
        self._ready: list[tuple[float, int, str]] = []
        for step in steps:
            self._offer(step.id)

    def next(self) -> Step | None:
        """Take the most urgent step that can be made now; None when there is none."""
        while self._ready:
            step_id = heapq.heappop(self._ready)[2]
            if self._is_ready(step_id):
                self._taken.add(step_id)
                return self._steps[step_id]
        return None

    def complete(self, step_id: str) -> None:
        """A step's artifact is there: what waited for it alone can be made."""
        self._to_make.discard(step_id)
        self._taken.discard(step_id)
        for consumer in self._consumers[step_id]:
            self._missing[consumer] -= 1
            self._offer(consumer)

    def fail(self, step_id: str) -> list[str]:
        """A step cannot be made: neither can what hangs on it, whose ids come back, in plan order."""
        self._to_make.discard(step_id)
        self._taken.discard(step_id)
        blocked: set[str] = set()
        freed: list[str] = []
        open_ends = [step_id]
        while open_ends:
            gone = open_ends.pop()
            for consumer in self._consumers[gone]:
                if not self._falls and gone not in self._steps[consumer].inputs.values():
                    freed.append(consumer)
                elif consumer in self._to_make and consumer not in blocked:
                    blocked.add(consumer)
                    open_ends.append(consumer)
        self._to_make -= blocked
        for consumer in freed:
            self._missing[consumer] -= 1
            self._offer(consumer)
        return sorted(blocked, key=self._place.__getitem__)

    def put_back(self, step_id: str) -> None:
        """A step that was taken was not made, and is to be offered again."""
        self._taken.discard(step_id)
        self._offer(step_id)

    def lose(self, step_id: str) -> None:
        """A complete artifact is gone or damaged: it is made again before anything else reads it."""
        if step_id not in self._to_make:
            self._to_make.add(step_id)
            for consumer in self._consumers[step_id]:
                self._missing[consumer] += 1
        self._offer(step_id)

    def left(self) -> Sequence[Step]:
        """What is still to be made, in plan order."""
        return [step for step in self._steps.values() if step.id in self._to_make]

    def _count_missing(self, step: Step) -> int:
        return sum(source in self._to_make for source in self._sources(step))

    def _sources(self, step: Step) -> set[str]:
        """What a step waits for, as far as it is carried out here."""
        return {source for source in (*step.inputs.values(), *step.after) if source in self._steps}

    def _is_ready(self, step_id: str) -> bool:
        return step_id in self._to_make and step_id not in self._taken and not self._missing[step_id]

    def _offer(self, step_id: str) -> None:
        if self._is_ready(step_id):
            heapq.heappush(self._ready, (-self._way[step_id], self._place[step_id], step_id))


def ways_to_the_end(
    steps: Sequence[Step], consumers: Mapping[str, Sequence[str]], seconds: Callable[[Step], float]
) -> dict[str, float]:
    """Per step, the seconds of the longest chain that starts with it."""
    ways: dict[str, float] = {}
    for step in reversed(steps):
        ways[step.id] = seconds(step) + max((ways[consumer] for consumer in consumers[step.id]), default=0.0)
    return ways
