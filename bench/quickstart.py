"""Run the quickstart in an empty store and record wall time per step and peak memory in `bench/quickstart.json`."""

from __future__ import annotations

import contextlib
import json
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
SPEC = ROOT / "specs" / "quickstart.yaml"


def main() -> int:
    """Run twice (fresh, then fully cached), read the manifests, write the record. An argument names an empty folder to keep."""
    with contextlib.ExitStack() as stack:
        folder = Path(sys.argv[1] if len(sys.argv) > 1 else stack.enter_context(tempfile.TemporaryDirectory()))
        folder.mkdir(parents=True, exist_ok=True)
        fresh = _timed_run(folder)
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
        cached = _timed_run(folder)
        manifests = [json.loads(path.read_text()) for path in (folder / "runs" / "artifacts").glob("*/manifest.json")]
    record = {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": {"cpus": manifests[0]["provenance"]["cpus"], "platform": platform.platform(), "processor": _processor()},
        "versions": manifests[0]["provenance"]["versions"],
        "commit": manifests[0]["provenance"]["commit"],
        "wall_seconds": round(fresh, 1),
        "second_run_seconds": round(cached, 1),
        "peak_memory_mb": round(peak / 2**20),
        "seconds_by_kind": _by_kind(manifests),
        "seconds_by_step": dict(sorted((m["step"], m["provenance"]["seconds"]) for m in manifests)),
    }
    (ROOT / "bench" / "quickstart.json").write_text(json.dumps(record, indent=1) + "\n")
    print(json.dumps({key: record[key] for key in ("wall_seconds", "second_run_seconds", "peak_memory_mb")}))
    return 0


def _timed_run(folder: Path) -> float:
    started = time.monotonic()
    subprocess.run([sys.executable, "-m", "stage1", "run", str(SPEC)], cwd=folder, check=True)
    return time.monotonic() - started


def _by_kind(manifests: list[dict[str, Any]]) -> dict[str, float]:
    totals: dict[str, float] = defaultdict(float)
    for manifest in manifests:
        totals[manifest["kind"]] += manifest["provenance"]["seconds"]
    return {kind: round(seconds, 1) for kind, seconds in sorted(totals.items())}


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.processor())


if __name__ == "__main__":
    sys.exit(main())
