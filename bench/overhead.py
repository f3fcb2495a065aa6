"""What the conductor itself costs: in a fresh quickstart, and in a run of 1,000 steps in which everything is complete.

    python bench/overhead.py

Overhead is the wall time of the whole command, from its start to its exit, less the seconds that its steps took from having
their inputs to having their results: what is left is imports, compiling, scheduling, hashing, the store, the end of tracking,
the report, and the exit. Tracking has a process of its own; what it takes of another core is told beside it. Both
are wall times, so they mean something on an idle machine only: the load is in the record. About four minutes.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

from compiler.plan import Plan, Step
from stage1.commands.compiling import compile_file
from stage1.provenance import git_commit
from stage1.store import MANIFEST, Store

ROOT = Path(__file__).resolve().parent.parent
NANO = ROOT / "tests" / "stage1" / "nano.yaml"
QUICKSTART = ROOT / "specs" / "quickstart.yaml"
_STEPS = 1000
_LOOK_EVERY = 1.0  # seconds


def main() -> int:
    """Measure both and write the record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=ROOT / "bench" / "overhead.json")
    asked = parser.parse_args()
    record: dict[str, Any] = {"date": datetime.now(UTC).date().isoformat(), "commit": git_commit(), "cpus": os.cpu_count()}
    record["load_at_the_start"] = round(os.getloadavg()[0], 2)
    with tempfile.TemporaryDirectory() as folder:
        record["quickstart"] = fresh(Path(folder) / "quickstart")
        print(record["quickstart"], flush=True)
        record["cached"] = cached(Path(folder))
        print(record["cached"])
    asked.out.write_text(json.dumps(record, indent=1) + "\n")
    return 0


def fresh(folder: Path) -> dict[str, float]:
    """A quickstart from nothing."""
    folder.mkdir()
    took = _run(folder, QUICKSTART, [], folder / "stderr.log")
    manifests = [json.loads(path.read_text()) for path in folder.glob(f"runs/artifacts/*/{MANIFEST}")]
    steps = sum(manifest["provenance"]["seconds"] for manifest in manifests)
    found = {
        "wall_seconds": took.wall,
        "steps_seconds": steps,
        "overhead_seconds": took.wall - steps,
        "overhead_share": (took.wall - steps) / took.wall,
        "processor_seconds": took.processor,
        "of_which_tracking": took.beside,
    }
    return {name: round(value, 4) for name, value in found.items()} | {"steps": len(manifests)}


def cached(folder: Path) -> dict[str, float]:
    """Seconds of a run that finds at least 1,000 steps complete, the report written anew; the best of three."""
    small = folder / "nano"
    small.mkdir()
    _run(small, NANO, [], small / "stderr.log")
    source = Store(small / "runs")
    plan = _plan([])
    seeds = 2 + -(-(_STEPS - len(plan.steps)) // sum(step.seed == 1 for step in plan.steps))
    override = ["--set", f"seeds={list(range(1, seeds + 1))}"]
    large = _plan(override[1:])
    _copy(plan, large, source, Store(folder / "large" / "runs"))
    _run(folder / "large", NANO, override, folder / "first.log")  # the analysis, and the records in MLflow
    times = [_run(folder / "large", NANO, override, folder / "cached.log") for _ in range(3)]
    assert re.search(rf"{len(large.steps)} reused, 0 to do", (folder / "cached.log").read_text())
    wall, processor = min(took.wall for took in times), min(took.processor for took in times)
    return {"steps": len(large.steps), "seconds": round(wall, 2), "processor_seconds": round(processor, 2)}


def _plan(overrides: list[str]) -> Plan:
    plan = compile_file(NANO, overrides).plan
    assert plan is not None
    return plan


def _copy(plan: Plan, large: Plan, source: Store, target: Store) -> None:
    """What seed 1 made stands for what every other seed would have made; the analysis is left to be done."""
    for step in large.steps:
        if step.kind == "analyze":
            continue
        twin: Step = plan.step(re.sub(r"seed-\d+", "seed-1", step.id))
        folder = source.open(twin.fingerprint).folder
        inputs = {role: large.step(name).fingerprint for role, name in step.inputs.items()}
        with target.writing(step, {"seconds": 0.0}, inputs) as draft:
            shutil.copytree(folder, draft.folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns(MANIFEST))


@dataclass(frozen=True)
class Took:
    """Seconds: by the clock, of the processor in all, and of the processor by the process beside."""

    wall: float
    processor: float
    beside: float


def _run(folder: Path, spec: Path, overrides: list[str], log: Path) -> Took:
    environment = {name: value for name, value in os.environ.items() if name != "MLFLOW_TRACKING_URI"} | {"NO_COLOR": "1"}
    command = [sys.executable, "-m", "stage1", "run", str(spec), *overrides]
    with log.open("w") as err:
        began, before = time.monotonic(), _of_children()
        run = psutil.Popen(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=err)
        beside: dict[int, float] = {}
        threading.Thread(target=_watch, args=(run, beside), daemon=True).start()
        run.wait()
        wall = time.monotonic() - began
    if run.returncode:
        raise SystemExit(f"{' '.join(command)} failed: {log.read_text()}")
    return Took(wall, _of_children() - before, sum(beside.values()))


def _watch(run: psutil.Popen, beside: dict[int, float]) -> None:
    """Note, until it ends, what the processes of a run have used of the processor."""
    with contextlib.suppress(psutil.Error):
        while run.is_running():
            beside |= {child.pid: sum(child.cpu_times()[:2]) for child in run.children()}
            time.sleep(_LOOK_EVERY)


def _of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    sys.exit(main())
