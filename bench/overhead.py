"""What the conductor itself costs: in a fresh quickstart, and in a run of 1,000 steps in which everything is complete.

    python bench/overhead.py [--quickstart FOLDER]

FOLDER is one in which `stage1 run specs/quickstart.yaml` has run from nothing, its stderr in `stderr.log`; without it that is
done first. The record is `bench/overhead.json`.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from compiler.plan import Plan, Step
from stage1.commands.compiling import compile_file
from stage1.store import MANIFEST, Store

ROOT = Path(__file__).resolve().parent.parent
NANO = ROOT / "tests" / "stage1" / "nano.yaml"
QUICKSTART = ROOT / "specs" / "quickstart.yaml"
_STEPS = 1000


def main() -> int:
    """Measure both and write the record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quickstart", type=Path)
    parser.add_argument("--out", type=Path, default=ROOT / "bench" / "overhead.json")
    asked = parser.parse_args()
    record: dict[str, Any] = {"date": datetime.now(UTC).date().isoformat(), "cpus": os.cpu_count()}
    record["load_at_the_start"] = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        record["cached"] = cached(Path(folder))
        print(record["cached"], flush=True)
        record["quickstart"] = fresh(asked.quickstart or Path(folder) / "quickstart")
        print(record["quickstart"])
    asked.out.write_text(json.dumps(record, indent=1) + "\n")
    return 0


def fresh(folder: Path) -> dict[str, float]:
    """Wall time of a whole run, less what its steps took: planning, scheduling, hashing, store, tracking, report, imports."""
    log = folder / "stderr.log"
    if not log.is_file():
        folder.mkdir(parents=True)
        (folder / "wall").write_text(str(_run(folder, QUICKSTART, [], log)[0]))
    wall = float((folder / "wall").read_text())
    manifests = [json.loads(path.read_text()) for path in folder.glob(f"runs/artifacts/*/{MANIFEST}")]
    steps = sum(manifest["provenance"]["seconds"] for manifest in manifests)
    found = {
        "wall_seconds": wall,
        "steps_seconds": steps,
        "overhead_seconds": wall - steps,
        "overhead_share": (wall - steps) / wall,
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
    wall, processor, count = min(t[0] for t in times), min(t[1] for t in times), len(large.steps)
    return {"steps": count, "seconds": round(wall, 2), "processor_seconds": round(processor, 2)}


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


def _run(folder: Path, spec: Path, overrides: list[str], log: Path) -> tuple[float, float]:
    """Wall and processor seconds; the latter say more on a busy machine."""
    environment = {name: value for name, value in os.environ.items() if name != "MLFLOW_TRACKING_URI"} | {"NO_COLOR": "1"}
    with log.open("w") as err:
        command = [sys.executable, "-m", "stage1", "run", str(spec), *overrides]
        began, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=err, check=True)
        wall, after = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    sys.exit(main())
