"""How many processors seats on this machine share."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from toy import DIAMOND, MakeToyWorker, make_plan

from stage1.commands import run as run_command
from stage1.executors.processes import ProcessExecutor
from stage1.executors.seats import Seats, processors
from stage1.store import Store


@pytest.fixture
def one_processor(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine of 64, of which this process may use one, as a scheduler or a container has it."""
    if not hasattr(os, "sched_getaffinity"):
        pytest.skip("this system does not say")
    allowed = os.sched_getaffinity(0)
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    os.sched_setaffinity(0, {min(allowed)})
    yield
    os.sched_setaffinity(0, allowed)


@pytest.mark.usefixtures("one_processor")
def test_seats_are_sized_by_the_processors_that_may_be_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not by those that the machine has: neither how many seats there are, nor how many threads each has."""
    asked: list[Any] = []

    def seats_here(*given: Any) -> Seats:
        asked.append(given)
        return Seats(device=2, gpus=0, memory=0, pure=0)

    monkeypatch.setattr(run_command, "seats_here", seats_here)
    make_worker = MakeToyWorker(tmp_path)

    executor = run_command.executor_here(make_plan(DIAMOND), Store(tmp_path), make_worker, None)

    assert asked[0][2] == 1
    assert isinstance(executor, ProcessExecutor)
    assert executor._threads == 1


def test_where_the_system_does_not_say_all_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """On macOS there is no telling."""
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 12)

    assert processors() == 12
