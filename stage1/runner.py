"""Walks a plan: what the store has is reused, what is missing is made, what fails stops only what hangs on it."""

from __future__ import annotations

import time
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from compiler.plan import ArmSteps, Plan, Step
from stage1.provenance import peak_memory_bytes, provenance
from stage1.store import Artifact, DamagedArtifact, Draft, Store


class Worker(Protocol):
    """Knows how to make each kind of artifact."""

    def work(self, step: Step, inputs: Mapping[str, Artifact], draft: Draft) -> None:
        """Leave the step's files in the draft."""


class Observer(Protocol):
    """Is told what happens, when it happens. An observer never decides anything."""

    def run_started(self, plan: Plan, to_do: Sequence[Step]) -> None:
        """Before the first step; `to_do` are the steps that the store does not have."""

    def step_started(self, step: Step) -> None:
        """A step begins."""

    def step_progress(self, step: Step, done: int, total: int) -> None:
        """Part of a step is done, in units of its own (answers, optimizer steps)."""

    def step_finished(self, step: Step, artifact: Artifact, seconds: float) -> None:
        """A step's artifact is complete."""

    def step_failed(self, step: Step, error: Exception, log: Path) -> None:
        """A step failed; its traceback is in `log`."""

    def artifact_damaged(self, step: Step, what: str, aside: Path) -> None:
        """A stored artifact failed its hash check; it was moved to `aside` and is made again."""

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
    blocked: list[str] = field(default_factory=list)
    """Not tried, since something they need failed."""
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        """Whether every step that was asked for is complete."""
        return not self.failed and not self.blocked


class Runner:
    """Carries out one plan in this process, one step after the other."""

    def __init__(self, plan: Plan, store: Store, worker: Worker, observers: Sequence[Observer], logs: Path) -> None:
        self._plan = plan
        self._store = store
        self._worker = worker
        self._observers = observers
        self._logs = logs
        self._outcome = Outcome()

    def run(self, only: Sequence[str] = ()) -> Outcome:
        """Make what is missing; `only` names the arms to bring to their scores (default: everything, verdicts included)."""
        started = time.monotonic()
        self._store.sweep()
        wanted = select(self._plan, only)
        self._tell("run_started", self._plan, [step for step in wanted if not self._store.has(step.fingerprint)])
        waiting: dict[str, list[ArmSteps]] = {}
        for entry in self._plan.arms:
            if not only or entry.arm in only:
                waiting.setdefault(entry.score, []).append(entry)
        for step in wanted:
            self._visit(step)
            if step.id in waiting and self._store.has(step.fingerprint):
                for entry in waiting[step.id]:
                    self._tell("arm_ready", entry.arm, entry.seed)
        self._outcome.seconds = time.monotonic() - started
        self._tell("run_finished", self._outcome)
        return self._outcome

    def _visit(self, step: Step) -> None:
        if self._store.has(step.fingerprint):
            self._outcome.reused.append(step.id)
        elif any(role in self._outcome.failed or role in self._outcome.blocked for role in step.inputs.values()):
            self._outcome.blocked.append(step.id)
        else:
            self._attempt(step)

    def _attempt(self, step: Step) -> None:
        self._tell("step_started", step)
        started = time.monotonic()
        try:
            self._make(step)
        except Exception as error:  # one broken step must not take the others down
            self._outcome.failed[step.id] = one_line(error)
            self._tell("step_failed", step, error, self._log(step, error))
            return
        self._outcome.ran.append(step.id)
        artifact = self._store.open(step.fingerprint, verify=False)
        self._tell("step_finished", step, artifact, time.monotonic() - started)

    def _make(self, step: Step) -> None:
        sources = {role: self._plan.step(source) for role, source in step.inputs.items()}
        inputs = {role: self._input(source) for role, source in sources.items()}
        fingerprints = {role: source.fingerprint for role, source in sources.items()}
        started = time.monotonic()
        with self._store.writing(step, provenance(), fingerprints) as draft:
            self._worker.work(step, inputs, draft)
            draft.provenance["seconds"] = round(time.monotonic() - started, 3)
            draft.provenance["peak_memory_bytes"] = peak_memory_bytes()

    def _input(self, step: Step) -> Artifact:
        try:
            return self._store.open(step.fingerprint)
        except DamagedArtifact as damage:
            aside = self._store.set_aside(step.fingerprint)
            self._tell("artifact_damaged", step, str(damage), aside)
            self._make(step)
            return self._store.open(step.fingerprint)

    def _log(self, step: Step, error: Exception) -> Path:
        path = self._logs / f"{step.id.replace('/', '-')}.log"
        path.parent.mkdir(parents=True, exist_ok=True)
        details = "".join(f"{name}: {value}\n" for name, value in vars(error).items())
        path.write_text("".join(traceback.format_exception(error)) + details, encoding="utf-8")
        return path

    def _tell(self, event: str, *details: Any) -> None:
        for observer in self._observers:
            getattr(observer, event)(*details)


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
    needed = [arm.score for arm in plan.arms if arm.arm in only]
    seen: set[str] = set()
    while needed:
        step_id = needed.pop()
        if step_id not in seen:
            seen.add(step_id)
            needed.extend(plan.step(step_id).inputs.values())
    return [step for step in plan.steps if step.id in seen]


def one_line(error: BaseException) -> str:
    """An exception as one readable line."""
    text = " ".join(str(error).split())
    return text or type(error).__name__
