"""Several steps at once on this machine: seats are processes, each with its GPUs and a base model that stays in memory.

This process opens no CUDA: a seat is told its GPUs by CUDA_VISIBLE_DEVICES before it imports anything that would. A seat that
dies takes its lock and its draft with it, and the step is given to another; no seat outlives this process. A seat whose GPU
stopped working is ended, and its step tried on another GPU; one that two steps lost is left out from then on.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from compiler.plan import Plan, Step
from models.memory import GPU_SHARE
from stage1.attempt import DeviceLost, Result, WorkerDied, attempt
from stage1.companion import end_with_parent
from stage1.executors import CurveRow, MakeWorker, Reports
from stage1.executors.seats import Seats, uses_model
from stage1.gpus import SEAT_GPUS
from stage1.interruption import stopping_on_signals
from stage1.store import Store, open_store

_LOOK_EVERY = 0.5  # seconds
_PROGRESS_EVERY = 0.5
_PATIENCE = 10.0  # seconds that seats have to end themselves
_ENOUGH = 2  # steps that lost a GPU: one alone may have itself to blame


@dataclass(frozen=True, slots=True)
class _Seat:
    """One process, and the line to it."""

    process: BaseProcess
    line: Connection
    gpus: tuple[str, ...]
    for_model: bool


class ProcessExecutor:
    """Hands steps to free seats and opens one when none is free, as far as there is room."""

    def __init__(self, store: Store, make_worker: MakeWorker, seats: Seats, gpus: Sequence[str]) -> None:
        """`gpus`: how CUDA_VISIBLE_DEVICES names them; none: seats compute on the CPU."""
        self._store, self._make_worker, self._seats, self._gpus = store, make_worker, seats, tuple(gpus)
        self._threads = max(1, (os.cpu_count() or 1) // (seats.device + seats.pure))
        self._free: list[_Seat] = []
        self._at_work: dict[Connection, tuple[Step, _Seat]] = {}
        each = max(1, round(seats.gpus))
        shares = [self._gpus[start : start + each] for start in range(0, len(self._gpus) - each + 1, each)]
        self._shares = shares or [self._gpus]
        self._lost_by: dict[tuple[str, ...], set[str]] = {share: set() for share in self._shares}

    def start(self, plan: Plan, reports: Reports) -> None:
        """Keep the plan at hand; seats open when they are needed."""
        self._plan, self._reports = plan, reports

    def has_room_for(self, step: Step) -> bool:
        """Whether a seat of its kind is free, or may be opened."""
        return self._place(step) is not None

    def submit(self, step: Step) -> None:
        """Give the step to a seat."""
        place = self._place(step)
        if isinstance(place, _Seat):
            self._free.remove(place)
        seat = place if isinstance(place, _Seat) else self._open(place or (), for_model=self._kind(step))
        self._at_work[seat.line] = (step, seat)
        with contextlib.suppress(OSError):  # it died meanwhile, which `wait` finds out
            seat.line.send(step.id)

    def wait(self) -> Sequence[Result]:
        """What is done by now, or nothing after half a second; what steps told is passed on."""
        ready = wait(list(self._at_work), timeout=_LOOK_EVERY) if self._at_work else []
        return [result for line in ready if isinstance(line, Connection) and (result := self._hear(line)) is not None]

    def close(self) -> None:
        """End all seats, whatever they do."""
        seats = [*self._free, *(seat for _, seat in self._at_work.values())]
        self._free, self._at_work = [], {}
        _end(*seats)

    def _kind(self, step: Step) -> bool:
        return uses_model(step) or not self._seats.pure

    def _place(self, step: Step) -> _Seat | tuple[str, ...] | None:
        """A free seat, on the least busy GPUs; else the GPUs to open one on; None where there is no room."""
        kind = self._kind(step)
        most = self._seats.device if kind else self._seats.pure
        shares, each = (self._shares_for(step), ceil(most / len(self._shares))) if kind else ([()], most)
        busy = Counter(seat.gpus for _, seat in self._at_work.values() if seat.for_model == kind)
        open_ = busy + Counter(seat.gpus for seat in self._free if seat.for_model == kind)
        free = [seat for seat in self._free if seat.for_model == kind and seat.gpus in shares]
        if free:
            return min(free, key=lambda seat: busy[seat.gpus])
        room = [share for share in shares if open_[share] < each and open_.total() < most]
        return min(room, key=lambda share: open_[share], default=None)

    def _shares_for(self, step: Step) -> list[tuple[str, ...]]:
        """The GPUs that still work, but for those that the step has lost before, if there are others."""
        working = [share for share in self._shares if len(self._lost_by[share]) < _ENOUGH]
        return [share for share in working if step.id not in self._lost_by[share]] or working

    def _open(self, gpus: tuple[str, ...], *, for_model: bool) -> _Seat:
        environment = {"CUDA_VISIBLE_DEVICES": ",".join(gpus)} if self._gpus else {}
        if gpus:
            environment[SEAT_GPUS] = ",".join(gpus)
        if gpus and self._seats.gpus < 1:
            environment[GPU_SHARE] = str(self._seats.gpus)
        if "OMP_NUM_THREADS" not in os.environ:
            environment["OMP_NUM_THREADS"] = str(self._threads)
        spawn = multiprocessing.get_context("spawn")  # a fork would share whatever libraries have opened here
        ours, theirs = spawn.Pipe()
        store = (self._store.root.absolute(), self._store.url)
        told = (theirs, self._plan, store, self._make_worker, environment)
        process = spawn.Process(target=_sit, args=told, name="stage1-seat")
        process.start()
        theirs.close()  # else its end would not be heard
        return _Seat(process, ours, gpus, for_model)

    def _hear(self, line: Connection) -> Result | None:
        """All that a seat has to say; its result, if that was the last."""
        step, seat = self._at_work[line]
        try:
            while line.poll():
                what, details = line.recv()
                if what == "result":
                    del self._at_work[line]
                    if isinstance(details, DeviceLost):
                        return self._without(seat, step, details)
                    self._free.append(seat)
                    result: Result = details
                    return result
                getattr(self._reports, what)(step, *details)
        except (EOFError, OSError):
            del self._at_work[line]
            line.close()
            seat.process.join()
            return WorkerDied(step.id, f"its worker process {_manner(seat.process.exitcode)}")
        return None

    def _without(self, seat: _Seat, step: Step, lost: DeviceLost) -> Result:
        """End a seat whose GPU stopped working; the loss itself where no other is left to try."""
        _end(seat)
        named = f"GPU {','.join(seat.gpus)}"
        self._lost_by[seat.gpus].add(step.id)
        if len(self._lost_by[seat.gpus]) == _ENOUGH:
            self._reports.noted(step, f"{named} is left out from now on: {_ENOUGH} steps have lost it; see `stage1 doctor`")
        if not self._shares_for(step):
            return lost
        return WorkerDied(step.id, f"{named} stopped working: {lost.why[:200]}", lost.details)


def _end(*seats: _Seat) -> None:
    for seat in seats:
        seat.process.terminate()
    deadline = time.monotonic() + _PATIENCE
    for seat in seats:
        seat.process.join(max(0.0, deadline - time.monotonic()))
        seat.process.kill()
        seat.process.join()
        seat.line.close()


class _Told:
    """Reports of a seat, sent home; progress at most twice a second."""

    def __init__(self, home: Connection) -> None:
        self._home, self._lock, self._told = home, threading.Lock(), 0.0

    def started(self, step: Step) -> None:
        self.tell("started", ())

    def progress(self, step: Step, done: int, total: int) -> None:
        if time.monotonic() - self._told > _PROGRESS_EVERY:
            self._told = time.monotonic()
            self.tell("progress", (done, total))

    def curves(self, step: Step, rows: Sequence[CurveRow]) -> None:
        self.tell("curves", (list(rows),))

    def noted(self, step: Step, text: str) -> None:
        self.tell("noted", (text,))

    def tell(self, what: str, details: Any) -> None:
        with self._lock:
            self._home.send((what, details))


def _sit(
    home: Connection,
    plan: Plan,
    place: tuple[Path, str | None],
    make_worker: MakeWorker,
    environment: Mapping[str, str],
) -> None:
    """The life of a seat: one step after the other, until the line is closed or a signal comes."""
    os.environ.update(environment)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the process that opened it, which ends it
    end_with_parent()
    store, told = open_store(*place), _Told(home)
    worker = make_worker(told)
    with contextlib.suppress(EOFError, BrokenPipeError, KeyboardInterrupt), stopping_on_signals():
        while True:
            told.tell("result", attempt(plan.step(home.recv()), plan, store, worker, told.started))


def _manner(code: int | None) -> str:
    if code is not None and code < 0:
        return f"was killed ({signal.Signals(-code).name})"
    return f"ended by itself (exit code {code})"
