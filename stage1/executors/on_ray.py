"""The same plan on a Ray cluster: seats are actors, so that a base model stays in memory from step to step.

Artifacts go through the store, on a path that all nodes share or at a URL. A worker that dies takes its lock and its draft with
it: the step is given to another. What steps tell (progress, curves) comes back through one mailbox, and this process alone
talks to MLflow.

A seat is given steps once it has answered; one that Ray has not placed yet may never be, where a node is gone. A seat whose GPU
stopped working is replaced, and its step tried on another GPU if there is one. Ray may give the new seat the same GPU: one that
two steps have lost is held by a seat that is given no more steps, so that nobody gets it.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("RAY_ENABLE_UV_RUN_RUNTIME_ENV", "0")  # else `uv run` makes Ray pack and send the whole checkout
if os.environ.get("RAY_AUTH_TOKEN") or (Path.home() / ".ray" / "auth_token").is_file():
    os.environ.setdefault("RAY_AUTH_MODE", "token")  # Ray looks for the token everywhere but behind a ray:// address
import ray
from ray.exceptions import RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from compiler.plan import Plan, Step
from stage1.attempt import DeviceLost, Result, WorkerDied
from stage1.executors import Executor, ExecutorError, MakeWorker, Reports
from stage1.executors.ray_seat import Mailbox, Place, Seat
from stage1.executors.seats import Seats, seats_for, uses_model
from stage1.failures import one_line
from stage1.store import Store
from stage1.world import DiskWorld

_LOOK_EVERY = 0.5  # seconds between looks into the mailbox
_MAIL_WITHIN = 10.0  # seconds in which the mailbox hands over, unless its node is busy
_PATIENCE = 300.0  # seconds for a seat to open where there is none
_ATTEMPTS = 3  # how often a seat may die while it opens
_ENOUGH = 2  # steps that lost a GPU: one alone may have itself to blame


def ray_executor(plan: Plan, store: Store, make_worker: MakeWorker, address: str | None) -> Executor:
    """Connect to a cluster (or start one on this machine) and size it for a plan.

    Raises:
        ExecutorError: there is no cluster at that address.
    """
    connect(address)
    return RayExecutor(store, make_worker, seats_for(plan, ray.cluster_resources(), DiskWorld()))


def connect(address: str | None) -> None:
    """Join the cluster at `address`, else the one that RAY_ADDRESS names, else start one on this machine.

    Raises:
        ExecutorError: it does not answer.
    """
    if ray.is_initialized():
        return
    _must_answer(address or os.environ.get("RAY_ADDRESS"))
    ours = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    own = address is None and not os.environ.get("RAY_ADDRESS")
    try:
        # "local", since Ray would else look for the last cluster of this machine, and wait for minutes if it has died
        where = {"address": "local", "include_dashboard": False} if own else {"address": address}
        ray.init(log_to_driver=False, logging_level=logging.ERROR, **where)
    except (ConnectionError, RuntimeError, ValueError, OSError, ImportError) as error:
        raise _no_cluster(address, one_line(error)[:200]) from None
    finally:
        for number, handler in ours.items():  # Ray puts its own in their place
            signal.signal(number, handler)


def _must_answer(address: str | None) -> None:
    """Ray itself would try for minutes."""
    host, _, port = (address or "").removeprefix("ray://").rpartition(":")
    if not host or not port.isdigit():
        return
    try:
        socket.create_connection((host, int(port)), timeout=10.0).close()
    except OSError as error:
        raise _no_cluster(address, one_line(error)) from None


def _no_cluster(address: str | None, why: str) -> ExecutorError:
    way_out = "start one with `ray start --head`"
    if (address or "").startswith("ray://") and "timeout" in why:
        way_out = "if it asks for a token, its ~/.ray/auth_token is needed here, too"
    return ExecutorError(f"no Ray cluster at {address or 'RAY_ADDRESS'}: {why}; {way_out}")


def _mailbox_here() -> Any:
    """Ray itself would put it on any node, and it would be lost with that; of a client, "here" is the node that it talks to."""
    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
    return ray.remote(num_cpus=0, scheduling_strategy=here)(Mailbox).remote()


@dataclass(slots=True, eq=False)
class _Seat:
    """An actor, as seen from here."""

    actor: Any
    for_model: bool
    died_opening: int
    """How many in its place died before they had opened."""
    place: Place | None = None
    """None until it is open."""


class RayExecutor:
    """Hands steps to free seats. A seat that dies is replaced."""

    def __init__(self, store: Store, make_worker: MakeWorker, seats: Seats) -> None:
        self._store, self._make_worker, self._seats = store, make_worker, seats
        self._free: list[_Seat] = []
        self._asked: dict[Any, _Seat] = {}
        """Seats that have to answer before they are given a step, by their answer."""
        self._at_work: dict[Any, tuple[Step, _Seat]] = {}
        self._refused: set[bool] = set()
        """Kinds of seats that steps have waited for since results were last asked for."""
        self._lived: dict[bool, float] = {}
        """When there last was a seat of a kind."""
        self._left_out: dict[str, bool] = {}
        """Why seats are left out -> whether people were told."""
        self._lost_by: defaultdict[Place | None, set[str]] = defaultdict(set)
        self._taking: Any = None
        """What the mailbox has been asked for and has not handed over."""
        self._held: list[_Seat] = []
        """Seats whose GPU is left out."""

    def start(self, plan: Plan, to_do: Sequence[Step], reports: Reports) -> None:
        """Open the seats, and wait for the first.

        Raises:
            ExecutorError: no seat opens, or a node does not see the store.
        """
        self._plan, self._reports = plan, reports
        self._mailbox = _mailbox_here()
        self._shared_plan = ray.put(plan)
        self._lived = dict.fromkeys((True, False), time.monotonic())
        for kind, count in ((True, self._seats.device), (False, self._seats.pure)):
            for _ in range(count):
                self._open(for_model=kind)
        while not self._free:
            self._must_open(True, False)
            for ref in self._heard():
                self._answered(ref)
            if self._left_out:
                raise ExecutorError(next(iter(self._left_out)))

    def has_room_for(self, step: Step) -> bool:
        """Whether a seat of its kind is free."""
        if self._seats_for(step):
            return True
        self._refused.add(self._kind(step))
        return False

    def submit(self, step: Step) -> None:
        """Give the step to a free seat."""
        seat = self._seats_for(step)[-1]
        self._free.remove(seat)
        self._at_work[seat.actor.attempt.remote(step.id)] = (step, seat)
        for why in [why for why, said in self._left_out.items() if not said]:
            self._reports.noted(step, f"left out: {why}")
            self._left_out[why] = True

    def wait(self) -> Sequence[Result]:
        """What is done by now, or nothing after half a second; what steps told is passed on.

        Raises:
            ExecutorError: nothing is at work, and what is left waits for seats that do not open.
        """
        if not self._at_work:
            self._must_open(*self._refused)
        self._refused = set()
        done = self._heard()
        self._open_mail()
        for ref in done:
            if ref in self._asked:
                self._answered(ref)
        results = [self._result(ref) for ref in done if ref in self._at_work]
        self._note_living()
        return results

    def close(self) -> None:
        """Close all seats, whatever they do."""
        for seat in [*self._living(), *self._asked.values(), *self._held]:
            ray.kill(seat.actor)
        self._free, self._asked, self._at_work, self._held = [], {}, {}, []

    def _kind(self, step: Step) -> bool:
        return uses_model(step) or not self._seats.pure

    def _seats_for(self, step: Step) -> list[_Seat]:
        """Free seats of its kind, but not on GPUs that it has lost, if there are others."""
        living = [seat for seat in self._living() if seat.for_model == self._kind(step)]
        others = [seat for seat in living if step.id not in self._lost_by[seat.place]]
        return [seat for seat in others or living if seat in self._free]

    def _open(self, *, for_model: bool, died_opening: int = 0) -> None:
        needs: dict[str, Any] = {"num_cpus": 1, "max_restarts": 0}
        if for_model:
            needs |= {"num_gpus": self._seats.gpus, "memory": int(self._seats.memory)}
        place = (str(self._store.root.absolute()), self._store.url, str(Path.cwd()))
        share = min(1.0, self._seats.gpus or 1.0)
        actor = ray.remote(**needs)(Seat).remote(self._shared_plan, *place, self._make_worker, self._mailbox, share)
        self._asked[actor.blind.remote()] = _Seat(actor, for_model, died_opening)

    def _heard(self) -> list[Any]:
        """One that has answered or is done, if there is one within half a second."""
        refs = [*self._at_work, *self._asked]
        return ray.wait(refs, num_returns=1, timeout=_LOOK_EVERY)[0] if refs else []

    def _answered(self, ref: Any) -> None:
        """A seat is asked whether it sees the store, then where it is; then it may be given a step."""
        seat = self._asked.pop(ref)
        try:
            answer = ray.get(ref)
        except RayError as error:
            if seat.place is None and seat.died_opening + 1 >= _ATTEMPTS:
                self._leave_out(seat, f"a Ray worker cannot start: {_cause(error)}")
            else:
                self._replace(seat)
            return
        if isinstance(answer, Place):
            seat.place = answer
            self._welcome(seat)
        elif answer is None:
            self._asked[seat.actor.place.remote()] = seat
        else:
            self._leave_out(seat, answer)

    def _welcome(self, seat: _Seat) -> None:
        """It may be given a step, unless its GPU is left out."""
        (self._held if len(self._lost_by[seat.place]) >= _ENOUGH else self._free).append(seat)

    def _replace(self, seat: _Seat) -> None:
        ray.kill(seat.actor)  # one that cannot be reached may be alive
        self._open(for_model=seat.for_model, died_opening=0 if seat.place else seat.died_opening + 1)

    def _leave_out(self, seat: _Seat, why: str) -> None:
        ray.kill(seat.actor)
        self._left_out.setdefault(why, False)

    def _result(self, ref: Any) -> Result:
        step, seat = self._at_work.pop(ref)
        try:
            result: Result = ray.get(ref)
        except RayError as error:  # the worker, its node or the way to it is gone
            self._replace(seat)
            self._ask_who_is_alive()
            return WorkerDied(step.id, f"its Ray worker died ({type(error).__name__})")
        if isinstance(result, DeviceLost):
            return self._without(seat, step, result)
        self._welcome(seat)
        return result

    def _without(self, seat: _Seat, step: Step, lost: DeviceLost) -> Result:
        """Replace a seat whose GPU stopped working, or leave that out; the loss itself where no seat is left to try."""
        self._lost_by[seat.place].add(step.id)
        if len(self._lost_by[seat.place]) < _ENOUGH:
            self._replace(seat)
        else:
            why = f"{seat.place}, which {_ENOUGH} steps have lost; see `stage1 doctor`"
            self._reports.noted(step, f"left out: {why}")
            self._left_out[why] = True
            self._held.append(seat)
            free, self._free = self._free, []
            for other in free:
                self._welcome(other)
        if not any(other.for_model == seat.for_model for other in (*self._living(), *self._asked.values())):
            return lost
        return WorkerDied(step.id, f"{seat.place} stopped working: {lost.why[:200]}", lost.details)

    def _ask_who_is_alive(self) -> None:
        """Free seats may have gone with the same node, and no step is to pay for that."""
        for seat in self._free:
            self._asked[seat.actor.place.remote()] = seat
        self._free = []

    def _living(self) -> list[_Seat]:
        """Seats that are free or at work."""
        return [*self._free, *(seat for _, seat in self._at_work.values())]

    def _note_living(self) -> None:
        for seat in self._living():
            self._lived[seat.for_model] = time.monotonic()

    def _must_open(self, *kinds: bool) -> None:
        """Whether there is hope of a seat of one of these kinds.

        Raises:
            ExecutorError: there is none.
        """
        hopeful = {
            seat.for_model for seat in self._asked.values() if time.monotonic() - self._lived[seat.for_model] < _PATIENCE
        }
        hopeful |= {seat.for_model for seat in self._living()}
        if not kinds or hopeful.intersection(kinds):
            return
        why = "; ".join(self._left_out)
        if not self._asked:
            raise ExecutorError(why)
        raise ExecutorError(
            f"no Ray worker started within {_PATIENCE:.0f} s; `ray status` shows what the cluster waits for"
            + (f" ({why})" if why else "")
        )

    def _open_mail(self) -> None:
        self._taking = self._taking or self._mailbox.take.remote()
        arrived, _ = ray.wait([self._taking], timeout=_MAIL_WITHIN)
        if not arrived:  # its node is busy: the letters are asked for already
            return
        taken, self._taking = self._taking, None
        try:
            letters = ray.get(taken)
        except RayError:
            self._mailbox = _mailbox_here()  # for seats to come; news are lost, results are not
            return
        for what, step_id, details in letters:
            getattr(self._reports, what)(self._plan.step(step_id), *details)


def _cause(error: Exception) -> str:
    """The last line of what Ray tells: the worker's own exception, below its traceback."""
    return one_line(ValueError((str(error).strip().splitlines() or [type(error).__name__])[-1]))[:300]
