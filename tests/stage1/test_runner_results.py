"""What the runner makes of what executors return, with one that says of some steps what it is told to."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from toy import Recorder, ToyWorker, make_plan

from compiler.plan import Plan, Step
from stage1.attempt import BadInput, Busy, Result, WorkerDied, attempt
from stage1.executors import ExecutorError, Reports
from stage1.runner import Outcome, Runner
from stage1.store import Store


class Scripted:
    """Has two seats. A step is made when its result is asked for, unless there is something else to say of it."""

    def __init__(self, store: Store, says: Mapping[str, Sequence[Result | None]], lasts: str = "") -> None:
        """`says` has what to say of a step, try by try (None: make it); `lasts` is made once another one is, or after 5 s."""
        self._store, self._says, self._lasts = store, {step: list(results) for step, results in says.items()}, lasts
        self._taken: list[tuple[Step, float]] = []
        self._made = False
        self.closed = False

    def start(self, plan: Plan, to_do: Sequence[Step], reports: Reports) -> None:
        self._plan, self._reports = plan, reports

    def has_room_for(self, step: Step) -> bool:
        return len(self._taken) < 2

    def submit(self, step: Step) -> None:
        self._taken.append((step, time.monotonic()))

    def wait(self) -> Sequence[Result]:
        time.sleep(0.05)
        done = [(step, since) for step, since in self._taken if step.id != self._lasts or self._is_over(since)]
        self._taken = [taken for taken in self._taken if taken not in done]
        return [self._result(step) for step, _ in done]

    def close(self) -> None:
        self.closed = True

    def _is_over(self, since: float) -> bool:
        return self._made or time.monotonic() - since > 5.0

    def _result(self, step: Step) -> Result:
        said = self._says.get(step.id)
        if said and (result := said.pop(0)) is not None:
            return result
        self._made = True
        return attempt(step, self._plan, self._store, ToyWorker(), self._reports.started)


def carried_out(root: Path, plan: Plan, executor: Scripted, *observers: Recorder) -> Outcome:
    """What became of the plan."""
    return Runner(plan, Store(root), executor, observers, root / "logs").run()


def test_what_another_run_was_making_is_looked_at_again_whatever_is_at_work_here(tmp_path: Path) -> None:
    """A free seat does not wait for a long training to end: the other run may have given the step up a moment later."""
    plan, recorder = make_plan({"long": [], "elsewhere": []}), Recorder()
    executor = Scripted(Store(tmp_path), {"elsewhere": [Busy("elsewhere"), Busy("elsewhere")]}, lasts="long")

    outcome = carried_out(tmp_path, plan, executor, recorder)

    assert outcome.ran == ["elsewhere", "long"]
    assert [step.id for _, step, _ in recorder.named("step_waits")] == ["elsewhere"]


class CannotStart(Scripted):
    """Has opened something when it finds out that it cannot be used."""

    def start(self, plan: Plan, to_do: Sequence[Step], reports: Reports) -> None:
        raise ExecutorError("no")


def test_an_executor_that_cannot_start_lets_go_of_what_it_has_opened(tmp_path: Path) -> None:
    """Seats on other machines keep their GPUs until they are closed."""
    executor = CannotStart(Store(tmp_path), {})

    with pytest.raises(ExecutorError, match="no"):
        carried_out(tmp_path, make_plan({"a": []}), executor)

    assert executor.closed


def test_a_death_is_not_the_third_since_a_disk_has_damaged_the_artifact_twice(tmp_path: Path) -> None:
    """Deaths of workers on a step and damages of its artifact are counted by themselves: each may come to pass three times."""
    died, damaged = WorkerDied("a", "gone"), BadInput("b", "a", "flipped")
    executor = Scripted(Store(tmp_path), {"a": [died, None, None, None, died], "b": [damaged, damaged, damaged]})

    outcome = carried_out(tmp_path, make_plan({"a": [], "b": ["a"]}), executor)

    assert outcome.ok


@pytest.mark.parametrize(
    ("says", "why"),
    [
        ({"a": [WorkerDied("a", "gone")] * 3}, {"a": "gone, 3 times"}),
        ({"b": [BadInput("b", "a", "flipped")] * 4}, {"b": "a was damaged 3 times over: flipped"}),
    ],
)
def test_what_comes_to_pass_again_and_again_is_a_failure(
    tmp_path: Path, says: Mapping[str, Sequence[Result]], why: Mapping[str, str]
) -> None:
    """Three deaths on a step, or a fourth damage of its artifact."""
    outcome = carried_out(tmp_path, make_plan({"a": [], "b": ["a"]}), Scripted(Store(tmp_path), says))

    assert outcome.failed == why
