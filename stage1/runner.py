"""Carries out a plan: what the store has is reused, what is missing is made, what fails stops only what hangs on it."""

from __future__ import annotations

import contextlib
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from compiler.plan import ArmSteps, Plan, Step
from stage1.attempt import BadInput, Busy, Failed, Found, Made, Result, WorkerDied
from stage1.executors import CurveRow, Executor
from stage1.failures import reason_to_stop
from stage1.scheduling import Schedule
from stage1.store import Artifact, DamagedArtifact, Store
from stage1.time_left import usual_seconds

_ATTEMPTS = 3  # how often a worker may die on a step, or a disk damage an artifact, before the step counts as failed
_LOOK_AHEAD = 16  # ready steps without room that are passed over before waiting for room
_POLL = 0.5  # seconds between looks at what another run is making


class Observer(Protocol):
    """Is told what happens, when it happens. An observer never decides anything."""

    def run_started(self, plan: Plan, to_do: Sequence[Step]) -> None:
        """Before the first step; `to_do` are the steps that the store does not have."""

    def step_started(self, step: Step) -> None:
        """A step begins."""

    def step_progress(self, step: Step, done: int, total: int) -> None:
        """Part of a step is done, in units of its own (answers, optimizer steps)."""

    def step_curves(self, step: Step, rows: Sequence[CurveRow]) -> None:
        """New points of a training step's curves."""

    def step_finished(self, step: Step, artifact: Artifact, seconds: float) -> None:
        """A step's artifact is complete."""

    def step_found(self, step: Step) -> None:
        """Another run has completed a step that was to do."""

    def step_noted(self, step: Step, text: str) -> None:
        """A step has something to say that does not stop it: it goes on from a kept state, or could not."""

    def step_waits(self, step: Step, why: str) -> None:
        """A step cannot go on now and is tried again: another run makes it, or its worker died."""

    def step_failed(self, step: Step, why: str, log: Path) -> None:
        """A step failed, in one line; its traceback is in `log`."""

    def artifact_damaged(self, step: Step, what: str, aside: Path | None) -> None:
        """A stored artifact failed its hash check or has gone; it was moved to `aside`, if there was one, and is made again."""

    def arm_ready(self, arm: str, seed: int | None) -> None:
        """Everything of this arm and seed is complete, scores included."""

    def run_finished(self, outcome: Outcome) -> None:
        """After the last step."""


@dataclass(slots=True)
class Outcome:
    """What became of every step."""

    ran: list[str] = field(default_factory=list)
    reused: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    """Step id -> one line saying why."""
    logs: dict[str, Path] = field(default_factory=dict)
    """Step id -> where the details of its failure are."""
    blocked: list[str] = field(default_factory=list)
    """Not tried, since something they need failed."""
    stopped: str | None = None
    """Why the run ended before its end."""
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        """Whether every step that was asked for is complete."""
        return not (self.failed or self.blocked or self.stopped)


class Runner:
    """Carries out one plan."""

    def __init__(
        self,
        plan: Plan,
        store: Store,
        executor: Executor,
        observers: Sequence[Observer],
        logs: Path,
        *,
        seconds: Callable[[Step], float] = lambda step: usual_seconds(step.kind),
        fail_fast: bool = False,
    ) -> None:
        """`seconds` estimates what a step takes: the order of the work, and nothing else, depends on it."""
        self._plan = plan
        self._store = store
        self._executor = executor
        self._observers = observers
        self._logs = logs
        self._seconds = seconds
        self._fail_fast = fail_fast
        self._outcome = Outcome()
        self._deaths: Counter[str] = Counter()
        """Of workers on a step."""
        self._damages: Counter[str] = Counter()
        """Of a step's artifact."""
        self._waited_for: set[str] = set()
        """Steps of which people were told that another run is making them."""
        self._elsewhere: list[str] = []
        """Steps that another run was making when they were last tried."""
        self._look_again = 0.0
        """When they are tried again."""
        self._in_work = 0

    def run(self, only: Sequence[str] = ()) -> Outcome:
        """Make what is missing; `only` names the arms to bring to their scores (default: everything, verdicts included).

        Raises:
            OSError: the store cannot be read or written at all.
            ExecutorError: the executor cannot be used.
        """
        began = time.monotonic()
        self._store.sweep()
        wanted = select(self._plan, only)
        known = self._store.known()
        complete = {step.id for step in wanted if step.fingerprint in known}
        self._outcome.reused = [step.id for step in wanted if step.id in complete]
        self._waiting = _by_score(self._plan, only)
        self._schedule = Schedule(wanted, complete, self._seconds, falls_with_what_it_follows=_gate_stops(self._plan))
        self._tell("run_started", self._plan, self._schedule.left())
        for step_id in self._outcome.reused:
            self._announce(step_id)
        if len(complete) < len(wanted):
            self._carry_out()
        self._outcome.seconds = time.monotonic() - began
        self._tell("run_finished", self._outcome)
        return self._outcome

    # --- what a step in work tells -------------------------------------------------------------------------------

    def started(self, step: Step) -> None:
        """A step's work begins."""
        self._tell("step_started", step)

    def progress(self, step: Step, done: int, total: int) -> None:
        """Part of a step is done."""
        self._tell("step_progress", step, done, total)

    def curves(self, step: Step, rows: Sequence[CurveRow]) -> None:
        """New points of a step's training curves."""
        self._tell("step_curves", step, rows)

    def noted(self, step: Step, text: str) -> None:
        """A line that people should read."""
        self._tell("step_noted", step, text)

    # --- the loop ------------------------------------------------------------------------------------------------

    def _carry_out(self) -> None:
        try:
            self._executor.start(self._plan, self._schedule.left(), self)
            while self._submit() or self._in_work or self._wait_for_others():
                for result in self._executor.wait():
                    self._in_work -= 1
                    self._settle(result)
        finally:
            self._executor.close()

    def _submit(self) -> bool:
        """Hand out all that is ready and finds room; whether anything was ready."""
        self._look_elsewhere()
        before = self._in_work
        too_big: list[Step] = []
        while not self._outcome.stopped and (step := self._schedule.next()):
            if not self._executor.has_room_for(step):
                too_big.append(step)
                if len(too_big) > _LOOK_AHEAD:
                    break
                continue
            self._executor.submit(step)
            self._in_work += 1
        for step in too_big:
            self._schedule.put_back(step.id)
        return bool(too_big) or self._in_work > before

    def _look_elsewhere(self) -> None:
        """From time to time, whatever is at work: what another run was making may have been given up, or be complete."""
        if self._elsewhere and time.monotonic() >= self._look_again:
            for step_id in self._elsewhere:
                self._schedule.put_back(step_id)
            self._elsewhere = []

    def _wait_for_others(self) -> bool:
        """Nothing is left here but what another run is making, if anything is: wait a little."""
        if not self._elsewhere or self._outcome.stopped:
            return False
        time.sleep(max(0.0, self._look_again - time.monotonic()))
        return True

    def _settle(self, result: Result) -> None:
        step = self._plan.step(result.step_id)
        match result:
            case Made(_, seconds):
                self._outcome.ran.append(step.id)
                self._tell("step_finished", step, self._store.open(step.fingerprint, verify=False), seconds)
                self._completed(step)
            case Found():
                self._outcome.reused.append(step.id)
                self._tell("step_found", step)
                self._completed(step)
            case Busy():
                if step.id not in self._waited_for:
                    self._tell("step_waits", step, "another run is making it")
                self._waited_for.add(step.id)
                self._elsewhere.append(step.id)
                self._look_again = time.monotonic() + _POLL
            case BadInput(_, source_id, what):
                self._repair(step, self._plan.step(source_id), what)
            case WorkerDied():
                self._again(step, result)
            case Failed():
                self._fail(step, result)

    def _completed(self, step: Step) -> None:
        self._schedule.complete(step.id)
        self._announce(step.id)

    def _announce(self, step_id: str) -> None:
        for entry in self._waiting.pop(step_id, ()):
            self._tell("arm_ready", entry.arm, entry.seed)

    def _again(self, step: Step, death: WorkerDied) -> None:
        self._deaths[step.id] += 1
        if self._deaths[step.id] < _ATTEMPTS:
            self._tell("step_waits", step, f"{death.why}; trying again")
            self._schedule.put_back(step.id)
        else:
            self._fail(step, Failed(step.id, f"{death.why}, {_ATTEMPTS} times", death.details or death.why))

    def _repair(self, step: Step, source: Step, what: str) -> None:
        self._damages[source.id] += 1
        if self._damages[source.id] > _ATTEMPTS:
            self._fail(step, Failed(step.id, f"{source.id} was damaged {_ATTEMPTS} times over: {what}", what))
            return
        aside = set_aside_if_damaged(self._store, source.fingerprint)
        self._tell("artifact_damaged", source, what, aside)
        for record in (self._outcome.reused, self._outcome.ran):
            with contextlib.suppress(ValueError):
                record.remove(source.id)
        self._schedule.lose(source.id)
        self._schedule.put_back(step.id)

    def _fail(self, step: Step, failure: Failed) -> None:
        log = self._write_log(step, failure.details)
        self._outcome.failed[step.id], self._outcome.logs[step.id] = failure.why, log
        self._outcome.blocked += self._schedule.fail(step.id)
        self._tell("step_failed", step, failure.why, log)
        if failure.stop or self._fail_fast:
            self._outcome.stopped = failure.stop or f"{step.id} failed, and --fail-fast was given"

    def _write_log(self, step: Step, details: str) -> Path:
        path = self._logs / f"{step.id.replace('/', '-')}.log"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(details, encoding="utf-8")
        except OSError as error:  # a full disk has no room for logs either
            self._outcome.stopped = self._outcome.stopped or reason_to_stop(error, self._store.root)
        return path

    def _tell(self, event: str, *details: Any) -> None:
        for observer in self._observers:
            getattr(observer, event)(*details)


def set_aside_if_damaged(store: Store, fingerprint: str) -> Path | None:
    """Move an artifact out of the way if it is damaged and nobody else is making it again; where it is now."""
    with store.claim(fingerprint) as mine:
        if not mine:
            return None
        try:
            store.open(fingerprint)
        except DamagedArtifact:
            return store.set_aside(fingerprint)
        except KeyError:
            return None
    return None


def select(plan: Plan, only: Sequence[str]) -> list[Step]:
    """The steps that the named arms' scores need, in plan order; all steps when no arm is named.

    Raises:
        KeyError: an arm is not in the plan.
    """
    if not only:
        return list(plan.steps)
    unknown = sorted(set(only) - {arm.arm for arm in plan.arms})
    if unknown:
        raise KeyError(unknown[0])
    waits = _gate_stops(plan)  # else the gate only warns, which needs no arm that was not asked for
    needed = [arm.score for arm in plan.arms if arm.arm in only]
    seen: set[str] = set()
    while needed:
        step_id = needed.pop()
        if step_id not in seen:
            seen.add(step_id)
            step = plan.step(step_id)
            needed.extend((*step.inputs.values(), *(step.after if waits else ())))
    return [step for step in plan.steps if step.id in seen]


def _gate_stops(plan: Plan) -> bool:
    """Whether what comes after the gate may only begin once it has opened."""
    return bool(plan.spec["evaluation"]["gate"] == "stop")


def _by_score(plan: Plan, only: Sequence[str]) -> dict[str, list[ArmSteps]]:
    waiting: dict[str, list[ArmSteps]] = {}
    for entry in plan.arms:
        if not only or entry.arm in only:
            waiting.setdefault(entry.score, []).append(entry)
    return waiting
