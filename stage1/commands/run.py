"""`stage1 run`: compile, carry out, record, report."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from rich.console import Console

from compiler.plan import Plan
from stage1.commands.compiling import CannotRead, compiled_or_planned, print_briefly
from stage1.commands.report import render
from stage1.commands.summary import print_summary
from stage1.console import ConsoleObserver
from stage1.runner import Outcome, Runner
from stage1.steps.worker import StepWorker
from stage1.store import Store, write_json
from stage1.tracking import MlflowTracker
from stage1.world import DiskWorld


def run_spec(spec: Path, overrides: Sequence[str], *, only: Sequence[str], store_root: Path) -> int:
    """Carry out a spec, or a plan written earlier; the exit code of the command line contract."""
    try:
        compilation = compiled_or_planned(spec, overrides)
    except CannotRead as problem:
        print(problem, file=sys.stderr)
        return 2
    print_briefly(compilation, spec)
    if compilation.plan is None:
        return 1
    plan = compilation.plan
    unknown = sorted(set(only) - {entry.arm for entry in plan.arms})
    if unknown:
        names = ", ".join(dict.fromkeys(entry.arm for entry in plan.arms))
        print(f"error: --only {unknown[0]}: there is no such arm; the arms are {names}", file=sys.stderr)
        return 2
    try:
        return _carry_out(plan, store_root, only)
    except OSError as error:
        print(f"error: {error.strerror or error}: {error.filename or store_root}; what was complete is kept", file=sys.stderr)
        return 3


def _carry_out(plan: Plan, root: Path, only: Sequence[str]) -> int:
    signal.signal(signal.SIGTERM, _stop)
    store, folder = Store(root), root / plan.experiment
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / "plan.json", plan.model_dump(mode="json"))
    console = ConsoleObserver(Console(stderr=True))
    tracker = MlflowTracker(tracking_uri(plan), store, folder / "tracking.json", warn=console.say)
    worker = StepWorker(
        DiskWorld().read_text,
        console.step_progress,
        tracker.curve_loggers,
        generation_batch_size=plan.spec["runtime"]["generation_batch_size"],
    )
    try:
        outcome = Runner(plan, store, worker, [console, tracker], folder / "logs").run(only)
    finally:
        console.close()
    return _conclude(plan, store, folder, outcome, tracker, complete=not only)


def _conclude(plan: Plan, store: Store, folder: Path, outcome: Outcome, tracker: MlflowTracker, *, complete: bool) -> int:
    if complete and outcome.ok:
        data, page = render(plan, store, folder)
        print_summary(data.analysis)
        print(f"\nreport   {page}")
    link = tracker.link()
    if link and not tracker.uri.startswith("http"):
        print(f"compare  uv run mlflow ui --backend-store-uri {tracker.uri}   then open")
    if link:
        print(f"         {link}")
    return 0 if outcome.ok else 3


def tracking_uri(plan: Plan) -> str:
    """Where runs are recorded: the spec's `tracking.uri`, else MLFLOW_TRACKING_URI, else `mlflow.db` in this folder."""
    chosen = (plan.spec.get("tracking") or {}).get("uri") or os.environ.get("MLFLOW_TRACKING_URI")
    return str(chosen) if chosen else f"sqlite:///{Path('mlflow.db').absolute()}"


def _stop(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
