"""What runs in the cluster: a seat, which makes steps where it is, and the mailbox through which it tells of them.

Nothing here imports Ray before it runs on a node: the driver prepares the environment that its import reads.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from compiler.plan import Plan, Step
from models.memory import GPU_SHARE
from stage1.attempt import Result, attempt
from stage1.executors import CurveRow, MakeWorker
from stage1.gpus import SEAT_GPUS
from stage1.libraries import tell_libraries
from stage1.store import StoreUnreachable, open_store
from stage1.store.place import CACHE

_PROGRESS_EVERY = 1.0


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


class Place(NamedTuple):
    """Where a seat is."""

    node: str
    """Ray's name of it."""
    host: str
    gpus: str

    def __str__(self) -> str:
        return f"GPU {self.gpus} of {self.host}" if self.gpus else self.host


class Seat:
    """Carries out one step at a time, somewhere in the cluster."""

    def __init__(
        self, plan: Plan, root: str, url: str | None, folder: str, make_worker: MakeWorker, mailbox: Any, share: float
    ) -> None:
        tell_libraries()  # on its node nobody has
        os.environ[GPU_SHARE] = str(share)
        if gpus := _gpus():
            os.environ[SEAT_GPUS] = gpus
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

    def place(self) -> Place:
        """Where it is; that it says so shows that it lives."""
        import ray

        return Place(ray.get_runtime_context().get_node_id(), os.uname().nodename, _gpus())

    def attempt(self, step_id: str) -> Result:
        """Make one step."""
        return attempt(self._plan.step(step_id), self._plan, self._store, self._worker, self._reports.started)


def _gpus() -> str:
    """Those that Ray has given to this process, as CUDA_VISIBLE_DEVICES names them; empty without any."""
    import ray

    return ",".join(map(str, ray.get_gpu_ids()))
