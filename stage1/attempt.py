"""One attempt at one step: by whoever carries it out, in this process or on another machine."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from compiler.plan import Plan, Step
from stage1.failures import lost_device, one_line, reason_to_stop
from stage1.metering import metered, start_metering
from stage1.planned_claims import KINDS, RECORDED, marks
from stage1.provenance import peak_memory_bytes, provenance
from stage1.secrets import masked
from stage1.store import Artifact, DamagedArtifact, Draft, Store


class Worker(Protocol):
    """Knows how to make each kind of artifact."""

    def prepare(self, step: Step) -> None:
        """Load what the step, and others like it, will ask for."""

    def work(self, step: Step, inputs: Mapping[str, Artifact], draft: Draft) -> None:
        """Leave the step's files in the draft."""


@dataclass(frozen=True, slots=True)
class Made:
    """The step's artifact is complete."""

    step_id: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Found:
    """Another run completed the artifact in the meantime."""

    step_id: str


@dataclass(frozen=True, slots=True)
class Busy:
    """Another run is making the artifact."""

    step_id: str


@dataclass(frozen=True, slots=True)
class BadInput:
    """An input is damaged, or has gone since it was seen; or what was kept of the step itself is."""

    step_id: str
    source_id: str
    what: str


@dataclass(frozen=True, slots=True)
class Failed:
    """The step cannot be made."""

    step_id: str
    why: str
    """One line."""
    details: str
    """For the log: the traceback and what the exception carries."""
    stop: str | None = None
    """Why nothing else can succeed either."""


@dataclass(frozen=True, slots=True)
class DeviceLost(Failed):
    """The step's device stopped working: this process is of no more use, another device may be."""


@dataclass(frozen=True, slots=True)
class WorkerDied:
    """Whoever worked on the step is gone, and so is its work."""

    step_id: str
    why: str
    details: str = ""
    """For the log, where the worker could still tell."""


Result = Made | Found | Busy | BadInput | Failed | WorkerDied


class _BadInput(Exception):
    def __init__(self, source_id: str, what: str) -> None:
        super().__init__(source_id, what)
        self.source_id, self.what = source_id, what


def attempt(step: Step, plan: Plan, store: Store, worker: Worker, started: Callable[[Step], None]) -> Result:
    """Make a step's artifact, unless somebody else does or did; `started` is called when the work begins.

    Raises:
        KeyboardInterrupt: the run is to end.
    """
    try:
        with store.claim(step.fingerprint) as mine:
            if not mine:
                return Busy(step.id)
            if store.has(step.fingerprint) or _published(step, store):
                return Found(step.id)
            started(step)
            return Made(step.id, _make(step, plan, store, worker))
    except _BadInput as bad:
        return BadInput(step.id, bad.source_id, bad.what)
    except SystemExit as left:
        if isinstance(left.__context__, KeyboardInterrupt):  # Lightning turns an interruption into an exit
            raise left.__context__ from None
        return _failed(step, store, left)
    except Exception as error:  # one broken step must not take the others down
        return _failed(step, store, error)


def _make(step: Step, plan: Plan, store: Store, worker: Worker) -> float:
    sources = {role: plan.step(source) for role, source in step.inputs.items()}
    inputs = {role: _input(source, store) for role, source in sources.items()}
    fingerprints = {role: source.fingerprint for role, source in sources.items()}
    started = time.monotonic()
    start_metering()
    with store.writing(step, provenance(), fingerprints) as draft:
        worker.work(step, inputs, draft)
        seconds = round(time.monotonic() - started, 3)
        draft.provenance.update(seconds=seconds, peak_memory_bytes=peak_memory_bytes())
        if "model" in step.settings:
            draft.provenance.update(metered())
        if step.kind in KINDS:
            draft.provenance[RECORDED] = sorted(marks(plan).values())
    return seconds


def _published(step: Step, store: Store) -> bool:
    """Whether the artifact was made here before and only had to be sent."""
    try:
        return store.publish(step.fingerprint)
    except DamagedArtifact as damage:
        raise _BadInput(step.id, str(damage)) from None


def _input(source: Step, store: Store) -> Artifact:
    try:
        return store.open(source.fingerprint)
    except DamagedArtifact as damage:
        raise _BadInput(source.id, str(damage)) from None
    except KeyError:
        raise _BadInput(source.id, "it is no longer in the store") from None


def _failed(step: Step, store: Store, error: BaseException) -> Failed:
    carried = "".join(f"{name}: {value}\n" for name, value in vars(error).items())
    details = masked("".join(traceback.format_exception(error)) + carried)
    why = f"a library ended the process with code {error.code}" if isinstance(error, SystemExit) else one_line(error)
    kind = DeviceLost if lost_device(error) else Failed
    return kind(step.id, masked(why), details, reason_to_stop(error, store.root))
