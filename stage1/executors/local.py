"""The default: one step after the other, in this process, which keeps the base model in memory from step to step."""

from __future__ import annotations

from collections.abc import Sequence

from compiler.plan import Plan, Step
from stage1.attempt import Result, Worker, attempt
from stage1.executors import MakeWorker, Reports
from stage1.store import Store


class LocalExecutor:
    """Carries a step out when its result is asked for."""

    def __init__(self, store: Store, make_worker: MakeWorker) -> None:
        self._store = store
        self._make_worker = make_worker
        self._taken: Step | None = None

    def start(self, plan: Plan, to_do: Sequence[Step], reports: Reports) -> None:
        """Keep the plan at hand."""
        self._plan, self._reports = plan, reports
        self._worker: Worker = self._make_worker(reports)

    def has_room_for(self, step: Step) -> bool:
        """One at a time."""
        return self._taken is None

    def submit(self, step: Step) -> None:
        """Take the step; the work is done in `wait`."""
        self._taken = step

    def wait(self) -> Sequence[Result]:
        """Do the work."""
        if self._taken is None:
            return ()
        step, self._taken = self._taken, None
        return (attempt(step, self._plan, self._store, self._worker, self._reports.started),)

    def close(self) -> None:
        """Nothing runs outside `wait`."""
