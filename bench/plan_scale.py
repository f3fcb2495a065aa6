"""Plan 10,000 arms x 5 seeds, and record wall time, CPU time and peak memory in `bench/plan_scale.json`.

The bar: under 20 s and 1 GB. Two specs of that size: arms and claims written one by one, and chains of ten arms in which
each starts from the one before. CPU seconds are held against the bar, since one process on one core
takes as long on an idle machine; the wall time is recorded beside them.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
ARMS, SEEDS, MOST_SECONDS, MOST_BYTES = 10_000, 5, 20.0, 1e9

HEAD = f"""
experiment: scale
seeds: {list(range(1, SEEDS + 1))}
data: {{preferences: {{chosen: {{from: sft}}}}}}
recipes:
  sft: {{objective: sft}}
  dpo: {{objective: dpo}}
arms:
  base: {{}}
  sft: {{from: base, train: sft}}
"""

COMPILE = """
import json, resource, sys, time
from compiler import compile_spec
from stage1.world import DiskWorld
text = open(sys.argv[1]).read()
started, cpu = time.perf_counter(), time.process_time()
found = compile_spec(sys.argv[1], text, (), DiskWorld())
seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
errors = [str(d.message) for d in found.diagnostics if d.severity == "error"][:3]
arms, steps = (len({entry.arm for entry in found.plan.arms}), len(found.plan.steps)) if found.plan else (0, 0)
print(json.dumps({"seconds": round(seconds, 2), "cpu_seconds": round(cpu, 2), "peak_mb": round(peak / 2**20),
                  "arms": arms, "steps": steps, "findings": len(found.findings), "errors": errors}))
"""


def main() -> int:
    """Compile each spec in a process of its own, write the record, and fail where the bar is missed."""
    record: dict[str, Any] = {
        "date": datetime.now(UTC).date().isoformat(),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "load_before": round(os.getloadavg()[0], 1),
        "seeds": SEEDS,
        "most_seconds": MOST_SECONDS,
        "most_mb": round(MOST_BYTES / 2**20),
    }
    with tempfile.TemporaryDirectory() as folder:
        for name, text in (("written", _written()), ("chains", _chains())):
            path = Path(folder) / f"{name}.yaml"
            path.write_text(text)
            done = subprocess.run(
                [sys.executable, "-c", COMPILE, str(path)], cwd=ROOT, check=True, capture_output=True, text=True
            )
            record[name] = json.loads(done.stdout)
            print(name, record[name])
    (ROOT / "bench" / "plan_scale.json").write_text(json.dumps(record, indent=1) + "\n")
    runs = [record[name] for name in ("written", "chains")]
    fast = all(run["cpu_seconds"] < MOST_SECONDS and run["peak_mb"] < record["most_mb"] for run in runs)
    return 0 if fast and all(run["arms"] >= ARMS for run in runs) else 1


def _written() -> str:
    """10,000 arms one by one, with a claim for every tenth."""
    arms = [f"  dpo_{i}: {{from: sft, train: {{use: dpo, beta: {0.01 + i / 20000}}}}}\n" for i in range(ARMS)]
    return HEAD + "".join(arms) + "".join(_claim(f"gain_{i}", f"dpo_{i}", "sft", i == 0) for i in range(0, ARMS, 10))


def _chains() -> str:
    """A thousand chains of ten arms, each trained on from the one before."""
    arms = [
        f"  a_{chain}_{link}: {{from: {f'a_{chain}_{link - 1}' if link else 'base'}, "
        f"train: {{use: sft, learning_rate: {1e-6 * (chain + 1)}}}}}\n"
        for chain in range(ARMS // 10) for link in range(10)
    ]  # fmt: skip
    return HEAD + "".join(arms) + "  sft_dpo: {from: sft, train: dpo}\n" + _claim("gain", "sft", "base")


def _claim(name: str, first: str, second: str, begins: bool = True) -> str:
    body = f"{{says: it helps, compare: [{first}, {second}], expect: greater, on: [coherent], isolates: [train]}}"
    return ("claims:\n" if begins else "") + f"  {name}: {body}\n"


if __name__ == "__main__":
    sys.exit(main())
