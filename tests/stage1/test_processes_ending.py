"""How seats on this machine end when a run is interrupted while they have something to send."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
from toy import MakeToyWorker, Recorder, ToyWorker, make_plan

from compiler.plan import Step
from stage1.executors import Reports, processes
from stage1.executors.processes import ProcessExecutor
from stage1.executors.seats import Seats
from stage1.runner import Runner
from stage1.store import Artifact, Draft, open_store


@dataclass(frozen=True)
class MakeSender(MakeToyWorker):
    """When it is interrupted it takes three seconds to send what it has; then there is a file `sent`."""

    def __call__(self, reports: Reports) -> ToyWorker:
        """The worker of one seat."""
        told = self

        class Worker(ToyWorker):
            def work(self, step: Step, inputs: Mapping[str, Artifact], draft: Draft) -> None:
                told.note(step.id)
                try:
                    reports.progress(step, 1, 2)
                    time.sleep(60.0)
                except KeyboardInterrupt:
                    time.sleep(3.0)
                    (told.notes / "sent").touch()
                    raise

        return Worker()


class Interrupts(Recorder):
    """Ctrl-C as soon as the step is at work, and again at an event; perhaps somebody has told the seat as well."""

    def __init__(self, workers: MakeSender, again_at: str = "", *, seats_too: bool = False) -> None:
        super().__init__()
        self._workers, self._again_at, self._seats_too = workers, again_at, seats_too
        self.told = 0.0

    def step_progress(self, *_: Any) -> None:
        """The first time."""
        if self._seats_too:
            os.kill(int(self._workers.noted(0, "a")[0]), signal.SIGTERM)
            time.sleep(0.5)
        raise KeyboardInterrupt

    def step_noted(self, *details: Any) -> None:
        """Perhaps the second time."""
        self.events.append(("step_noted", *details))
        self.told = time.monotonic()
        if self._again_at == "step_noted":
            raise KeyboardInterrupt


def interrupted(root: Path, url: str | None, workers: MakeSender, observer: Interrupts) -> None:
    """Run one step until somebody has had enough; no seat may be left then."""
    workers.notes.mkdir()
    store = open_store(root, url)
    executor = ProcessExecutor(store, workers, Seats(device=1, gpus=0, memory=0, pure=0), ())
    with pytest.raises(KeyboardInterrupt):
        Runner(make_plan({"a": []}), store, executor, [observer], root / "logs").run()
    assert not any(map(psutil.pid_exists, map(int, workers.noted(0, "a"))))


@pytest.mark.parametrize("seats_too", [False, True])
def test_a_seat_may_send_its_newest_state_before_it_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seats_too: bool
) -> None:
    """Where the store is at a URL that may take longer than ending does, and a line says so.

    A scheduler that tells all processes of a job tells a seat before its run does: it ends no sooner for being told twice.
    """
    monkeypatch.setattr(processes, "_PATIENCE", 1.0)
    workers = MakeSender(tmp_path / "notes")
    observer = Interrupts(workers, seats_too=seats_too)

    interrupted(tmp_path / "store", f"file://{tmp_path}/shared", workers, observer)

    assert (workers.notes / "sent").exists()
    assert ["up to 120 s" in noted[2] for noted in observer.named("step_noted")] == [True]


def test_a_second_interruption_ends_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is still being sent."""
    monkeypatch.setattr(processes, "_PATIENCE", 1.0)
    workers = MakeSender(tmp_path / "notes")
    observer = Interrupts(workers, again_at="step_noted")

    interrupted(tmp_path / "store", f"file://{tmp_path}/shared", workers, observer)

    assert time.monotonic() - observer.told < 1.5
    assert not (workers.notes / "sent").exists()


def test_where_nothing_is_sent_a_seat_that_does_not_end_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that is a folder has what there is."""
    monkeypatch.setattr(processes, "_PATIENCE", 1.0)
    workers = MakeSender(tmp_path / "notes")
    observer = Interrupts(workers)

    interrupted(tmp_path / "store", None, workers, observer)

    assert not (workers.notes / "sent").exists()
    assert observer.named("step_noted") == []
