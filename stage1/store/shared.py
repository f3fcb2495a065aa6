"""A store at a URL, used through a folder of this machine.

What is below the URL, for every artifact:

    manifests/<fingerprint>.json      the manifest; written last, and its presence means: complete
    files/<fingerprint>/<sha256>      the files, named by their content: two who upload at once never spoil each other's
    leases/<fingerprint>/<n>          somebody makes it now
    states/<fingerprint>...           where a step in work can be gone on with
    plans/<experiment>/<folder>.json  what was carried out last, from each folder

Object storage has no rename, so the order of writing stands for it. The folder is a cache and a place of work: a step's inputs
are copied into it once, checked, and read from there; what a step made is complete there first, and then sent.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from compiler.plan import Step
from stage1.store.artifact import Artifact, DamagedArtifact, Draft
from stage1.store.leases import Leases
from stage1.store.remote import Remote
from stage1.store.states import KeptStates
from stage1.store.store import Store
from stage1.store.transfer import fetch, manifest_of, send, withdraw

_FOREVER = -1
_PLANS = "plans"


class SharedStore(Store):
    """Artifacts at a URL, with `root` as this machine's copy of those that it has read or made."""

    def __init__(self, root: Path, url: str, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` counts seconds.

        Raises:
            StoreUnreachable: nothing here speaks the URL's protocol.
        """
        super().__init__(root)
        self.url = url
        self.remote = Remote(url)
        self._clock = clock
        self._leases: Leases | None = None
        self._states: dict[str, KeptStates] = {}

    @property
    def shown(self) -> str:
        """The URL without secrets."""
        return self.remote.shown

    def has(self, fingerprint: str) -> bool:
        """Whether the artifact is complete where all see it."""
        return self.remote.has(manifest_of(fingerprint))

    def known(self) -> frozenset[str]:
        """Fingerprints of all artifacts that are complete where all see them."""
        return frozenset(name.removesuffix(".json") for name in self.remote.names("manifests"))

    def only_here(self) -> frozenset[str]:
        """What was made here and never arrived, or has been removed from the URL since."""
        return self._here() - self.known()

    def open(self, fingerprint: str, *, verify: bool = True) -> Artifact:
        """A complete artifact, copied here first if it is not here yet; always checked when it is copied.

        Raises:
            KeyError: there is no such artifact.
            DamagedArtifact: a file is missing or differs; the message names it. What is damaged has been moved aside already.
            StoreUnreachable: the URL does not answer.
        """
        if not self._is_here(fingerprint):
            self._fetch(fingerprint)
        try:
            return super().open(fingerprint, verify=verify)
        except DamagedArtifact as damage:
            raise DamagedArtifact(fingerprint, f"{damage}; moved to {self._moved(fingerprint)}") from None

    def set_aside(self, fingerprint: str) -> Path:
        """Where damaged artifacts are: `open` has moved this one already."""
        return self.root / "damaged"

    def _moved(self, fingerprint: str) -> Path:
        try:
            return super().set_aside(fingerprint)
        except FileNotFoundError:  # another process was first
            return self.root / "damaged"

    @contextlib.contextmanager
    def claim(self, fingerprint: str) -> Iterator[bool]:
        """The right to make or remove an artifact: exclusive on this machine, and as far as a lease reaches on all others."""
        with self._locked(fingerprint) as mine:
            if not mine:
                yield False
                return
            with self._all_leases().held(fingerprint) as ours:
                yield ours

    @contextlib.contextmanager
    def writing(self, step: Step, provenance: Mapping[str, Any], inputs: Mapping[str, str]) -> Iterator[Draft]:
        """As in a folder; what the step keeps to go on from is kept for other machines, too."""
        name = step.fingerprint
        states = KeptStates(self.remote, name, self._scratch / name, lambda: self._new_folder(name), self._clock)
        self._states[name] = states
        try:
            with states.watched(), super().writing(step, provenance, inputs) as draft:
                yield draft
        finally:
            del self._states[name]

    def scratch(self, fingerprint: str) -> Path:
        """The folder for the state of a step in progress, with what another machine kept of it."""
        folder = super().scratch(fingerprint)
        if fingerprint in self._states:
            self._states[fingerprint].fetch()
        return folder

    def publish(self, fingerprint: str) -> bool:
        """Send an artifact that only this folder has."""
        if not self._is_here(fingerprint) or self.has(fingerprint):
            return False
        self._send(fingerprint)
        return True

    def keep_plan(self, experiment: str, plan: Mapping[str, Any]) -> Path:
        """Note what is about to be carried out, here and where all see it."""
        folder = super().keep_plan(experiment, plan)
        self.remote.send({f"{_PLANS}/{experiment}/{self._owner()}.json": folder / "plan.json"})
        return folder

    def sees(self, experiment: str) -> bool:
        """Whether the plan was noted below the same URL."""
        return bool(self.remote.names(f"{_PLANS}/{experiment}"))

    def plans(self) -> dict[str, bytes]:
        """The plans that were carried out last, from every folder of everybody: name at the URL -> content."""
        plans = {}
        for below in self.remote.sizes(_PLANS):
            with contextlib.suppress(KeyError):
                plans[f"{_PLANS}/{below}"] = self.remote.read(f"{_PLANS}/{below}")
        return plans

    def sizes(self) -> dict[str, int]:
        """Bytes of every artifact at the URL by fingerprint, and of files and states that belong to none yet or no more."""
        sizes = dict.fromkeys(self.known(), 0)
        for name, size in (*self.remote.sizes("files").items(), *self.remote.sizes("states").items()):
            fingerprint = name.partition("/")[0].removesuffix(".json")
            sizes[fingerprint] = sizes.get(fingerprint, 0) + size
        return sizes

    def step_of(self, fingerprint: str) -> str | None:
        """The id of the step that an artifact at the URL was made for; None where there is no manifest to tell."""
        try:
            return str(json.loads(self.remote.read(manifest_of(fingerprint)))["step"])
        except (ValueError, KeyError, TypeError):
            return None

    def remove(self, fingerprint: str) -> bool:
        """Remove an artifact from the URL, unless somebody works on it; its copy here stays."""
        with self.claim(fingerprint) as mine:
            if mine:
                self.remote.remove(manifest_of(fingerprint))  # first of all: half an artifact must not look like one
                self.remote.remove(f"states/{fingerprint}.json")
                for folder in (f"files/{fingerprint}", f"states/{fingerprint}"):
                    self.remote.remove(*(f"{folder}/{name}" for name in self.remote.names(folder)))
            return mine

    def _complete(self, folder: Path, fingerprint: str) -> None:
        super()._complete(folder, fingerprint)
        self._send(fingerprint)

    def _send(self, fingerprint: str) -> None:
        send(self.remote, super().open(fingerprint))  # checked: what is damaged must not leave this machine

    def _fetch(self, fingerprint: str) -> None:
        lock = f"{fingerprint}-copy"  # the artifact's own lock may be held by whoever wants to read this one as an input
        with self._locked(lock, patience=_FOREVER):
            if self._is_here(fingerprint):
                return
            manifest = self.remote.read(manifest_of(fingerprint))
            folder = self._new_folder(lock)
            try:
                fetch(self.remote, fingerprint, manifest, folder)
                super()._complete(folder, fingerprint)
            except DamagedArtifact as damage:
                withdraw(self.remote, fingerprint, manifest)
                aside = self._move_aside(folder, fingerprint)
                raise DamagedArtifact(fingerprint, f"{damage}; what was read is in {aside}") from None
            finally:
                shutil.rmtree(folder, ignore_errors=True)

    def _all_leases(self) -> Leases:
        if self._leases is None:
            self._leases = Leases(self.remote, self._owner(), self._clock)
        return self._leases

    def _owner(self) -> str:
        """A name of this folder that no other folder has; written into it once, by whoever comes first."""
        path = self._locks / "owner"
        with self._locked("owner", patience=_FOREVER):
            if not path.is_file():
                path.write_text(uuid.uuid4().hex, encoding="ascii")
            return path.read_text(encoding="ascii")
