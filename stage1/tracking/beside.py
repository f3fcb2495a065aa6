"""The tracker in a process of its own, so that no step waits for it: to import MLflow alone takes seconds.

What is observed goes there in order, and what there is to say comes back. The process dies with this one, however this one
dies, and is waited for at the end only; without it a run has the same results.
"""

from __future__ import annotations

import atexit
import contextlib
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from compiler.addresses import without_secrets
from compiler.plan import Plan, Step
from evaluators.results import Analysis
from stage1.companion import end_with_parent
from stage1.executors import CurveRow
from stage1.failures import one_line
from stage1.runner import Outcome
from stage1.store import Artifact, Store, open_store
from stage1.tracking.place import signed_in
from stage1.tracking.recorded import Recorded
from stage1.tracking.summary_run import ANSWERS, CHARTS, page_of
from stage1.tracking.tracker import MlflowTracker

_START: Any = "fork" if sys.platform == "linux" else "spawn"  # a fork has imported already what both need
_PATIENCE = 15.0  # seconds that an interrupted run waits for a tracking store


class TrackerBeside:
    """An observer of the runner that passes on what a tracker wants to know."""

    def __init__(
        self, plan: Plan, store: Store, uri: str, state_file: Path, warn: Callable[[str], None], *, on_this_machine: bool
    ) -> None:
        """As `MlflowTracker`. Made before there are threads or devices that a fork would share."""
        self.uri = uri
        self._state_file = state_file
        self._warn = warn
        self._told: SimpleQueue[tuple[str, tuple[Any, ...]]] = SimpleQueue()
        start = multiprocessing.get_context(_START)
        theirs, ours = start.Pipe(duplex=False)
        self._says, say = start.Pipe(duplex=False)
        make = partial(MlflowTracker, plan, state_file=state_file, on_this_machine=on_this_machine)
        record = (theirs, say, store.root.absolute(), store.url, uri, make)
        self._process = start.Process(target=_record, args=record, name="stage1-tracker", daemon=True)
        self._process.start()
        atexit.register(self._process.kill)  # of a run that ended by an error: it heeds no gentler signal
        theirs.close()
        say.close()  # else its end would not be heard
        threading.Thread(target=self._send, args=(ours,), daemon=True).start()

    def run_started(self, plan: Plan, to_do: Sequence[Step]) -> None:
        """There will be something to record."""
        if to_do:
            self._tell("expect_work")

    def step_started(self, step: Step) -> None:
        """Training opens a run."""
        self._tell("step_started", step.id)

    def step_progress(self, step: Step, done: int, total: int) -> None:
        """Curves say more."""

    def step_curves(self, step: Step, rows: Sequence[CurveRow]) -> None:
        """Live curves."""
        self._tell("step_curves", step.id, list(rows))

    def step_finished(self, step: Step, artifact: Artifact, seconds: float) -> None:
        """Training is over."""
        self._tell("step_finished", step.id)

    def step_found(self, step: Step) -> None:
        """Another run made it."""

    def step_noted(self, step: Step, text: str) -> None:
        """For people at the console."""

    def step_waits(self, step: Step, why: str) -> None:
        """Nothing to record yet."""

    def step_failed(self, step: Step, why: str, log: Path) -> None:
        """A run has failed."""
        self._tell("step_failed", step.id, why)

    def artifact_damaged(self, step: Step, what: str, aside: Path | None) -> None:
        """A matter of the store, not of tracking."""

    def arm_ready(self, arm: str, seed: int | None) -> None:
        """A run is complete."""
        self._tell("arm_ready", arm, seed)

    def run_finished(self, outcome: Outcome) -> None:
        """What was missed has another chance."""
        self._tell("catch_up")

    def summarize(self, analysis: Analysis, page: Path) -> None:
        """The verdicts and the report."""
        self._tell("summarize", analysis, page)

    def close(self) -> None:
        """Wait until all is recorded, or known to be missing."""
        self._tell("close")
        self._hear(until_it_ends=None)

    def interrupted(self) -> None:
        """Open runs are marked KILLED, if that is done soon."""
        self._tell("interrupted")
        self._hear(until_it_ends=_PATIENCE)
        self._process.kill()

    def links(self) -> dict[str, str]:
        """The pages on which the arms of this plan, and their answers, can be compared, once something was recorded."""
        experiment = Recorded.read(self._state_file, self.uri).experiment
        if experiment is None:
            return {}
        base = without_secrets(self.uri) if self.uri.startswith("http") else "http://127.0.0.1:5000"
        return {"compare": page_of(base, experiment, CHARTS), "answers": page_of(base, experiment, ANSWERS)}

    def _tell(self, what: str, *details: Any) -> None:
        self._told.put((what, details))
        while self._says.poll():
            if not self._pass_on():
                break

    def _send(self, line: Connection) -> None:
        """In a thread: a tracking store that is slow to answer must not hold a step up when the pipe is full."""
        with contextlib.suppress(OSError):  # it has gone, which `close` tells
            while True:
                line.send(self._told.get())

    def _hear(self, *, until_it_ends: float | None) -> None:
        """Pass on what it says until its end; at most for that many seconds between two things said."""
        while self._says.poll(until_it_ends):
            if not self._pass_on():
                self._process.join()
                if self._process.exitcode:
                    self._warn("tracking: its process ended before all was recorded; the same command adds what is missing")
                return

    def _pass_on(self) -> bool:
        try:
            self._warn(self._says.recv())
        except EOFError:
            return False
        return True


def _record(
    told: Connection, say: Connection, root: Path, url: str | None, uri: str, make: Callable[..., MlflowTracker]
) -> None:
    """The life of the tracker: one message after the other until the run is over."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # they are meant for the run, which tells what becomes of it
    end_with_parent()
    what = ""
    try:
        tracker = make(store=open_store(root, url), uri=signed_in(uri, os.environ), warn=say.send)
        while what not in ("close", "interrupted"):
            what, details = told.recv()
            getattr(tracker, what)(*details)
    except Exception as error:  # of a library that is not whole, for one: results do not depend on it
        say.send(f"tracking: {one_line(error)}")
        sys.exit(1)
