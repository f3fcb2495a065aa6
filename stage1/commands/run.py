"""`stage1 run`: compile, carry out, record, report."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from compiler import Compilation
from compiler.addresses import without_secrets
from compiler.language.spec import Runtime
from compiler.plan import Plan, Step
from compiler.render import to_json
from stage1.attempt import Worker
from stage1.commands.compiling import CannotRead, compiled_or_planned, print_briefly
from stage1.commands.report import render
from stage1.commands.summary import print_summary
from stage1.console import ConsoleObserver
from stage1.executors import Executor, ExecutorError, MakeWorker, Reports
from stage1.executors.local import LocalExecutor
from stage1.executors.processes import ProcessExecutor
from stage1.executors.seats import processors, seats_here
from stage1.failures import one_line, reason_to_stop
from stage1.gpus import visible_gpus
from stage1.interruption import exit_code, stopping_on_signals, what_stopped
from stage1.json_log import JsonObserver, stderr_as_events
from stage1.own_criteria import faulty_criteria
from stage1.report.kept import set_aside_reports_of_others
from stage1.runner import Outcome, Runner, select, set_aside_if_damaged
from stage1.secrets import masked
from stage1.steps.worker import StepWorker
from stage1.store import DamagedArtifact, Store, open_store
from stage1.tracking import TrackerBeside
from stage1.tracking.place import tracking_uri
from stage1.world import DiskWorld

_REPAIRS = 3  # how often the artifacts that the report reads may turn out damaged before the run gives up


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How a spec is carried out; none of it changes a result."""

    store_root: Path = Path("runs")
    only: Sequence[str] = ()
    fail_fast: bool = False
    log_format: str = "text"
    executor: str = "local"
    address: str | None = None
    """Of a Ray cluster."""
    workers: int | None = None
    """Processes that carry out steps at once on this machine; None: as its GPUs have room for them."""
    url: str | None = None
    """Where artifacts are shared, if not in `store_root` alone."""


def run_spec(spec: Path, overrides: Sequence[str], options: RunOptions) -> int:
    """Carry out a spec, or a plan written earlier; the exit code of the command line contract.

    Raises:
        StoreUnreachable: nothing here speaks the protocol of the store's URL.
    """
    if options.log_format == "json":
        with stderr_as_events() as events:
            return _run_spec(spec, overrides, options, events)
    return _run_spec(spec, overrides, options, ConsoleObserver(Console(stderr=True)))


def _run_spec(spec: Path, overrides: Sequence[str], options: RunOptions, console: ConsoleObserver | JsonObserver) -> int:
    try:
        compilation = compiled_or_planned(spec, overrides, options.store_root)
    except CannotRead as problem:
        print(problem, file=sys.stderr)
        return 2
    if isinstance(console, JsonObserver):
        _tell_diagnostics(compilation, console)
    else:
        print_briefly(compilation, spec)
    if compilation.plan is None:
        return 1
    unknown = sorted(set(options.only) - {entry.arm for entry in compilation.plan.arms})
    if unknown:
        names = ", ".join(dict.fromkeys(entry.arm for entry in compilation.plan.arms))
        print(f"error: --only {unknown[0]}: there is no such arm; the arms are {names}", file=sys.stderr)
        return 2
    store = open_store(options.store_root, options.url)
    return _ending_well(compilation.plan, store, _tracking(compilation), options, console)


def _tracking(compilation: Compilation) -> str:
    """Where to record; by the spec where there is one, since passwords are left out of plans."""
    planned = (compilation.plan.spec.get("tracking") or {}).get("uri") if compilation.plan else None
    return tracking_uri(compilation.spec.tracking.uri if compilation.spec else planned)


def _tell_diagnostics(compilation: Compilation, console: JsonObserver) -> None:
    for diagnostic in to_json(compilation.diagnostics):
        console.say("diagnostic", **diagnostic)
    for note in compilation.notes:
        console.say("note", text=note)


def _ending_well(plan: Plan, store: Store, tracking: str, options: RunOptions, console: ConsoleObserver | JsonObserver) -> int:
    """Every way of ending comes with one clear line and its exit code."""
    try:
        with stopping_on_signals():
            if faulty := _faulty_criteria(plan, store, options.only):
                print("\n".join((*faulty, "nothing was run")), file=sys.stderr)
                return 1
            return _Run(plan, store, tracking, options, console).carry_out()
    except KeyboardInterrupt as stop:
        console.ended(what_stopped(stop), "what was complete is kept, the same command goes on from there")
        return exit_code(stop)
    except ExecutorError as problem:
        console.ended(f"error: {problem}", "what was complete is kept")
        return 2
    except OSError as error:
        where = f": {error.filename}" if error.filename else ""
        why = reason_to_stop(error, options.store_root) or f"{error.strerror or one_line(error)}{where}"
        console.ended(f"error: {why}", "what was complete is kept")
        return 3


def _faulty_criteria(plan: Plan, store: Store, only: Sequence[str]) -> list[str]:
    """Of one's own criteria those that would fail every score, found before anything is trained for these scores."""
    known = store.known()
    to_do = [step for step in select(plan, only) if step.fingerprint not in known]
    return [masked(f"error: {line}") for line in faulty_criteria(to_do, DiskWorld().read_text)]


class _Run:
    """One execution of a plan: its folder, its tracker, its executor."""

    def __init__(
        self, plan: Plan, store: Store, tracking: str, options: RunOptions, console: ConsoleObserver | JsonObserver
    ) -> None:
        self._plan, self._store, self._options, self._console = plan, store, options, console
        self._folder = store.keep_plan(plan.experiment, plan.model_dump(mode="json"))
        set_aside_reports_of_others(self._folder, plan.fingerprint)  # this plan may fail, and has no report then
        self._tracker = TrackerBeside(
            plan,
            self._store,
            tracking,
            self._folder / "tracking.json",
            console.warned,
            on_this_machine=options.executor == "local",
        )

    def carry_out(self) -> int:
        """Run, write the report, and make again what the report finds damaged."""
        self._send_what_is_only_here()
        try:
            for repairs_left in reversed(range(_REPAIRS)):
                outcome = self._steps()
                if self._options.only or not outcome.ok:
                    break
                try:
                    self._conclude()
                    break
                except DamagedArtifact as damage:
                    if not repairs_left:
                        raise OSError(f"artifacts are damaged again and again: {damage}") from None
                    self._set_aside_all_damaged()
        except BaseException:  # whatever it is: the tracker's process is not left waiting
            self._tracker.interrupted()
            raise
        self._tracker.close()
        self._link()
        return 0 if outcome.ok else 3

    def _steps(self) -> Outcome:
        runner = Runner(
            self._plan, self._store, self._executor(), [self._console, self._tracker], self._folder / "logs",
            fail_fast=self._options.fail_fast,
        )  # fmt: skip
        try:
            return runner.run(self._options.only)
        finally:
            self._console.close()

    def _executor(self) -> Executor:
        make_worker = _WorkerMaker(Runtime.model_validate(self._plan.spec["runtime"]))
        if self._options.executor == "ray":
            from stage1.executors.on_ray import ray_executor  # imports ray

            return ray_executor(self._plan, self._store, make_worker, self._options.address)
        return executor_here(self._plan, self._store, make_worker, self._options.workers)

    def _conclude(self) -> None:
        data, page = render(self._plan, self._store, self._folder)
        print_summary(data.analysis)
        print(f"\nreport   {page}")
        self._tracker.summarize(data.analysis, page)

    def _send_what_is_only_here(self) -> None:
        """Made before the store was at a URL, or never arrived there: whoever carries out this plan is to find it."""
        only_here = self._store.only_here()
        for step in self._plan.steps:
            if step.fingerprint in only_here:
                try:
                    self._store.publish(step.fingerprint)
                except DamagedArtifact as damage:  # has been moved aside, and is made again
                    self._console.artifact_damaged(step, str(damage), None)

    def _set_aside_all_damaged(self) -> None:
        for step in self._plan.steps:
            try:
                self._store.open(step.fingerprint)
            except DamagedArtifact as damage:
                self._console.artifact_damaged(step, str(damage), set_aside_if_damaged(self._store, step.fingerprint))
            except KeyError:
                continue

    def _link(self) -> None:
        links = self._tracker.links()
        if links and not self._tracker.uri.startswith("http"):
            print("ui       uv run stage1 ui   or")
            print(f"         uv run mlflow ui --backend-store-uri {without_secrets(self._tracker.uri)}   and open")
        for what, link in links.items():
            print(f"{what}  {masked(link)}")


def executor_here(plan: Plan, store: Store, make_worker: MakeWorker, workers: int | None) -> Executor:
    """This process alone, or seats on this machine's GPUs, or as many as were asked for."""
    gpus = visible_gpus()
    seats = seats_here(plan, gpus, processors(), workers, DiskWorld())
    if seats.device == 1 and not seats.pure:
        return LocalExecutor(store, make_worker)
    return ProcessExecutor(store, make_worker, seats, [gpu.id for gpu in gpus])


@dataclass(frozen=True, slots=True)
class _WorkerMaker:
    """Makes the worker that knows all kinds of steps; travels to other machines."""

    runtime: Runtime

    def __call__(self, reports: Reports) -> Worker:
        return StepWorker(
            DiskWorld().read_text,
            reports.progress,
            lambda step: _live_curves(reports, step),
            reports.noted,
            self.runtime,
        )


def _live_curves(reports: Reports, step: Step) -> list[Any]:
    from stage1.live_curves import LiveCurves  # imports lightning

    return [LiveCurves(lambda rows: reports.curves(step, rows))]
