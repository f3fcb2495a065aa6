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
from stage1.store.files import sync


class Store:
    """Artifacts under `root/artifacts`, written under `root/unfinished` and renamed when whole.

    A step is made by whoever holds its lock, which the system releases when the holder dies, however it dies.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._artifacts = root / "artifacts"
        self._unfinished = root / "unfinished"
        self._scratch = root / "scratch"
        self._locks = root / "locks"

    def has(self, fingerprint: str) -> bool:
        """Whether the artifact is complete."""
        return (self._artifacts / fingerprint / MANIFEST).is_file()

    def known(self) -> frozenset[str]:
        """Fingerprints of all complete artifacts."""
        if not self._artifacts.is_dir():
            return frozenset()
        return frozenset(entry.name for entry in self._artifacts.iterdir() if (entry / MANIFEST).is_file())

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
        from filelock import FileLock, Timeout

        self._locks.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self._locks / f"{fingerprint}.lock", timeout=0, thread_local=False)
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
        folder = self._unfinished / f"{step.fingerprint}.{os.getpid()}.{uuid.uuid4().hex[:8]}"
        folder.mkdir(parents=True)
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
        with contextlib.suppress(OSError):  # another writer was first with the same content: theirs stays
            folder.rename(self._artifacts / fingerprint)
        if not self.has(fingerprint):
            raise OSError(f"could not complete artifact {fingerprint[:12]} in {self._artifacts}")
        sync(self._artifacts)
        shutil.rmtree(self._scratch / fingerprint, ignore_errors=True)

    def sweep(self) -> int:
        """Remove drafts that nobody works on and scratch of complete steps; returns how many folders went."""
        gone = 0
        for entry in [*_entries(self._unfinished), *_entries(self._scratch)]:
            fingerprint = entry.name.split(".")[0]
            if entry.parent == self._scratch and not self.has(fingerprint):
                continue
            with self.claim(fingerprint) as mine:
                if mine:
                    shutil.rmtree(entry, ignore_errors=True)
                    gone += 1
        return gone

    def set_aside(self, fingerprint: str) -> Path:
        """Move a damaged artifact out of the way, for a person to look at; returns where it is now."""
        target = self.root / "damaged" / f"{fingerprint}.{uuid.uuid4().hex[:8]}"
        target.parent.mkdir(parents=True, exist_ok=True)
        (self._artifacts / fingerprint).rename(target)
        return target


def _entries(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []
