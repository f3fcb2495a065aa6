"""What an interrupted training needs to go on as if nothing had happened, kept on disk at intervals.

A state is a folder: tensors as safetensors, everything else as JSON, and a list of hashes written last; it is renamed into
place when it is whole. Nothing in it is executed when it is read.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from trainers.errors import TrainingError

if TYPE_CHECKING:
    from trainers.data import GlobalBatch
    from trainers.examples import Prepared
    from trainers.strategy import Peers

_TENSORS, _VALUES, _HASHES = "tensors.safetensors", "values.json", "hashes.json"
_PREFIX, _UNFINISHED = "step-", "unfinished-"
_COST = 20  # at most one part in twenty of the time goes into saving


@dataclass(frozen=True)
class Keeping:
    """Where a training keeps its state, and how often. Changes no result."""

    folder: Path
    """An existing folder of this training alone; emptied by whoever owns it when the training is complete."""
    aside: Path
    """Where a damaged state is moved, for a person to look at."""
    every_steps: int | None = None
    every_seconds: float | None = 300.0


@dataclass(frozen=True)
class State:
    """A training after some step."""

    step: int
    """Optimizer steps done."""
    tensors: Mapping[str, Tensor]
    values: Mapping[str, Any]


@dataclass
class Keeper:
    """Writes and finds states of one training, the newest only.

    Args:
        keeping: where and how often.
        identity: of the training; a state of another one is not gone on from.
        warn: told, in one line, of a state that is damaged or cannot be written.
        clock: seconds.
    """

    keeping: Keeping
    identity: str
    warn: Callable[[str], None]
    clock: Callable[[], float] = time.monotonic
    _last_step: int = field(default=0, init=False)
    _not_before: float = field(default=0.0, init=False)

    def __post_init__(self) -> None:
        self._not_before = self.clock() + (self.keeping.every_seconds or 0.0)

    def due(self, step: int) -> bool:
        """Whether it is time, `step` steps done."""
        steps, seconds = self.keeping.every_steps, self.keeping.every_seconds
        by_steps = steps is not None and step - self._last_step >= steps
        return by_steps or (seconds is not None and self.clock() >= self._not_before)

    def save(self, state: State) -> None:
        """Puts a state in the place of the one before; a disk that is full costs the state, not the training."""
        started = self.clock()
        beside = self.keeping.folder / f"{_UNFINISHED}{os.getpid()}-{uuid.uuid4().hex[:8]}"
        try:
            _write(beside, state, self.identity)
            place = self._place(state.step)
            beside.rename(place)
            _sync(self.keeping.folder)
            for entry in self.keeping.folder.iterdir():
                if entry != place:
                    shutil.rmtree(entry, ignore_errors=True)
        except (OSError, SafetensorError) as error:
            shutil.rmtree(beside, ignore_errors=True)
            self.warn(f"the state of the training could not be kept at step {state.step} ({error}); going on without")
        self.saved(state.step, self.clock() - started)

    def saved(self, step: int, seconds: float = 0.0) -> None:
        """A state was saved, here or by the process that saves for all: the next one is due an interval from now."""
        self._last_step = step
        self._not_before = self.clock() + max(self.keeping.every_seconds or 0.0, _COST * seconds)

    def forget(self) -> None:
        """Lets the state go: what follows from it leads nowhere."""
        for entry in self.keeping.folder.iterdir():
            shutil.rmtree(entry, ignore_errors=True)

    def newest(self) -> State | None:
        """The state to go on from; None where there is none. One that is damaged or of another training is moved aside."""
        places = sorted(self.keeping.folder.glob(f"{_PREFIX}*"))
        for place in reversed(places):
            try:
                state = _read(place, self.identity)
            except _UnusableError as error:
                aside = self._set_aside(place)
                self.warn(f"the kept state {place} {error}; moved to {aside}, training starts anew")
            else:
                self.saved(state.step)
                return state
        return None

    def after(self, step: int) -> State:
        """The state that another process found to be the newest, and compared with this training.

        Raises:
            TrainingError: it cannot be read here. It stays where it is: others may be reading it.
        """
        place = self._place(step)
        try:
            state = _read(place)
        except _UnusableError as error:
            raise TrainingError(
                f"the kept state {place}, which another process goes on from, {error}: run again, or look at the disk"
            ) from error
        self.saved(step)
        return state

    def _place(self, step: int) -> Path:
        return self.keeping.folder / f"{_PREFIX}{step:09d}"

    def _set_aside(self, place: Path) -> Path:
        target = self.keeping.aside / f"{self.keeping.folder.name}.{place.name}.{uuid.uuid4().hex[:8]}"
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(place, target)
        return target


def found_by_all(keeper: Keeper, peers: Peers) -> State | None:
    """The state to go on from: the first process looks for it alone, and the others read the very one that it found.

    Raises:
        TrainingError: another process cannot read it.
    """
    state = keeper.newest() if peers.rank == 0 else None
    step = peers.first_says(state.step if state else 0)
    return keeper.after(step) if peers.rank != 0 and step else state


def identity(prepared: Prepared[Any], batches: Sequence[GlobalBatch], settings: Mapping[str, Any], model: Any) -> str:
    """SHA-256 (hex) of what must be equal for a training to be the same one: examples, batches, settings, what trains.

    That includes the weights that it starts from: a parent that was trained again may have others. Asked before the first step,
    and before any weight is sharded, this costs less than keeping a state.
    """
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True, default=str).encode())
    for example in (*prepared.train, *prepared.validation):
        digest.update(repr(example).encode())
    for batch in batches:
        digest.update(repr([example.id for example in batch]).encode())
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            digest.update(f"{name} {tuple(parameter.shape)} {parameter.dtype}".encode())
            digest.update(parameter.detach().cpu().flatten().view(torch.uint8).numpy())
    return digest.hexdigest()


class _UnusableError(Exception):
    """A state that cannot be gone on from; the message is a predicate."""


def _write(folder: Path, state: State, identity: str) -> None:
    folder.mkdir(parents=True)
    save_file(dict(state.tensors), folder / _TENSORS)
    values = {"identity": identity, "step": state.step, "values": state.values}
    (folder / _VALUES).write_text(json.dumps(values), encoding="utf-8")
    hashes = {name: _sha256(folder / name) for name in (_TENSORS, _VALUES)}
    (folder / _HASHES).write_text(json.dumps(hashes), encoding="utf-8")
    for name in (_TENSORS, _VALUES, _HASHES):
        _sync(folder / name)
    _sync(folder)


def _read(folder: Path, identity: str | None = None) -> State:
    """Of a training of that identity, where one is given."""
    try:
        hashes = json.loads((folder / _HASHES).read_text(encoding="utf-8"))
        if hashes != {name: _sha256(folder / name) for name in (_TENSORS, _VALUES)}:
            raise _UnusableError("is not what was written: its hash differs")
        stored = json.loads((folder / _VALUES).read_text(encoding="utf-8"))
        if identity is not None and stored["identity"] != identity:
            raise _UnusableError("is of another training: its settings, examples or weights differ")
        return State(stored["step"], load_file(folder / _TENSORS), stored["values"])
    except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
        raise _UnusableError(f"is not what was written ({error})") from error


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
