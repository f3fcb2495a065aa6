"""The same plan on a Ray cluster: seats are actors, so that a base model stays in memory from step to step.

Artifacts go through the store, on a path that all nodes share or at a URL. A worker that dies takes its lock and its draft with
it: the step is given to another. What steps tell (progress, curves) comes back through one mailbox, and this process alone
talks to MLflow.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("RAY_ENABLE_UV_RUN_RUNTIME_ENV", "0")  # else `uv run` makes Ray pack and send the whole checkout
if os.environ.get("RAY_AUTH_TOKEN") or (Path.home() / ".ray" / "auth_token").is_file():
    os.environ.setdefault("RAY_AUTH_MODE", "token")  # Ray looks for the token everywhere but behind a ray:// address
import ray
from ray.exceptions import GetTimeoutError, RayError

from compiler.plan import Plan, Step
from models.memory import GPU_SHARE
from stage1.attempt import Result, WorkerDied, attempt
from stage1.executors import CurveRow, Executor, ExecutorError, MakeWorker, Reports
from stage1.executors.seats import Seats, seats_for, uses_model
from stage1.failures import one_line
from stage1.gpus import SEAT_GPUS
from stage1.libraries import tell_libraries
from stage1.store import Store, StoreUnreachable, open_store
from stage1.store.place import CACHE
from stage1.world import DiskWorld

_LOOK_EVERY = 0.5  # seconds between looks into the mailbox
_PROGRESS_EVERY = 1.0
_PATIENCE = 300.0  # seconds for the first seat to open


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


class Mailbox:
    """What steps in work have told, until somebody asks; an actor of the driver's node."""

    def __init__(self) -> None:
        self._letters: list[tuple[str, str, Any]] = []

    def put(self, what: str, step_id: str, details: Any) -> None:
        """Add a letter."""
        self._letters.append((what, step_id, details))

    def take(self) -> list[tuple[str, str, Any]]:
        """All letters since the last call."""
        letters, self._letters = self._letters, []
        return letters


class _ByMail:
    """Reports of a seat, sent home; progress at most once a second."""

    def __init__(self, mailbox: Any) -> None:
        self._mailbox = mailbox
        self._told = 0.0

    def started(self, step: Step) -> None:
        self._mailbox.put.remote("started", step.id, ())

    def progress(self, step: Step, done: int, total: int) -> None:
        if time.monotonic() - self._told > _PROGRESS_EVERY:
            self._told = time.monotonic()
            self._mailbox.put.remote("progress", step.id, (done, total))

    def curves(self, step: Step, rows: Sequence[CurveRow]) -> None:
        self._mailbox.put.remote("curves", step.id, (list(rows),))

    def noted(self, step: Step, text: str) -> None:
        self._mailbox.put.remote("noted", step.id, (text,))


class Seat:
    """Carries out one step at a time, somewhere in the cluster."""

    def __init__(
        self, plan: Plan, root: str, url: str | None, folder: str, make_worker: MakeWorker, mailbox: Any, share: float
    ) -> None:
        tell_libraries()  # on its node nobody has
        os.environ[GPU_SHARE] = str(share)
        if gpus := ray.get_gpu_ids():
            os.environ[SEAT_GPUS] = ",".join(map(str, gpus))
        if Path(folder).is_dir():
            os.chdir(folder)  # a spec names its files relative to where it is run
        self._plan = plan
        self._store = open_store(Path(root if url is None else os.environ.get(CACHE, root)), url)
        self._reports = _ByMail(mailbox)
        self._worker = make_worker(self._reports)

    def blind(self) -> str | None:
        """Why this node does not see the store that the plan was noted in; None if it does."""
        try:
            if self._store.sees(self._plan.experiment):
                return None
        except StoreUnreachable as problem:
            return f"{os.uname().nodename}: {problem}"
        return f"{os.uname().nodename} does not see {self._store.shown}; choose a place that all nodes share with --store"

    def attempt(self, step_id: str) -> Result:
        """Make one step."""
        return attempt(self._plan.step(step_id), self._plan, self._store, self._worker, self._reports.started)


class RayExecutor:
    """Hands steps to free seats. A seat that dies is replaced."""

    def __init__(self, store: Store, make_worker: MakeWorker, seats: Seats) -> None:
        self._store, self._make_worker, self._seats = store, make_worker, seats
        self._free: dict[bool, list[Any]] = {True: [], False: []}
        self._at_work: dict[Any, tuple[Step, Any, bool]] = {}

    def start(self, plan: Plan, to_do: Sequence[Step], reports: Reports) -> None:
        """Open the seats.

        Raises:
            ExecutorError: no seat opens, or a node does not see the store.
        """
        self._plan, self._reports = plan, reports
        self._mailbox = ray.remote(num_cpus=0)(Mailbox).remote()
        self._shared_plan = ray.put(plan)
        self._free[True] = [self._open(for_model=True) for _ in range(self._seats.device)]
        self._free[False] = [self._open(for_model=False) for _ in range(self._seats.pure)]
        self._see_store(self._free[True] + self._free[False])

    def has_room_for(self, step: Step) -> bool:
        """Whether a seat of its kind is free."""
        return bool(self._free[self._kind(step)])

    def submit(self, step: Step) -> None:
        """Give the step to a free seat."""
        kind = self._kind(step)
        seat = self._free[kind].pop()
        self._at_work[seat.attempt.remote(step.id)] = (step, seat, kind)

    def wait(self) -> Sequence[Result]:
        """What is done by now, or nothing after half a second; what steps told is passed on."""
        done, _ = ray.wait(list(self._at_work), num_returns=1, timeout=_LOOK_EVERY) if self._at_work else ([], [])
        self._open_mail()
        return [self._result(ref) for ref in done]

    def close(self) -> None:
        """Close all seats, whatever they do."""
        seats = [seat for _, seat, _ in self._at_work.values()] + self._free[True] + self._free[False]
        for seat in seats:
            ray.kill(seat)
        self._free, self._at_work = {True: [], False: []}, {}

    def _kind(self, step: Step) -> bool:
        return uses_model(step) or not self._seats.pure

    def _open(self, *, for_model: bool) -> Any:
        needs: dict[str, Any] = {"num_cpus": 1, "max_restarts": 0}
        if for_model:
            needs |= {"num_gpus": self._seats.gpus, "memory": int(self._seats.memory)}
        place = (str(self._store.root.absolute()), self._store.url, str(Path.cwd()))
        share = min(1.0, self._seats.gpus or 1.0)
        return ray.remote(**needs)(Seat).remote(self._shared_plan, *place, self._make_worker, self._mailbox, share)

    def _see_store(self, seats: list[Any]) -> None:
        asked = [seat.blind.remote() for seat in seats]
        try:
            first, _ = ray.wait(asked, num_returns=1, timeout=_PATIENCE)
            blind = [why for why in ray.get(first, timeout=1.0) if why]
        except (RayError, GetTimeoutError) as error:
            raise ExecutorError(f"a Ray worker cannot start: {_cause(error)}") from None
        if not first:
            raise ExecutorError(
                f"no Ray worker started within {_PATIENCE:.0f} s; `ray status` shows what the cluster waits for"
            )
        if blind:
            raise ExecutorError(blind[0])

    def _result(self, ref: Any) -> Result:
        step, seat, kind = self._at_work.pop(ref)
        try:
            result: Result = ray.get(ref)
        except RayError as error:  # the worker, its node or the way to it is gone
            self._free[kind].append(self._open(for_model=kind))
            return WorkerDied(step.id, f"its Ray worker died ({type(error).__name__})")
        self._free[kind].append(seat)
        return result

    def _open_mail(self) -> None:
        try:
            letters = ray.get(self._mailbox.take.remote(), timeout=10.0)
        except (RayError, GetTimeoutError):
            self._mailbox = ray.remote(num_cpus=0)(Mailbox).remote()  # news are lost, results are not
            return
        for what, step_id, details in letters:
            getattr(self._reports, what)(self._plan.step(step_id), *details)


def _cause(error: Exception) -> str:
    """The last line of what Ray tells: the worker's own exception, below its traceback."""
    return one_line(ValueError((str(error).strip().splitlines() or [type(error).__name__])[-1]))[:300]
