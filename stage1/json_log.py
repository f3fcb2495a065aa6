"""`--log-format json`: what happens in a run as one JSON object a line, for machines."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

from compiler.plan import Plan, Step
from stage1.executors import CurveRow
from stage1.runner import Outcome
from stage1.secrets import masked
from stage1.store import Artifact
from stage1.time_left import TimeLeft

_PROGRESS_EVERY = 1.0  # seconds
_PATIENCE = 1.0  # seconds for what was written last to arrive


class JsonObserver:
    """Every line has `time` (ISO 8601, UTC) and `event`; a step's also `step`, `kind`, `arm` and `seed`."""

    def __init__(self, out: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._out = out
        self._clock = clock
        self._lock = threading.Lock()
        self._told: dict[str, float] = {}
        self._left = TimeLeft([])

    def run_started(self, plan: Plan, to_do: Sequence[Step]) -> None:
        """`run_started`: experiment, plan, steps, to_do."""
        self._left = TimeLeft(to_do)
        self.say("run_started", experiment=plan.experiment, plan=plan.fingerprint, steps=len(plan.steps), to_do=len(to_do))

    def step_started(self, step: Step) -> None:
        """`step_started`."""
        self._left.progress(step, 0.0)
        self._of(step, "step_started")

    def step_progress(self, step: Step, done: int, total: int) -> None:
        """`step_progress`: done, total, seconds_left of the whole run; at most one a second and step."""
        self._left.progress(step, done / total if total else 0.0)
        if self._clock() - self._told.get(step.id, float("-inf")) >= _PROGRESS_EVERY:
            self._told[step.id] = self._clock()
            self._of(step, "step_progress", done=done, total=total, seconds_left=round(self._left.seconds(), 1))

    def step_curves(self, step: Step, rows: Sequence[CurveRow]) -> None:
        """Curves are for the tracker."""

    def step_finished(self, step: Step, artifact: Artifact, seconds: float) -> None:
        """`step_finished`: seconds, artifact."""
        self._left.finished(step, seconds)
        self._of(step, "step_finished", seconds=seconds, artifact=str(artifact.folder))

    def step_found(self, step: Step) -> None:
        """`step_found`: another run made it."""
        self._left.finished(step, None)
        self._of(step, "step_found")

    def step_noted(self, step: Step, text: str) -> None:
        """`step_noted`: text."""
        self._of(step, "step_noted", text=text)

    def step_waits(self, step: Step, why: str) -> None:
        """`step_waits`: why."""
        self._of(step, "step_waits", why=why)

    def step_failed(self, step: Step, why: str, log: Path) -> None:
        """`step_failed`: why, log."""
        self._left.finished(step, None)
        self._of(step, "step_failed", why=why, log=str(log))

    def artifact_damaged(self, step: Step, what: str, aside: Path | None) -> None:
        """`artifact_damaged`: what, aside."""
        self._of(step, "artifact_damaged", what=what, aside=str(aside) if aside else None)

    def arm_ready(self, arm: str, seed: int | None) -> None:
        """`arm_ready`: arm, seed."""
        self.say("arm_ready", arm=arm, seed=seed)

    def run_finished(self, outcome: Outcome) -> None:
        """`run_finished`: ok, ran, reused, failed (step -> why), blocked, stopped, seconds."""
        self.say(
            "run_finished", ok=outcome.ok, ran=len(outcome.ran), reused=len(outcome.reused), failed=outcome.failed,
            blocked=outcome.blocked, stopped=outcome.stopped, seconds=round(outcome.seconds, 3),
        )  # fmt: skip

    def warned(self, text: str) -> None:
        """`warning`: text."""
        self.say("warning", text=text)

    def ended(self, why: str, then: str) -> None:
        """`run_ended`: why, then."""
        self.say("run_ended", why=why, then=then)

    def say(self, event: str, **told: Any) -> None:
        """One line."""
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        with self._lock:
            self._out.write(json.dumps({"time": now, "event": event, **told}, ensure_ascii=False) + "\n")
            self._out.flush()

    def close(self) -> None:
        """Nothing is held open."""

    def _of(self, step: Step, event: str, **told: Any) -> None:
        self.say(event, step=step.id, kind=step.kind, arm=step.arm, seed=step.seed, **told)


@contextlib.contextmanager
def stderr_as_events() -> Iterator[JsonObserver]:
    """Within the block nothing but events reaches stderr: what libraries and child processes write there is `stderr`: text."""
    sys.stderr.flush()
    reading, writing = os.pipe()
    with os.fdopen(os.dup(2), "w", encoding="utf-8", newline="\n") as out:
        observer = JsonObserver(out)
        os.dup2(writing, 2)
        os.close(writing)
        pump = threading.Thread(target=_pass_on, args=(reading, observer), daemon=True)
        pump.start()
        try:
            yield observer
        finally:
            sys.stderr.flush()
            os.dup2(out.fileno(), 2)
            pump.join(_PATIENCE)  # a child that is still there keeps the pipe open


def _pass_on(reading: int, observer: JsonObserver) -> None:
    with os.fdopen(reading, encoding="utf-8", errors="replace") as lines, contextlib.suppress(ValueError):  # `out` is closed
        for line in lines:
            if line.strip():
                observer.say("stderr", text=masked(line.rstrip("\n")))
