"""MLflow, and the only module that knows it: one flat run per arm and seed.

Tracking watches; results never depend on it. A store that cannot be reached is reported once and then left alone. What
has been recorded is noted in `tracking.json` beside the plan, so that a run in which nothing changed does not even import
MLflow.
"""

from __future__ import annotations

import json
import logging
import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from compiler.plan import ArmSteps, Plan, Step
from compiler.records import Answer, Item, ItemScore
from stage1.curves import read_curves
from stage1.parameters import what_varies
from stage1.provenance import git_commit
from stage1.runner import Outcome
from stage1.store import Artifact, Store, write_json

_BATCH = 900  # MLflow accepts up to 1000 metrics a call


class MlflowTracker:
    """Records every arm x seed of a plan as one MLflow run; an observer of the runner."""

    def __init__(self, uri: str, store: Store, state_file: Path, warn: Callable[[str], None]) -> None:
        self.uri = uri
        self._store = store
        self._state_file = state_file
        self._warn = warn
        self._lost = False
        self._client: Any = None
        self._state: dict[str, Any] = {"uri": uri, "experiment": None, "runs": {}}

    def run_started(self, plan: Plan, to_do: Sequence[Step]) -> None:
        """Read what was recorded before; touch nothing yet."""
        self._plan = plan
        self._arms = {(entry.arm, entry.seed): entry for entry in plan.arms}
        self._owners: dict[str | None, ArmSteps] = {}
        for entry in plan.arms:
            self._owners.setdefault(entry.train, entry)
        if self._state_file.is_file():
            state = json.loads(self._state_file.read_text(encoding="utf-8"))
            if state.get("uri") == self.uri and (not self.uri.startswith("sqlite:///") or _database(self.uri).is_file()):
                self._state = state

    def step_started(self, step: Step) -> None:
        """Nothing to record: the run of an arm is made when there is something to say."""

    def step_progress(self, step: Step, done: int, total: int) -> None:
        """Curves arrive through `curve_loggers`."""

    def step_finished(self, step: Step, artifact: Artifact, seconds: float) -> None:
        """A trained arm has all its curves now."""
        owner = self._owner(step)
        if owner and owner.key in self._state["runs"]:
            self._entry(owner)["curves"] = step.fingerprint
            self._save()

    def step_failed(self, step: Step, error: Exception, log: Path) -> None:
        """The arm's run is marked FAILED, with the reason as a tag."""
        owner = self._owner(step)
        if owner and owner.key in self._state["runs"]:
            self._safely(lambda: self._mark_failed(self._entry(owner)["run_id"], str(error)))

    def artifact_damaged(self, step: Step, what: str, aside: Path) -> None:
        """A matter of the store, not of tracking."""

    def arm_ready(self, arm: str, seed: int | None) -> None:
        """Record curves not seen live, criteria, answers, data and checkpoint; then the run is FINISHED."""
        steps = self._arms[arm, seed]
        recorded = self._state["runs"].get(steps.key, {})
        done = {"score": self._plan.step(steps.score).fingerprint, "plan": self._plan.fingerprint}
        if all(recorded.get(name) == value for name, value in done.items()):
            return
        self._safely(lambda: self._finish(steps, recorded, done))

    def run_finished(self, outcome: Outcome) -> None:
        """Nothing is pending: every call above is complete when it returns."""

    def curve_loggers(self, step: Step) -> list[Any]:
        """Lightning loggers that send the curves of a training step to MLflow while it trains."""
        owner = self._owner(step)
        if owner is None:
            return []
        opened: list[str] = []
        self._safely(lambda: opened.append(self._open_run(owner)))
        if not opened:
            return []
        from stage1.live_curves import LiveCurves  # imports lightning

        return [LiveCurves(lambda rows: self._safely(lambda: self._send(opened[0], rows)))]

    def link(self) -> str | None:
        """The page on which the arms of this plan can be compared."""
        experiment = self._state.get("experiment")
        if experiment is None:
            return None
        base = self.uri if self.uri.startswith("http") else "http://127.0.0.1:5000"
        return f"{base.rstrip('/')}/#/experiments/{experiment}/runs?compareRunsMode=CHART"

    # --- one arm x seed -------------------------------------------------------------------------------------------

    def _finish(self, steps: ArmSteps, recorded: Mapping[str, Any], done: Mapping[str, str]) -> None:
        if recorded.get("score") != done["score"]:
            self._record(steps)
        run_id = self._entry(steps)["run_id"]
        self._connect().set_tag(run_id, "stage1.plan", self._plan.fingerprint)
        self._connect().set_terminated(run_id, "FINISHED")
        self._entry(steps).update(done)
        self._save()

    def _mark_failed(self, run_id: str, why: str) -> None:
        self._connect().set_tag(run_id, "stage1.error", why[:500])
        self._connect().set_terminated(run_id, "FAILED")

    def _record(self, steps: ArmSteps) -> None:
        run_id = self._open_run(steps)
        client = self._connect()
        trained = self._plan.step(steps.train) if steps.train else None
        if trained and self._entry(steps).get("curves") != trained.fingerprint:
            curves = read_curves(self._artifact(trained.id))
            self._send(run_id, [(row.step, row.name, row.value) for row in curves])
            self._entry(steps)["curves"] = trained.fingerprint
        score = self._artifact(steps.score)
        scores = score.read("scores.jsonl", ItemScore)
        self._send(run_id, [(0, name, value) for name, value in _evaluation(scores).items()])
        client.log_table(run_id, self._answers(steps, scores), "answers.json")
        self._log_data(run_id, steps)
        if trained:
            client.log_artifacts(run_id, str(self._artifact(trained.id).folder / "checkpoint"), "checkpoint")

    def _open_run(self, steps: ArmSteps) -> str:
        entry = self._state["runs"].get(steps.key)
        wanted = self._plan.step(steps.score).fingerprint
        if entry and entry.get("score", wanted) == wanted and entry.get("for", wanted) == wanted:
            return str(entry["run_id"])
        client = self._connect()
        name = steps.arm if steps.seed is None else f"{steps.arm} seed {steps.seed}"
        run = client.create_run(self._state["experiment"], run_name=name, tags=self._tags(steps))
        for parameter, value in self._parameters[steps.key].items():
            client.log_param(run.info.run_id, parameter, value)
        self._state["runs"][steps.key] = {"run_id": run.info.run_id, "for": wanted}
        self._save()
        return str(run.info.run_id)

    @cached_property
    def _parameters(self) -> dict[str, dict[str, str]]:
        return what_varies(self._plan)

    def _tags(self, steps: ArmSteps) -> dict[str, str]:
        claims = self._plan.spec.get("claims") or {}
        roles = [name for name, claim in claims.items() if steps.arm in claim["compare"]]
        tags = {
            "arm": steps.arm,
            "seed": str(steps.seed) if steps.seed is not None else "none",
            "stage1.plan": self._plan.fingerprint,
            "stage1.spec": self._plan.spec_fingerprint,
            "stage1.score": self._plan.step(steps.score).fingerprint,
            "stage1.claims": ", ".join(roles),
        }
        commit = git_commit()
        return tags | ({"mlflow.source.git.commit": commit} if commit else {})

    def _answers(self, steps: ArmSteps, scores: Sequence[ItemScore]) -> dict[str, list[Any]]:
        score = self._plan.step(steps.score)
        instructions = self._artifact(score.inputs["instructions"])
        items = {item.id: item for item in instructions.read("heldout.jsonl", Item)}
        answers = {a.item_id: a for a in self._artifact(steps.respond).read("answers.jsonl", Answer)}
        table: dict[str, list[Any]] = {"item": [], "kind": [], "instruction": [], "response": []}
        for row in scores:
            item = items[row.item_id]
            table["item"].append(item.id)
            table["kind"].append(item.kind)
            table["instruction"].append(item.instruction)
            table["response"].append(answers[item.id].response if item.id in answers else "")
            for criterion, passed in row.criteria.items():
                table.setdefault(criterion, []).append("n/a" if passed is None else "pass" if passed else "fail")
        return table

    def _log_data(self, run_id: str, steps: ArmSteps) -> None:
        from mlflow.entities import Dataset, DatasetInput, InputTag

        train_step = self._plan.step(steps.train) if steps.train else None
        used = {"heldout": self._plan.step(steps.score).inputs["instructions"]}
        if train_step:
            used |= {role: source for role, source in train_step.inputs.items() if role in ("demonstrations", "pairs")}
        inputs = []
        for role, step_id in used.items():
            digest = self._plan.step(step_id).fingerprint
            source = json.dumps({"artifact": digest})
            dataset = Dataset(name=f"{role} ({step_id})", digest=digest[:36], source_type="stage1", source=source)
            context = "evaluation" if role == "heldout" else "training"
            inputs.append(DatasetInput(dataset=dataset, tags=[InputTag("mlflow.data.context", context)]))
        self._connect().log_inputs(run_id, inputs)

    def _send(self, run_id: str, rows: Sequence[tuple[int, str, float]]) -> None:
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        metrics = [Metric(name, value, now, step) for step, name, value in rows]
        for start in range(0, len(metrics), _BATCH):
            self._connect().log_batch(run_id, metrics=metrics[start : start + _BATCH])

    # --- the connection -------------------------------------------------------------------------------------------

    def _connect(self) -> Any:
        if self._client is None:
            from mlflow import MlflowClient

            for chatty in ("mlflow", "alembic"):  # importing mlflow sets its own levels
                logging.getLogger(chatty).setLevel(logging.ERROR)
            self._client = MlflowClient(tracking_uri=self.uri)
            self._state["experiment"] = self._experiment()
            if self.uri.startswith("sqlite:///"):
                with sqlite3.connect(_database(self.uri)) as database:
                    database.execute("PRAGMA journal_mode=WAL")
            self._save()
        return self._client

    def _experiment(self) -> str:
        found = self._client.get_experiment_by_name(self._plan.experiment)
        if found:
            return str(found.experiment_id)
        location = None
        if self.uri.startswith("sqlite:///"):
            location = (_database(self.uri).parent / "mlruns" / self._plan.experiment).as_uri()
        return str(self._client.create_experiment(self._plan.experiment, artifact_location=location))

    def _safely(self, record: Callable[[], None]) -> None:
        if self._lost:
            return
        try:
            record()
        except Exception as error:  # whatever a tracking store can throw
            self._lost = True
            why = (str(error).splitlines() or [type(error).__name__])[0][:200]
            self._warn(f"tracking: {self.uri} cannot be used ({why}); going on without it")

    def _artifact(self, step_id: str) -> Artifact:
        return self._store.open(self._plan.step(step_id).fingerprint)

    def _owner(self, step: Step) -> ArmSteps | None:
        return self._owners.get(step.id)

    def _entry(self, steps: ArmSteps) -> dict[str, Any]:
        entry: dict[str, Any] = self._state["runs"][steps.key]
        return entry

    def _save(self) -> None:
        self._state_file.parent.mkdir(parents=True, exist_ok=True)
        write_json(self._state_file, self._state)


def _database(uri: str) -> Path:
    return Path(uri.removeprefix("sqlite:///")).absolute()


def _evaluation(scores: Sequence[ItemScore]) -> Mapping[str, float]:
    passed: dict[str, list[bool]] = {}
    for score in scores:
        for name, value in score.criteria.items():
            if value is not None:
                passed.setdefault(f"eval/{name}", []).append(value)
        for kind, value in score.preference.items():
            passed.setdefault("eval/preference_accuracy", []).append(value)
            passed.setdefault(f"preference_accuracy/{kind}", []).append(value)
    return {name: sum(values) / len(values) for name, values in passed.items()}
