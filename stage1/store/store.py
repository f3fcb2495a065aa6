"""The folder of artifacts, shared by all runs: who may write what, and what happens to what is damaged or left behind."""

from __future__ import annotations

import contextlib
import os
import shutil
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from compiler.plan import Step
from stage1.store.artifact import MANIFEST, Artifact, Draft, read_manifest, verify_files
from stage1.store.files import sync, write_json


class Store:
    """Artifacts under `root/artifacts`, written under `root/unfinished` and renamed when whole.

    A step is made by whoever holds its lock, which the system releases when the holder dies, however it dies.
    """

    url: str | None = None
    """Where the artifacts are shared, if not in this folder alone."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._artifacts = root / "artifacts"
        self._unfinished = root / "unfinished"
        self._scratch = root / "scratch"
        self._locks = root / "locks"

    @property
    def shown(self) -> str:
        """Where the artifacts are, as people and logs may read it."""
        return str(self.root)

    def has(self, fingerprint: str) -> bool:
        """Whether the artifact is complete."""
        return self._is_here(fingerprint)

    def known(self) -> frozenset[str]:
        """Fingerprints of all complete artifacts."""
        return self._here()

    def only_here(self) -> frozenset[str]:
        """Fingerprints of artifacts that are complete in this folder and that other users of the store do not see."""
        return frozenset()

    def publish(self, fingerprint: str) -> bool:
        """Let all users of the store see an artifact that only this folder has; False: there was nothing to do.

        Raises:
            DamagedArtifact: it is not what was written.
        """
        return False

    def keep_plan(self, experiment: str, plan: Mapping[str, Any]) -> Path:
        """Note what is about to be carried out; returns the folder of the experiment's runs."""
        folder = self.root / experiment
        folder.mkdir(parents=True, exist_ok=True)
        write_json(folder / "plan.json", plan)
        return folder

    def sees(self, experiment: str) -> bool:
        """Whether this is the store in which the plan of an experiment was noted."""
        return (self.root / experiment).exists()

    def open(self, fingerprint: str, *, verify: bool = True) -> Artifact:
        """A complete artifact, its manifest and files checked against their hashes.

        Raises:
            KeyError: there is no such artifact.
            DamagedArtifact: a file is missing or differs; the message names it.
        """
        folder = self._artifacts / fingerprint
        if not (folder / MANIFEST).is_file():
            raise KeyError(fingerprint)
        manifest = read_manifest(folder, fingerprint)
        if verify:
            verify_files(folder, fingerprint, manifest["files"])
        return Artifact(folder, manifest)

    @contextlib.contextmanager
    def claim(self, fingerprint: str) -> Iterator[bool]:
        """The exclusive right to make or remove an artifact, for the length of the block; False: another process has it."""
        with self._locked(fingerprint) as mine:
            yield mine

    @contextlib.contextmanager
    def _locked(self, name: str, *, patience: float = 0) -> Iterator[bool]:
        """A lock among the processes that use this folder; `patience` in seconds, -1: without end."""
        from filelock import FileLock, Timeout

        self._locks.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self._locks / f"{name}.lock", timeout=patience, thread_local=False)
        try:
            lock.acquire()
        except Timeout:
            yield False
            return
        try:
            yield True
        finally:
            lock.release()

    @contextlib.contextmanager
    def writing(self, step: Step, provenance: Mapping[str, Any], inputs: Mapping[str, str]) -> Iterator[Draft]:
        """A draft that becomes the step's artifact when the block ends without an exception, and vanishes otherwise.

        `inputs` maps each role to the fingerprint that filled it. The block may add to `draft.provenance`.
        """
        folder = self._new_folder(step.fingerprint)
        draft = Draft(
            folder,
            dict(provenance),
            lambda: self.scratch(step.fingerprint),
            self.root / "damaged",
            lambda model: self.root / "log_probs" / model,
        )
        try:
            yield draft
            draft.finish(step, inputs)
            self._complete(folder, step.fingerprint)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def scratch(self, fingerprint: str) -> Path:
        """A folder for the state of a step in progress: it survives the process and goes when the step is complete."""
        folder = self._scratch / fingerprint
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def _complete(self, folder: Path, fingerprint: str) -> None:
        self._artifacts.mkdir(parents=True, exist_ok=True)
        target = self._artifacts / fingerprint
        if target.is_dir() and not self._is_here(
            fingerprint
        ):  # it lost its manifest: a removal was cut off, or the disk did it
            self._move_aside(target, fingerprint)
        failure: OSError | None = None
        try:
            folder.rename(target)
        except OSError as error:  # another writer may have been first with the same content: theirs stays
            failure = error
        if not self._is_here(fingerprint):
            if failure is None:
                raise OSError(f"artifact {fingerprint[:12]} has gone from {self._artifacts} as soon as it was there")
            raise OSError(failure.errno, failure.strerror, str(self._artifacts)) from failure  # the folder that refused it
        sync(self._artifacts)
        shutil.rmtree(self._scratch / fingerprint, ignore_errors=True)

    def sweep(self) -> int:
        """Remove drafts that nobody works on and scratch of complete steps; returns how many folders went."""
        gone = 0
        for entry in [*_entries(self._unfinished), *_entries(self._scratch)]:
            fingerprint = entry.name.split(".")[0]
            if entry.parent == self._scratch and not self.has(fingerprint):
                continue
            with self._locked(fingerprint) as mine:
                if mine:
                    shutil.rmtree(entry, ignore_errors=True)
                    gone += 1
        return gone

    def remove_idle_locks(self) -> int:
        """Remove the empty files of locks that nobody holds; returns how many went.

        Not done whenever a lock is released: on network file systems somebody may just be about to take it by its old file.
        """
        gone = 0
        for path in sorted(self._locks.glob("*.lock")):
            with self._locked(path.stem) as mine:
                if mine:
                    path.unlink(missing_ok=True)
                    gone += 1
        return gone

    def set_aside(self, fingerprint: str) -> Path:
        """Move a damaged artifact out of the way, for a person to look at; returns where it is now."""
        return self._move_aside(self._artifacts / fingerprint, fingerprint)

    def _move_aside(self, folder: Path, fingerprint: str) -> Path:
        target = self.root / "damaged" / f"{fingerprint}.{uuid.uuid4().hex[:8]}"
        target.parent.mkdir(parents=True, exist_ok=True)
        folder.rename(target)
        return target

    def _new_folder(self, name: str) -> Path:
        """A folder of this process for what is being written; it is swept once nobody holds the lock `name`."""
        folder = self._unfinished / f"{name}.{os.getpid()}.{uuid.uuid4().hex[:8]}"
        folder.mkdir(parents=True)
        return folder

    def _is_here(self, fingerprint: str) -> bool:
        return (self._artifacts / fingerprint / MANIFEST).is_file()

    def _here(self) -> frozenset[str]:
        if not self._artifacts.is_dir():
            return frozenset()
        return frozenset(entry.name for entry in self._artifacts.iterdir() if (entry / MANIFEST).is_file())


def _entries(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []
