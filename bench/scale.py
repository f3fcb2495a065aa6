"""A plan of 10,000 steps on 64 simulated workers: real compiler, runner, store; simulated work. Record: `bench/scale.json`."""

from __future__ import annotations

import heapq
import json
import os
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from compiler.plan import Plan, Step
from stage1.attempt import Result, attempt
from stage1.commands.compiling import compile_file
from stage1.executors import Reports
from stage1.runner import Runner
from stage1.scheduling import ways_to_the_end
from stage1.store import Artifact, Draft, Store
from stage1.time_left import usual_seconds

ROOT = Path(__file__).resolve().parent.parent
SPEC = ROOT / "specs" / "quickstart.yaml"
STEPS, WORKERS = 10_000, 64
_FILES = ("open", "os.rename", "os.mkdir", "os.remove", "os.rmdir", "os.listdir", "os.scandir", "shutil.rmtree")


class SimulatedExecutor:
    """Workers on a virtual clock; artifacts are tiny but really written, through the real attempt."""

    def __init__(self, store: Store, seconds: Mapping[str, float]) -> None:
        self._store, self._seconds = store, seconds
        self.clock = self.busy = 0.0
        self._at_work: list[tuple[float, str]] = []
        self.inside = 0.0
        self._free = WORKERS

    def start(self, plan: Plan, to_do: Sequence[Step], reports: Reports) -> None:
        """Keep the plan at hand."""
        self._plan, self._reports = plan, reports

    def has_room_for(self, step: Step) -> bool:
        """Whether one of the workers is free."""
        return self._free > 0

    def submit(self, step: Step) -> None:
        """It ends after its time."""
        self._free -= 1
        self.busy += self._seconds[step.id]
        heapq.heappush(self._at_work, (self.clock + self._seconds[step.id], step.id))

    def wait(self) -> Sequence[Result]:
        """The next to end."""
        self.clock, step_id = heapq.heappop(self._at_work)
        self._free += 1
        began = time.perf_counter()
        result = attempt(self._plan.step(step_id), self._plan, self._store, self, self._reports.started)
        self.inside += time.perf_counter() - began
        return (result,)

    def work(self, step: Step, inputs: Mapping[str, Artifact], draft: Draft) -> None:
        """A hundred bytes."""
        draft.write_json("value.json", {"step": step.id, "padding": "x" * 100})

    def close(self) -> None:
        """Nothing is held."""


class Counting:
    """An observer that only counts."""

    def __init__(self) -> None:
        self.events: Counter[str] = Counter()

    def __getattr__(self, event: str) -> Any:
        def count(*details: object) -> None:
            self.events[event] += 1

        return count


def main() -> int:
    """Simulate, measure, record."""
    began = time.perf_counter()
    plan = _plan()
    compiling = time.perf_counter() - began
    draw = random.Random(0)
    seconds = {step.id: usual_seconds(step.kind) * draw.lognormvariate(0, 0.4) for step in plan.steps}
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder:
        record = _simulate(plan, seconds, Path(folder)) | {"compile_seconds": round(compiling, 2)}
        record["tracking"] = _tracking(Path(folder))
    record |= {"date": datetime.now(UTC).date().isoformat(), "cpus": os.cpu_count()}
    (ROOT / "bench" / "scale.json").write_text(json.dumps(record, indent=1) + "\n")
    print(json.dumps(record, indent=1))
    return 0


def _plan() -> Plan:
    per_seed = 16
    plan = compile_file(SPEC, [f"seeds={list(range(1, STEPS // per_seed + 1))}"]).plan
    assert plan is not None
    return plan


def _simulate(plan: Plan, seconds: Mapping[str, float], folder: Path) -> dict[str, Any]:
    touched = _count_file_operations(str(folder))
    store = Store(folder)
    executor, observer = SimulatedExecutor(store, seconds), Counting()
    began = time.perf_counter()
    outcome = Runner(plan, store, executor, [observer], folder / "logs").run()
    wall = time.perf_counter() - began
    assert outcome.ok
    consumers: dict[str, list[str]] = {step.id: [] for step in plan.steps}
    for step in plan.steps:
        for source in {*step.inputs.values(), *step.after}:
            consumers[source].append(step.id)
    longest = max(ways_to_the_end(plan.steps, consumers, lambda step: seconds[step.id]).values())
    bound = max(longest, sum(seconds.values()) / WORKERS)
    again = time.perf_counter()
    Runner(plan, store, executor, [observer], folder / "logs").run()
    count = len(plan.steps)
    return {
        "steps": count,
        "workers": WORKERS,
        "scheduling_milliseconds_per_step": round(1000 * (wall - executor.inside) / count, 3),
        "store_milliseconds_per_step": round(1000 * executor.inside / count, 3),
        "file_operations_per_step": {name: round(number / count, 2) for name, number in touched.items() if number},
        "simulated_hours": round(executor.clock / 3600, 3),
        "lower_bound_hours": round(bound / 3600, 3),
        "workers_busy": round(executor.busy / (executor.clock * WORKERS), 4),
        "cached_second_run_seconds": round(time.perf_counter() - again, 2),
    }


def _count_file_operations(below: str) -> Counter[str]:
    touched: Counter[str] = Counter()

    def hook(event: str, details: tuple[Any, ...]) -> None:
        if event in _FILES and str(details[0]).startswith(below):
            touched[event] += 1

    sys.addaudithook(hook)
    return touched


def _tracking(folder: Path, runs: int = 150, curves: int = 10, points: int = 60) -> dict[str, Any]:
    """One client, as the driver is, that records arms one after the other in a local sqlite store in WAL mode."""
    from mlflow.entities import Metric, Param

    from stage1.tracking.connection import Connection

    connection = Connection(f"sqlite:///{folder / 'mlflow.db'}", "scale", print)
    client = connection.client
    times: dict[str, list[float]] = {"open": [], "curves": [], "search": []}
    rows = [Metric(f"train/{curve}", 0.5, 0, point) for curve in range(curves) for point in range(points)]
    for number in range(runs):
        moments = [time.perf_counter()]
        client.search_runs([connection.experiment], f"tags.`stage1.score` = '{number}'", max_results=1)
        moments.append(time.perf_counter())
        run = client.create_run(connection.experiment, tags={"stage1.score": str(number)})
        client.log_batch(run.info.run_id, params=[Param(f"p{n}", "v") for n in range(12)])
        moments.append(time.perf_counter())
        client.log_batch(run.info.run_id, metrics=rows)
        client.set_terminated(run.info.run_id)
        moments.append(time.perf_counter())
        for name, first, last in (("search", 0, 1), ("open", 1, 2), ("curves", 2, 3)):
            times[name].append(moments[last] - moments[first])
    size = sum(path.stat().st_size for path in folder.glob("mlflow.db*"))
    told = {f"{name}_milliseconds": round(1000 * sorted(values)[runs // 2], 1) for name, values in times.items()}
    return {"runs": runs, "points_per_run": curves * points, **told, "bytes_per_run": round(size / runs)}


if __name__ == "__main__":
    sys.exit(main())
