"""How long the rest will take, from what this run has seen so far."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from compiler.plan import Step, StepKind

_UNSEEN: Mapping[StepKind, float] = {
    "instructions": 2.0, "generate": 8.0, "demonstrations": 0.5, "preferences": 1.0, "heldout_pairs": 0.5, "reference": 5.0,
    "train": 15.0, "respond": 8.0, "prefer": 5.0, "score": 1.0, "gate": 1.0, "analyze": 10.0,
}  # fmt: skip


def usual_seconds(kind: StepKind) -> float:
    """Seconds of a kind of step that nobody has timed yet: the embedded model on two cores."""
    return _UNSEEN[kind]


class StepTimes:
    """Mean seconds per kind of step in this run; of a kind not seen yet, what is usual."""

    def __init__(self) -> None:
        self._count: Counter[StepKind] = Counter()
        self._sum: dict[StepKind, float] = {}

    def finished(self, step: Step, seconds: float) -> None:
        """A step took this long."""
        self._count[step.kind] += 1
        self._sum[step.kind] = self._sum.get(step.kind, 0.0) + seconds

    def of(self, kind: StepKind) -> float:
        """Seconds of a step of this kind."""
        return self._sum[kind] / self._count[kind] if self._count[kind] else usual_seconds(kind)


class TimeLeft:
    """Times per kind of step, applied to the steps still to do, over as many at a time as have run at once."""

    def __init__(self, steps: Sequence[Step]) -> None:
        self._left = Counter(step.kind for step in steps)
        self._times = StepTimes()
        self._share: dict[str, tuple[StepKind, float]] = {}
        self._at_once = 1

    def progress(self, step: Step, share: float) -> None:
        """A step that runs has done this share (0 to 1) of its work."""
        self._share[step.id] = (step.kind, share)
        self._at_once = max(self._at_once, len(self._share))

    def finished(self, step: Step, seconds: float | None) -> None:
        """A step took this long; None: it took none of our time, or failed."""
        self._share.pop(step.id, None)
        self._left[step.kind] = max(0, self._left[step.kind] - 1)
        if seconds is not None:
            self._times.finished(step, seconds)

    def seconds(self) -> float:
        """Seconds left."""
        whole = sum(count * self._times.of(kind) for kind, count in self._left.items())
        done = sum(share * self._times.of(kind) for kind, share in self._share.values())
        return max(0.0, whole - done) / self._at_once
