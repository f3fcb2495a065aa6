"""Records a run in MLflow. Results never depend on it.

A tracking store that cannot be reached is reported once and tried again later; what it missed is read from the artifacts
and added when it is back, in this run or in the next. What has been recorded is noted in `tracking.json` beside the plan.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from compiler.plan import ArmSteps, Plan
from evaluators.results import Analysis
from stage1.executors import CurveRow
from stage1.store import Store
from stage1.tracking.arm_runs import ArmRuns
from stage1.tracking.connection import Connection
from stage1.tracking.recorded import Recorded
from stage1.tracking.summary_run import log_summary, set_views

_SAMPLE_SECONDS = 5.0  # between looks at processor, memory and GPU
_LOOKS, _LOOK_EVERY = 20, 0.5  # at what another process is recording; seconds


class MlflowTracker:
    """Records every arm x seed of a plan as one MLflow run."""

    def __init__(
        self, plan: Plan, store: Store, uri: str, state_file: Path, warn: Callable[[str], None], *, on_this_machine: bool
    ) -> None:
        """Read what was recorded before; touch nothing yet.

        `on_this_machine`: whether steps run here, so that this machine's load is theirs.
        """
        self.uri = uri
        self._plan = plan
        self._store = store
        self._state_file = state_file
        self._warn = warn
        self._on_this_machine = on_this_machine
        self._state = Recorded.read(state_file, uri)
        self._connection = Connection(uri, plan.experiment, warn)
        self._runs = ArmRuns(plan, store, self._connection)
        self._arms = {(entry.arm, entry.seed): entry for entry in plan.arms}
        self._owners: dict[str | None, ArmSteps] = {}
        for entry in plan.arms:
            self._owners.setdefault(entry.train, entry)
        self._behind: dict[str, ArmSteps] = {}
        self._to_summarize: tuple[Analysis, Path] | None = None
        self._monitors: dict[str, Any] = {}
        self._others = False
        """Whether another process was recording what this one wanted to."""

    def expect_work(self) -> None:
        """Steps will be made: be ready to record them."""
        self._connection.prepare()

    def step_started(self, step_id: str) -> None:
        """A training step opens its arm's run and watches the machine."""
        owner = self._owners.get(step_id)
        if owner:
            self._connection.safely(lambda: self._watch(step_id, self._runs.open(owner)))

    def step_curves(self, step_id: str, rows: Sequence[CurveRow]) -> None:
        """Live curves; what does not arrive is added when the arm is complete."""
        owner = self._owners.get(step_id)
        if owner:
            self._connection.safely(lambda: self._runs.send(self._runs.open(owner), rows))

    def step_finished(self, step_id: str) -> None:
        """Training is over."""
        self._unwatch(step_id)

    def step_failed(self, step_id: str, why: str) -> None:
        """The arm's run is marked FAILED, with the reason as a tag."""
        self._unwatch(step_id)
        step = self._plan.step(step_id)
        owner = self._owners.get(step_id) or self._arms.get((step.arm or "", step.seed))
        if owner and self._runs.is_open(owner):
            self._connection.safely(lambda: self._runs.end(owner, "FAILED", why))

    def arm_ready(self, arm: str, seed: int | None) -> None:
        """Record curves not seen live, criteria, answers, data and checkpoint; then the run is FINISHED."""
        steps = self._arms[arm, seed]
        if self._state.done.get(steps.key) != self._fingerprints(steps):
            self._behind[steps.key] = steps
            self.catch_up()

    def catch_up(self, *, now: bool = False) -> None:
        """What was missed has another chance."""
        for key, steps in list(self._behind.items()):
            if not self._connection.safely(lambda steps=steps: self._finish(steps), now=now):  # type: ignore[misc]
                return
            if self._state.done.get(key) == self._fingerprints(steps):
                del self._behind[key]

    def summarize(self, analysis: Analysis, page: Path) -> None:
        """Record the verdicts and the report, once per plan."""
        self._to_summarize = (analysis, page)
        self._connection.safely(self._summarize, now=True)

    def close(self) -> None:
        """The last chance of this run for what a lost store missed, and for what another process is recording."""
        self._unwatch(*self._monitors)
        for _ in range(_LOOKS):
            self._others = False
            if self._behind:
                self.catch_up(now=True)
            if self._to_summarize:
                self._connection.safely(self._summarize, now=True)
            if not self._others:
                break
            time.sleep(_LOOK_EVERY)
        # An open run that is not behind was trained for others, or what it needs has failed.
        if not self._behind and any(map(self._runs.is_open, self._plan.arms)):
            self._connection.safely(lambda: self._runs.ends("KILLED", "not evaluated in this run"), now=True)
        if missing := len(self._behind) + (self._to_summarize is not None):
            self._warn(f"tracking: {missing} runs are not recorded; the same command adds them later")

    def interrupted(self) -> None:
        """Open runs are marked KILLED; the next attempt goes on with them."""
        self._unwatch(*self._monitors)
        self._connection.safely(lambda: self._runs.ends("KILLED", "interrupted"))

    def _finish(self, steps: ArmSteps) -> None:
        done = self._fingerprints(steps)
        with self._store.claim(f"tracking-{done['score']}") as mine:
            if not mine:  # another process records this very arm
                self._others = True
                return
            self._runs.finish(steps)
        if self._state.done.get("views") != self._plan.fingerprint:
            set_views(self._plan, self._connection)
            self._state.done["views"] = self._plan.fingerprint
        self._state.done[steps.key] = done
        self._save()

    def _summarize(self) -> None:
        if self._to_summarize is None:
            return
        analyze = self._plan.step(self._plan.analyze).fingerprint
        done = {"plan": self._plan.fingerprint, "analyze": analyze}
        if self._state.done.get("summary") != done:
            with self._store.claim(f"tracking-{analyze}") as mine:
                if not mine:
                    self._others = True
                    return
                log_summary(self._plan, *self._to_summarize, self._connection)
            self._state.done["summary"] = done
            self._save()
        self._to_summarize = None

    def _fingerprints(self, steps: ArmSteps) -> dict[str, str]:
        return {"score": self._plan.step(steps.score).fingerprint, "plan": self._plan.fingerprint}

    def _watch(self, step_id: str, run_id: str) -> None:
        """Several trainings at once have a watch each."""
        if not self._on_this_machine or step_id in self._monitors:
            return
        from mlflow.system_metrics.system_metrics_monitor import SystemMetricsMonitor

        monitor = SystemMetricsMonitor(run_id, _SAMPLE_SECONDS, resume_logging=True, tracking_uri=self.uri)
        monitor.start()
        self._monitors[step_id] = monitor

    def _unwatch(self, *step_ids: str) -> None:
        for step_id in step_ids:
            if monitor := self._monitors.pop(step_id, None):
                monitor.finish()

    def _save(self) -> None:
        self._state.experiment = self._connection.experiment
        self._state.save(self._state_file, self.uri)
