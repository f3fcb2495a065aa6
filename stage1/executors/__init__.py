"""Who carries out the steps of a plan. The runner decides what is made when; an executor, where."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from compiler.plan import Plan, Step
from stage1.attempt import Result, Worker

CurveRow = tuple[int, str, float]
"""(step, name, value): one point of a training curve."""


class Reports(Protocol):
    """What a step in work tells the runner."""

    def started(self, step: Step) -> None:
        """Its work begins."""

    def progress(self, step: Step, done: int, total: int) -> None:
        """Part of it is done."""

    def curves(self, step: Step, rows: Sequence[CurveRow]) -> None:
        """New points of its training curves."""

    def noted(self, step: Step, text: str) -> None:
        """A line that people should read; nothing is wrong with the result."""


MakeWorker = Callable[[Reports], Worker]


class Executor(Protocol):
    """Takes steps whose inputs are complete and returns what became of them."""

    def start(self, plan: Plan, to_do: Sequence[Step], reports: Reports) -> None:
        """Make ready for the steps that the store does not have.

        Raises:
            ExecutorError: it cannot be used here; the message says what to do.
        """

    def has_room_for(self, step: Step) -> bool:
        """Whether the step is to be begun now; if so, `submit` follows, and if not, it is asked again after `wait`."""

    def submit(self, step: Step) -> None:
        """Begin a step for which there is room."""

    def wait(self) -> Sequence[Result]:
        """What became of steps since the last call; waits a while for the first."""

    def close(self) -> None:
        """Let go of everything; what is unfinished is given up."""


class ExecutorError(Exception):
    """An executor cannot be used; the message says why and what to do."""
