"""How long the rest will take, from what this run has seen so far."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from compiler.plan import Step, StepKind

_UNSEEN: Mapping[StepKind, float] = {
    "instructions": 2.0, "generate": 8.0, "demonstrations": 0.5, "preferences": 1.0, "heldout_pairs": 0.5, "reference": 5.0,
    "train": 15.0, "respond": 8.0, "prefer": 5.0, "score": 1.0, "analyze": 10.0,
}  # fmt: skip
"""Seconds of a kind nobody has timed yet: the embedded model on two cores."""


@dataclass(slots=True)
class TimeLeft:
    """Mean seconds per kind of step, applied to the steps still to do."""

    remaining: list[Step]
    seen: dict[str, list[float]] = field(default_factory=dict)

    def finished(self, step: Step, seconds: float) -> None:
        """A step took this long."""
        self.remaining = [other for other in self.remaining if other.id != step.id]
        self.seen.setdefault(step.kind, []).append(seconds)

    def seconds(self, done_of_current: float = 0.0) -> float:
        """Seconds left; `done_of_current` is the finished share (0 to 1) of the first remaining step."""
        each = [self._of_kind(step.kind) for step in self.remaining]
        return sum(each) - (each[0] * done_of_current if each else 0.0)

    def _of_kind(self, kind: StepKind) -> float:
        times = self.seen.get(kind)
        return sum(times) / len(times) if times else _UNSEEN[kind]
