"""The store: one folder per artifact, named by its step's fingerprint, complete or absent.

An artifact is written into a folder beside its place and renamed when it is whole; its manifest is written last, so that
a manifest's existence means the artifact is complete. Every file is listed there with its SHA-256 and checked when the
artifact is opened.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel

from compiler.plan import Step

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

MANIFEST = "manifest.json"
_Record = TypeVar("_Record", bound=BaseModel)


class DamagedArtifact(Exception):
    """A stored file does not have the content its manifest promises."""


@dataclass(frozen=True, slots=True)
class Artifact:
    """A complete artifact on disk."""

    folder: Path
    manifest: Mapping[str, Any]

    def read(self, name: str, record: type[_Record]) -> tuple[_Record, ...]:
        """The records of a `.jsonl` file of this artifact."""
        with (self.folder / name).open(encoding="utf-8") as lines:
            return tuple(record.model_validate_json(line) for line in lines)

    def read_json(self, name: str) -> Any:
        """The content of a `.json` file of this artifact."""
        return json.loads((self.folder / name).read_text(encoding="utf-8"))

    def has(self, name: str) -> bool:
        """Whether the artifact holds a file or folder of that name."""
        return (self.folder / name).exists()


class Store:
    """Artifacts under `root/artifacts`; unfinished work under `root/unfinished`, swept away when its writer is gone."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._artifacts = root / "artifacts"
        self._unfinished = root / "unfinished"

    def has(self, fingerprint: str) -> bool:
        """Whether the artifact is complete."""
        return (self._artifacts / fingerprint / MANIFEST).is_file()

    def known(self) -> frozenset[str]:
        """Fingerprints of all complete artifacts."""
        if not self._artifacts.is_dir():
            return frozenset()
        return frozenset(entry.name for entry in self._artifacts.iterdir() if (entry / MANIFEST).is_file())

    def open(self, fingerprint: str, *, verify: bool = True) -> Artifact:
        """A complete artifact, its files checked against their hashes.

        Raises:
            KeyError: there is no such artifact.
            DamagedArtifact: a file is missing or differs; the message names it.
        """
        folder = self._artifacts / fingerprint
        if not (folder / MANIFEST).is_file():
            raise KeyError(fingerprint)
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        if verify:
            _verify(folder, manifest["files"])
        return Artifact(folder, manifest)

    @contextlib.contextmanager
    def writing(self, step: Step, provenance: Mapping[str, Any], inputs: Mapping[str, str]) -> Iterator[Draft]:
        """A draft that becomes the step's artifact when the block ends without an exception, and vanishes otherwise.

        `inputs` maps each role to the fingerprint that filled it. The block may add to `draft.provenance`.
        """
        folder = self._unfinished / f"{step.fingerprint}.{os.getpid()}.{uuid.uuid4().hex[:8]}"
        folder.mkdir(parents=True)
        draft = Draft(folder, dict(provenance))
        try:
            yield draft
            manifest = {
                "fingerprint": step.fingerprint, "step": step.id, "kind": step.kind, "version": step.version,
                "settings": step.settings, "inputs": dict(inputs), "files": _hashes(folder), "provenance": draft.provenance,
            }  # fmt: skip
            write_json(folder / MANIFEST, manifest)
            self._complete(folder, step.fingerprint)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _complete(self, folder: Path, fingerprint: str) -> None:
        self._artifacts.mkdir(parents=True, exist_ok=True)
        _sync_folder(folder)
        with contextlib.suppress(OSError):  # another writer was first with the same content: theirs stays
            folder.rename(self._artifacts / fingerprint)
        if not self.has(fingerprint):
            raise OSError(f"could not complete artifact {fingerprint[:12]} in {self._artifacts}")
        _sync_folder(self._artifacts)

    def sweep(self) -> int:
        """Remove unfinished work whose writing process no longer lives; returns how many folders went."""
        if not self._unfinished.is_dir():
            return 0
        dead = [entry for entry in self._unfinished.iterdir() if not _alive(entry.name)]
        for entry in dead:
            shutil.rmtree(entry, ignore_errors=True)
        return len(dead)

    def set_aside(self, fingerprint: str) -> Path:
        """Move a damaged artifact out of the way, for a person to look at; returns where it is now."""
        target = self.root / "damaged" / f"{fingerprint}.{uuid.uuid4().hex[:8]}"
        target.parent.mkdir(parents=True, exist_ok=True)
        (self._artifacts / fingerprint).rename(target)
        return target


@dataclass(frozen=True, slots=True)
class Draft:
    """An artifact being written."""

    folder: Path
    provenance: dict[str, Any]

    def write(self, name: str, records: Iterable[BaseModel | DataclassInstance]) -> None:
        """Records as a `.jsonl` file."""
        with (self.folder / name).open("w", encoding="utf-8", newline="\n") as out:
            out.writelines(_json_line(record) for record in records)

    def write_json(self, name: str, value: Any) -> None:
        """A value as a `.json` file."""
        write_json(self.folder / name, value)


def _json_line(record: BaseModel | DataclassInstance) -> str:
    if isinstance(record, BaseModel):
        return record.model_dump_json() + "\n"
    return json.dumps(asdict(record), ensure_ascii=False) + "\n"


def write_json(path: Path, value: Any) -> None:
    """Readable, deterministic JSON, renamed into place: no reader ever sees half a file."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    with beside.open("w", encoding="utf-8", newline="\n") as out:
        out.write(json.dumps(value, indent=1, ensure_ascii=False, sort_keys=True) + "\n")
        out.flush()
        os.fsync(out.fileno())
    beside.rename(path)


def _hashes(folder: Path) -> dict[str, dict[str, Any]]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): {"sha256": _sha256(path), "bytes": path.stat().st_size} for path in files}


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _verify(folder: Path, files: Mapping[str, Mapping[str, Any]]) -> None:
    for name, promised in files.items():
        path = folder / name
        if not path.is_file():
            raise DamagedArtifact(f"{path} is missing")
        if path.stat().st_size != promised["bytes"] or _sha256(path) != promised["sha256"]:
            raise DamagedArtifact(f"{path} is not what was written: its hash differs")


def _alive(name: str) -> bool:
    try:
        os.kill(int(name.split(".")[1]), 0)
    except (IndexError, ValueError, ProcessLookupError):
        return False
    except PermissionError:
        return True
    return True


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
