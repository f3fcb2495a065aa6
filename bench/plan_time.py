"""CPU time of `stage1 plan specs/quickstart.yaml` against importing its four libraries, recorded in `bench/plan_time.json`.

The bar: at most twice the CPU time of `import pydantic, ruamel.yaml, numpy, typer` in a bare interpreter with the power table
cached, and at most 3 s without it. Runs alternate, so that a busy machine slows both alike; medians are compared.
"""

from __future__ import annotations

import compileall
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SPEC = ROOT / "specs" / "quickstart.yaml"
IMPORTS = [sys.executable, "-c", "import pydantic, ruamel.yaml, numpy, typer"]
PLAN = [sys.executable, "-m", "stage1", "plan", str(SPEC)]
TIMES = 15
MOST_CACHED, MOST_UNCACHED = 2.0, 3.0


def main() -> int:
    """Measure, write the record, and fail where a bar is missed."""
    for package in ("compiler", "stage1"):
        compileall.compile_dir(ROOT / package, quiet=1)
    with tempfile.TemporaryDirectory() as cache:
        uncached = [_cpu_seconds(PLAN, Path(cache) / str(number)) for number in range(3)]
        warm = Path(cache) / "warm"
        _cpu_seconds(PLAN, warm), _cpu_seconds(IMPORTS, warm)
        pairs = [(_cpu_seconds(PLAN, warm), _cpu_seconds(IMPORTS, warm)) for _ in range(TIMES)]
    plan, imports = (statistics.median(times) for times in zip(*pairs, strict=True))
    record = {
        "date": datetime.now(UTC).date().isoformat(),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "runs": TIMES,
        "load_before": round(os.getloadavg()[0], 1),
        "imports_cpu_seconds": round(imports, 3),
        "plan_cpu_seconds": round(plan, 3),
        "ratio": round(plan / imports, 2),
        "most_ratio": MOST_CACHED,
        "plan_uncached_cpu_seconds": round(statistics.median(uncached), 3),
        "most_uncached_cpu_seconds": MOST_UNCACHED,
    }
    (ROOT / "bench" / "plan_time.json").write_text(json.dumps(record, indent=1) + "\n")
    print(json.dumps(record))
    return 0 if record["ratio"] <= MOST_CACHED and record["plan_uncached_cpu_seconds"] <= MOST_UNCACHED else 1


def _cpu_seconds(command: list[str], cache: Path) -> float:
    """User and system time of a command and its children, with a folder of its own for what is cached between runs."""
    cache.mkdir(exist_ok=True)
    environment = {**os.environ, "XDG_CACHE_HOME": str(cache), "STAGE1_CACHE": str(cache), "NO_COLOR": "1"}
    before = os.times()
    subprocess.run(command, cwd=cache, env=environment, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    after = os.times()
    time.sleep(0.05)
    return after.children_user + after.children_system - before.children_user - before.children_system


if __name__ == "__main__":
    sys.exit(main())
