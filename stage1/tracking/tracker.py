"""Watches a run and records it. Results never depend on it.

A tracking store that cannot be reached is reported once and tried again later; what it missed is read from the artifacts
and added when it is back, in this run or in the next. What has been recorded is noted in `tracking.json` beside the plan, so
that a run in which nothing changed does not even import MLflow.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from compiler.plan import ArmSteps, Plan, Step
from evaluators.results import Analysis
from stage1.executors import CurveRow
from stage1.runner import Outcome
from stage1.secrets import masked
from stage1.store import Artifact, Store, write_json
from stage1.tracking.arm_runs import ArmRuns
from stage1.tracking.connection import Connection, database
from stage1.tracking.summary_run import LINK, log_summary, set_view

_SAMPLE_SECONDS = 5.0  # between looks at processor, memory and GPU


class MlflowTracker:
    """Records every arm x seed of a plan as one MLflow run; an observer of the runner."""

    def __init__(
        self, uri: str, store: Store, state_file: Path, warn: Callable[[str], None], *, on_this_machine: bool = True
    ) -> None:
        """`on_this_machine`: whether steps run here, so that this machine's load is theirs."""
        self.uri = uri
        self._store = store
        self._state_file = state_file
        self._warn = warn
        self._on_this_machine = on_this_machine
        self._state: dict[str, Any] = {"uri": masked(uri), "experiment": None, "done": {}}
        self._behind: dict[str, ArmSteps] = {}
        self._monitor: Any = None

    def run_started(self, plan: Plan, to_do: Sequence[Step]) -> None:
        """Read what was recorded before; touch nothing yet."""
        self._plan = plan
        self._connection = Connection(self.uri, plan.experiment, self._warn)
        self._runs = ArmRuns(plan, self._store, self._connection)
        self._arms = {(entry.arm, entry.seed): entry for entry in plan.arms}
        self._owners: dict[str | None, ArmSteps] = {}
        for entry in plan.arms:
            self._owners.setdefault(entry.train, entry)
        self._state = self._read_state()

    def step_started(self, step: Step) -> None:
        """A training step opens its arm's run and watches the machine."""
        owner = self._owners.get(step.id)
        if owner:
            self._connection.safely(lambda: self._watch(self._runs.open(owner)))

    def step_progress(self, step: Step, done: int, total: int) -> None:
        """Curves say more."""

    def step_curves(self, step: Step, rows: Sequence[CurveRow]) -> None:
        """Live curves; what does not arrive is added when the arm is complete."""
        owner = self._owners.get(step.id)
        if owner:
            self._connection.safely(lambda: self._runs.send(self._runs.open(owner), rows))

    def step_finished(self, step: Step, artifact: Artifact, seconds: float) -> None:
        """Training is over."""
        if step.id in self._owners:
            self._unwatch()

    def step_found(self, step: Step) -> None:
        """Another run made it."""

    def step_noted(self, step: Step, text: str) -> None:
        """For people at the console."""

    def step_waits(self, step: Step, why: str) -> None:
        """Nothing to record yet."""

    def step_failed(self, step: Step, why: str, log: Path) -> None:
        """The arm's run is marked FAILED, with the reason as a tag."""
        self._unwatch()
        owner = self._owners.get(step.id)
        if owner and self._runs.is_open(owner):
            self._connection.safely(lambda: self._runs.end(owner, "FAILED", why))

    def artifact_damaged(self, step: Step, what: str, aside: Path | None) -> None:
        """A matter of the store, not of tracking."""

    def arm_ready(self, arm: str, seed: int | None) -> None:
        """Record curves not seen live, criteria, answers, data and checkpoint; then the run is FINISHED."""
        steps = self._arms[arm, seed]
        if self._state["done"].get(steps.key) != self._fingerprints(steps):
            self._behind[steps.key] = steps
            self._catch_up()

    def run_finished(self, outcome: Outcome) -> None:
        """What was missed has another chance."""
        self._catch_up()

    def summarize(self, analysis: Analysis, page: Path) -> None:
        """Record the verdicts and the report, once per plan."""
        done = {"plan": self._plan.fingerprint, "analyze": self._plan.step(self._plan.analyze).fingerprint}
        if self._state["done"].get("summary") == done:
            return
        if self._connection.safely(lambda: log_summary(self._plan, analysis, page, self._connection), now=True):
            self._state["done"]["summary"] = done
            self._save()

    def close(self) -> None:
        """The last chance of this run for what a lost store missed."""
        self._unwatch()
        if self._behind:
            self._catch_up(now=True)
        if self._behind:
            self._warn(f"tracking: {len(self._behind)} runs are not recorded; the same command adds them later")

    def interrupted(self) -> None:
        """Open runs are marked KILLED; the next attempt goes on with them."""
        if hasattr(self, "_runs"):
            self._unwatch()
            self._connection.safely(lambda: self._runs.ends("KILLED", "interrupted"))

    def link(self) -> str | None:
        """The page on which the arms of this plan can be compared."""
        experiment = self._state.get("experiment")
        if experiment is None:
            return None
        base = self.uri if self.uri.startswith("http") else "http://127.0.0.1:5000"
        return f"{base.rstrip('/')}/#/experiments/{experiment}/runs?{LINK}"

    def _catch_up(self, *, now: bool = False) -> None:
        for key, steps in list(self._behind.items()):
            if not self._connection.safely(lambda steps=steps: self._finish(steps), now=now):  # type: ignore[misc]
                return
            if self._state["done"].get(key) == self._fingerprints(steps):
                del self._behind[key]

    def _finish(self, steps: ArmSteps) -> None:
        done = self._fingerprints(steps)
        with self._store.claim(f"tracking-{done['score']}") as mine:
            if mine:  # else another process records this very arm
                self._runs.finish(steps)
        if self._state["done"].get("view") != self._plan.fingerprint:
            set_view(self._plan, self._connection)
            self._state["done"]["view"] = self._plan.fingerprint
        self._state["done"][steps.key] = done
        self._save()

    def _fingerprints(self, steps: ArmSteps) -> dict[str, str]:
        return {"score": self._plan.step(steps.score).fingerprint, "plan": self._plan.fingerprint}

    def _watch(self, run_id: str) -> None:
        if not self._on_this_machine or self._monitor:
            return
        from mlflow.system_metrics.system_metrics_monitor import SystemMetricsMonitor

        self._monitor = SystemMetricsMonitor(run_id, _SAMPLE_SECONDS, resume_logging=True, tracking_uri=self.uri)
        self._monitor.start()

    def _unwatch(self) -> None:
        if self._monitor:
            monitor, self._monitor = self._monitor, None
            monitor.finish()

    def _read_state(self) -> dict[str, Any]:
        """What this file says was recorded, unless that was elsewhere or the database has gone."""
        path = database(self.uri)
        try:
            state: Mapping[str, Any] = json.loads(self._state_file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return self._state
        usable = isinstance(state, dict) and state.get("uri") == masked(self.uri) and isinstance(state.get("done"), dict)
        return dict(state) if usable and (path is None or path.is_file()) else self._state

    def _save(self) -> None:
        self._state["experiment"] = self._connection.experiment
        self._state_file.parent.mkdir(parents=True, exist_ok=True)
        write_json(self._state_file, self._state)
