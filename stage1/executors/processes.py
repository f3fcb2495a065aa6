"""Several steps at once on this machine: seats are processes, each with its GPUs and a base model that stays in memory.

This process opens no CUDA: a seat is told its GPUs by CUDA_VISIBLE_DEVICES before it imports anything that would. A seat that
dies takes its lock and its draft with it, and the step is given to another; no seat outlives this process. A seat whose GPU
stopped working is ended, and its step tried on another GPU; one that two steps lost is left out from then on.

Every GPU gets a seat as soon as there is work for it, and a further one is opened where waiting takes longer (`opening`).
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
from types import FrameType
from typing import Any

from compiler.plan import Plan, Step
from models.memory import GPU_SHARE
from stage1.attempt import DeviceLost, Made, Result, Worker, WorkerDied, attempt
from stage1.companion import end_with_parent
from stage1.executors import CurveRow, MakeWorker, Reports
from stage1.executors.opening import Busy, Opening
from stage1.executors.seats import Seats, processors, uses_model
from stage1.gpus import SEAT_GPUS
from stage1.interruption import Interrupted
from stage1.store import Store, open_store

_LOOK_EVERY = 0.5  # seconds
_PROGRESS_EVERY = 0.5
_PATIENCE = 10.0  # seconds that seats have to end themselves
_PATIENCE_TO_SEND = 120.0  # where they may have the newest state of a training to send first
_ENOUGH = 2  # steps that lost a GPU: one alone may have itself to blame


@dataclass(slots=True, eq=False)
class _Seat:
    """One process, and the line to it."""

    process: BaseProcess
    line: Connection
    gpus: tuple[str, ...]
    for_model: bool
    since: float
    """When it was started; once it is open, when it was last given a step."""
    open: bool = False

    @property
    def seconds(self) -> float:
        """Since then."""
        return time.monotonic() - self.since


_Place = _Seat | tuple[str, ...]
"""A seat that is there, or the GPUs to open one on."""


class ProcessExecutor:
    """Hands steps to free seats, and opens seats as far as there is room and it pays."""

    def __init__(
        self, store: Store, make_worker: MakeWorker, seats: Seats, gpus: Sequence[str], opening: Opening | None = None
    ) -> None:
        """Open nothing yet.

        Args:
            store: where steps find and leave artifacts.
            make_worker: what knows how to make them.
            seats: how many, and what they need.
            gpus: how CUDA_VISIBLE_DEVICES names them; none: seats compute on the CPU.
            opening: when a further seat pays.
        """
        self._store, self._make_worker, self._seats, self._gpus = store, make_worker, seats, tuple(gpus)
        self._threads = max(1, processors() // (seats.device + seats.pure))
        self._opening = opening or Opening()
        self._free: list[_Seat] = []
        """Without a step, open or not yet."""
        self._at_work: dict[Connection, tuple[Step, _Seat]] = {}
        self._chosen: dict[str, _Place] = {}
        """Step -> where there is room for it."""
        self._refused: list[Step] = []
        """Steps that wait for a seat, since results were last asked for."""
        each = max(1, round(seats.gpus))
        shares = [self._gpus[start : start + each] for start in range(0, len(self._gpus) - each + 1, each)]
        self._shares = shares or [self._gpus]
        self._lost_by: dict[tuple[str, ...], set[str]] = {share: set() for share in self._shares}

    def start(self, plan: Plan, to_do: Sequence[Step], reports: Reports) -> None:
        """Keep the plan at hand; the first seats open with the first steps."""
        self._plan, self._reports = plan, reports
        self._to_come = {step.id for step in to_do if self._kind(step)}  # those that will ask for a model

    def has_room_for(self, step: Step) -> bool:
        """Whether a seat of its kind is free, or worth opening; else the step is taken to wait for one."""
        place = self._place(step)
        if place is None:
            self._refused.append(step)
            return False
        self._chosen[step.id] = place
        return True

    def submit(self, step: Step) -> None:
        """Give the step to the seat that was found for it."""
        place, kind = self._chosen.pop(step.id), self._kind(step)
        if isinstance(place, _Seat):
            self._free.remove(place)
        seat = place if isinstance(place, _Seat) else self._open(place, for_model=kind)
        self._at_work[seat.line] = (step, seat)
        if seat.open:
            seat.since = time.monotonic()
        self._tell(seat, "make", step)
        if kind:
            self._to_come.discard(step.id)  # it may be given more than once
            self._open_elsewhere(step)

    def wait(self) -> Sequence[Result]:
        """What is done by now, or nothing after half a second; what steps told is passed on."""
        self._refused, self._chosen = [], {}
        lines = [*self._at_work, *(seat.line for seat in self._free)]
        ready = wait(lines, timeout=_LOOK_EVERY if self._at_work else 0)
        return [result for line in ready if isinstance(line, Connection) and (result := self._hear(line)) is not None]

    def close(self) -> None:
        """End all seats, whatever they do; those at work may send their newest state first, if the store is at a URL."""
        at_work = list(self._at_work.values())
        seats = [*self._free, *(seat for _, seat in at_work)]
        self._free, self._at_work = [], {}
        try:
            _ask_to_end(seats)
            sending = [step for step, seat in at_work if seat.process.is_alive()] if self._store.url else []
            for step in sending:
                self._reports.noted(
                    step,
                    f"may still be sending its newest state: has up to {_PATIENCE_TO_SEND:.0f} s, unless interrupted again",
                )
            if sending:
                _wait_for_end(seats, _PATIENCE_TO_SEND - _PATIENCE)
        finally:
            _kill(seats)

    def _kind(self, step: Step) -> bool:
        return uses_model(step) or not self._seats.pure

    def _place(self, step: Step) -> _Place | None:
        """A free seat, on the least busy GPUs; else the GPUs to open one on; None where a step has to wait."""
        kind = self._kind(step)
        most = self._seats.device if kind else self._seats.pure
        shares, each = (self._shares_for(step), ceil(most / len(self._shares))) if kind else ([()], most)
        at_work = Counter(seat.gpus for _, seat in self._at_work.values() if seat.for_model == kind)
        there = at_work + Counter(seat.gpus for seat in self._free if seat.for_model == kind)
        free = [seat for seat in self._free if seat.for_model == kind and seat.gpus in shares]
        if ready := [seat for seat in free if seat.open]:
            return min(ready, key=lambda seat: at_work[seat.gpus])
        wait = self._opening.until_free(
            kind, self._busy(kind, shares), [one for one in self._refused if self._kind(one) == kind]
        )
        if free:
            soonest = min(free, key=lambda seat: seat.since)
            return soonest if self._opening.left(kind, soonest.seconds) <= wait else None
        room = [share for share in shares if there[share] < each and there.total() < most]
        best = min(room, key=lambda share: there[share], default=None)
        return best if best is not None and (not there[best] or self._opening.pays(kind, wait)) else None

    def _busy(self, kind: bool, shares: Sequence[tuple[str, ...]]) -> list[Busy]:
        return [
            Busy(step, seat.seconds, opening=not seat.open)
            for step, seat in self._at_work.values()
            if seat.for_model == kind and seat.gpus in shares
        ]

    def _shares_for(self, step: Step) -> list[tuple[str, ...]]:
        """The GPUs that still work, but for those that the step has lost before, if there are others."""
        working = [share for share in self._shares if len(self._lost_by[share]) < _ENOUGH]
        return [share for share in working if step.id not in self._lost_by[share]] or working

    def _open_elsewhere(self, step: Step) -> None:
        """A GPU without a seat has nothing better to do than to load the model that steps to come will ask for."""
        seats = [*self._free, *(seat for _, seat in self._at_work.values())]
        taken = [seat.gpus for seat in seats if seat.for_model]
        idle = sum(seat.for_model for seat in self._free)
        for share in self._shares_for(step):
            if share not in taken and len(taken) < self._seats.device and idle < len(self._to_come):
                seat = self._open(share, for_model=True)
                self._tell(seat, "prepare", step)
                self._free.append(seat)
                taken.append(share)
                idle += 1

    def _tell(self, seat: _Seat, what: str, step: Step) -> None:
        with contextlib.suppress(OSError):  # it died meanwhile, which `wait` finds out
            seat.line.send((what, step.id))

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
        return _Seat(process, ours, gpus, for_model, since=time.monotonic())

    def _hear(self, line: Connection) -> Result | None:
        """All that a seat has to say; its result, if that was the last."""
        step, seat = self._at_work.get(line) or (None, next(seat for seat in self._free if seat.line is line))
        while True:
            try:
                if not line.poll():
                    return None
                what, details = line.recv()
            except (EOFError, OSError):
                return self._dead(seat, step)
            if what == "opened":
                self._opened(seat, *details)
            elif step is None:
                raise ValueError(f"a seat without a step told: {what}")
            elif what == "result":
                return self._settle(seat, step, details)
            else:
                getattr(self._reports, what)(step, *details)

    def _opened(self, seat: _Seat, with_model: bool) -> None:
        """If all that a seat of its kind loads was loaded, something was learned."""
        if with_model == seat.for_model:
            self._opening.opened(seat.for_model, seat.seconds)
        seat.open, seat.since = True, time.monotonic()

    def _settle(self, seat: _Seat, step: Step, result: Result) -> Result:
        """The seat is free again, unless it has lost its GPU."""
        del self._at_work[seat.line]
        if isinstance(result, DeviceLost):
            return self._without(seat, step, result)
        self._free.append(seat)
        if isinstance(result, Made):
            self._opening.finished(step, result.seconds)
        return result

    def _dead(self, seat: _Seat, step: Step | None) -> Result | None:
        """What that means for the step, if the seat had one."""
        seat.line.close()
        seat.process.join(_PATIENCE)
        seat.process.kill()  # one that lives on without a line is of no use
        seat.process.join()
        if step is None:
            self._free.remove(seat)
            return None
        del self._at_work[seat.line]
        return WorkerDied(step.id, f"its worker process {_manner(seat.process.exitcode)}")

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


def _end(seat: _Seat) -> None:
    try:
        _ask_to_end([seat])
    finally:
        _kill([seat])


def _ask_to_end(seats: Sequence[_Seat]) -> None:
    for seat in seats:
        seat.process.terminate()
    _wait_for_end(seats, _PATIENCE)


def _wait_for_end(seats: Sequence[_Seat], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    for seat in seats:
        seat.process.join(max(0.0, deadline - time.monotonic()))


def _kill(seats: Sequence[_Seat]) -> None:
    for seat in seats:
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
    opened = False
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # as under nohup
            signal.signal(number, _stop_once)
    with contextlib.suppress(EOFError, BrokenPipeError, KeyboardInterrupt):
        while True:
            what, step_id = home.recv()
            step = plan.step(step_id)
            if not opened:
                told.tell("opened", (_prepared(worker, step),))
                opened = True
            if what == "make":
                told.tell("result", attempt(step, plan, store, worker, told.started))


def _stop_once(number: int, frame: FrameType | None) -> None:
    """A scheduler may tell all processes of a job, and the one that opened this one does: what is being sent goes on."""
    for each in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, signal.SIG_IGN)
    raise Interrupted(number)


def _prepared(worker: Worker, step: Step) -> bool:
    """Whether a model was loaded. What goes wrong is passed over: the step will find it, too, and say so."""
    try:
        worker.prepare(step)
    except Exception:
        return False
    return uses_model(step)


def _manner(code: int | None) -> str:
    if code is not None and code < 0:
        return f"was killed ({signal.Signals(-code).name})"
    return f"ended by itself (exit code {code})"
