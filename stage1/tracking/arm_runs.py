"""The MLflow run of one arm and seed: found again if it exists, else made; filled; finished."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from compiler.plan import ArmSteps, Plan
from compiler.records import ItemScore
from stage1.curves import read_curves
from stage1.executors import CurveRow
from stage1.parameters import what_varies
from stage1.provenance import git_commit
from stage1.secrets import masked
from stage1.store import Store
from stage1.tracking.adapters import log_adapter, model_card
from stage1.tracking.connection import Connection
from stage1.tracking.content import answers_table, data_used, evaluation, opened

_BATCH = 900  # MLflow accepts up to 1000 metrics a call
_ERROR = "stage1.error"


class ArmRuns:
    """What one plan's arms have in the tracking store, which is asked rather than remembered."""

    def __init__(self, plan: Plan, store: Store, connection: Connection) -> None:
        self._plan = plan
        self._store = store
        self._connection = connection
        self._open: dict[str, str] = {}
        self._sent: dict[str, dict[str, set[int]]] = {}

    def open(self, steps: ArmSteps) -> str:
        """The id of the arm's run: one that an earlier attempt left is gone on with, RUNNING, unless it was FINISHED.

        All of a FINISHED one is recorded: it stays as it is, whatever is made again for it and however that ends.
        """
        if steps.key not in self._open:
            self._open[steps.key] = self._found(steps) or self._made(steps)
        return self._open[steps.key]

    def is_open(self, steps: ArmSteps) -> bool:
        """Whether this process has the run open."""
        return steps.key in self._open

    def send(self, run_id: str, rows: Sequence[CurveRow]) -> None:
        """Add those points that the run does not have yet."""
        from mlflow.entities import Metric

        has, now = self._has(run_id), int(time.time() * 1000)
        fresh = [row for row in rows if row[0] not in has.get(row[1], ())]
        for start in range(0, len(fresh), _BATCH):
            batch = fresh[start : start + _BATCH]
            del self._sent[run_id]  # should the answer be lost, the points may have arrived all the same
            self._connection.client.log_batch(run_id, metrics=[Metric(name, value, now, step) for step, name, value in batch])
            for step, name, _ in batch:
                has.setdefault(name, set()).add(step)
            self._sent[run_id] = has

    def _has(self, run_id: str) -> dict[str, set[int]]:
        """Name -> steps of the points that a run has: what an earlier attempt sent is sent again by a training that goes on."""
        if run_id not in self._sent:
            client = self._connection.client
            names = [name for name in client.get_run(run_id).data.metrics if not name.startswith("system/")]
            self._sent[run_id] = {name: {point.step for point in client.get_metric_history(run_id, name)} for name in names}
        return self._sent[run_id]

    def finish(self, steps: ArmSteps) -> str:
        """Record everything and mark the run FINISHED, unless another plan or process has; its id."""
        run_id, client = self.open(steps), self._connection.client
        run = client.get_run(run_id)
        if run.info.status == "FINISHED":
            client.set_tag(run_id, "stage1.plan", self._plan.fingerprint)
            del self._open[steps.key]
            return run_id
        trained = opened(self._plan, self._store, steps.train) if steps.train else None
        if trained:
            self.send(run_id, [(row.step, row.name, row.value) for row in read_curves(trained)])
        metrics = evaluation(opened(self._plan, self._store, steps.score).read("scores.jsonl", ItemScore))
        self.send(run_id, [(0, name, value) for name, value in metrics.items()])
        self._log_answers(run_id, steps)
        data = self._log_data(run_id, steps)
        if trained and self._connection.experiment:
            card = model_card(self._plan, steps, trained, metrics, data)
            log_adapter(client, self._connection.experiment, run_id, steps, self._plan, trained, card)
        client.set_tag(run_id, "stage1.plan", self._plan.fingerprint)
        if _ERROR in run.data.tags:  # of an attempt before
            client.delete_tag(run_id, _ERROR)
        client.set_terminated(run_id, "FINISHED")
        del self._open[steps.key]
        return run_id

    def end(self, steps: ArmSteps, status: str, why: str) -> None:
        """Mark an open run FAILED or KILLED, with the reason as a tag, unless it is FINISHED."""
        run_id, client = self._open.pop(steps.key), self._connection.client
        if client.get_run(run_id).info.status != "FINISHED":
            client.set_tag(run_id, _ERROR, masked(why)[:500])
            client.set_terminated(run_id, status)

    def ends(self, status: str, why: str) -> None:
        """The same for every open run."""
        for entry in self._plan.arms:
            if entry.key in self._open:
                self.end(entry, status, why)

    def _found(self, steps: ArmSteps) -> str | None:
        wanted = {"stage1.score": self._plan.step(steps.score).fingerprint, "arm": steps.arm, "seed": _seed(steps)}
        text = " and ".join(f"tags.`{name}` = '{value}'" for name, value in wanted.items())
        client = self._connection.client
        runs = client.search_runs([self._connection.experiment], text, order_by=["attributes.start_time ASC"], max_results=1)
        if not runs:
            return None
        run = runs[0]
        if run.info.status not in ("RUNNING", "FINISHED"):
            client.update_run(run.info.run_id, status="RUNNING")
        return str(run.info.run_id)

    def _made(self, steps: ArmSteps) -> str:
        from mlflow.entities import Param

        name = steps.arm if steps.seed is None else f"{steps.arm} seed {steps.seed}"
        run = self._connection.client.create_run(self._connection.experiment, run_name=name, tags=self._tags(steps))
        parameters = [Param(key, value) for key, value in self._parameters[steps.key].items()]
        self._connection.client.log_batch(run.info.run_id, params=parameters)
        self._sent[run.info.run_id] = {}
        return str(run.info.run_id)

    @cached_property
    def _parameters(self) -> dict[str, dict[str, str]]:
        return what_varies(self._plan)

    def _tags(self, steps: ArmSteps) -> dict[str, str]:
        claims: Mapping[str, Any] = self._plan.spec.get("claims") or {}
        roles = [f"{name} ({_role(steps.arm, claim)})" for name, claim in claims.items() if steps.arm in claim["compare"]]
        tags = {
            "arm": steps.arm,
            "seed": _seed(steps),
            "stage1.plan": self._plan.fingerprint,
            "stage1.spec": self._plan.spec_fingerprint,
            "stage1.score": self._plan.step(steps.score).fingerprint,
            "stage1.claims": ", ".join(roles),
        }
        if steps.train:
            tags["stage1.train"] = self._plan.step(steps.train).fingerprint
        commit = git_commit()
        return tags | ({"mlflow.source.git.commit": commit} if commit else {})

    def _log_answers(self, run_id: str, steps: ArmSteps) -> None:
        """As `log_table` writes a table, but in the place of an earlier one, to which that would append."""
        table, name = answers_table(self._plan, self._store, steps), "answers.json"
        rows = [list(row) for row in zip(*table.values(), strict=True)]
        self._connection.client.log_dict(run_id, {"columns": list(table), "data": rows}, name)
        self._connection.client.set_tag(run_id, "mlflow.loggedArtifacts", json.dumps([{"path": name, "type": "table"}]))

    def _log_data(self, run_id: str, steps: ArmSteps) -> dict[str, str]:
        from mlflow.entities import Dataset, DatasetInput, InputTag

        used = list(data_used(self._plan, self._store, steps))
        inputs = [
            DatasetInput(
                dataset=Dataset(data.name, data.digest, source_type="stage1", source=data.source, profile=data.profile),
                tags=[InputTag("mlflow.data.context", data.context)],
            )
            for data in used
        ]
        self._connection.client.log_inputs(run_id, inputs)
        return {data.name: data.digest for data in used}


def _seed(steps: ArmSteps) -> str:
    return "none" if steps.seed is None else str(steps.seed)


def _role(arm: str, claim: Mapping[str, Any]) -> str:
    return "first" if claim["compare"][0] == arm else "second"
