"""An artifact on disk and one in the making. Its manifest lists every file with its hash, and carries a hash of its own."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel

from compiler.plan import Step, fingerprint
from stage1.store.files import sha256, sync, write_json

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

MANIFEST = "manifest.json"
_KEYS = frozenset({"fingerprint", "step", "kind", "version", "settings", "inputs", "files", "provenance"})
_Record = TypeVar("_Record", bound=BaseModel)


class DamagedArtifact(Exception):
    """A stored file does not have the content its manifest promises; the message names it."""

    def __init__(self, fingerprint: str, what: str) -> None:
        super().__init__(fingerprint, what)
        self.fingerprint = fingerprint

    def __str__(self) -> str:
        return str(self.args[1])


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


@dataclass(frozen=True, slots=True)
class Draft:
    """An artifact being written."""

    folder: Path
    provenance: dict[str, Any]
    scratch: Callable[[], Path]
    """A folder for what the step needs to go on after a crash: it outlives the process, not the step."""
    damaged: Path
    """Where what was damaged is moved, for a person to look at."""
    log_probs: Callable[[str], Path]
    """A folder for log-probabilities under the model of that fingerprint, shared by all steps that ask it."""

    def write(self, name: str, records: Iterable[BaseModel | DataclassInstance]) -> None:
        """Records as a `.jsonl` file."""
        with (self.folder / name).open("w", encoding="utf-8", newline="\n") as out:
            out.writelines(_json_line(record) for record in records)

    def write_json(self, name: str, value: Any) -> None:
        """A value as a `.json` file."""
        write_json(self.folder / name, value)

    def finish(self, step: Step, inputs: Mapping[str, str]) -> None:
        """Write the manifest: after this the folder is whole."""
        manifest = {
            "fingerprint": step.fingerprint, "step": step.id, "kind": step.kind, "version": step.version,
            "settings": step.settings, "inputs": dict(inputs), "files": listed(self.folder), "provenance": self.provenance,
        }  # fmt: skip
        write_json(self.folder / MANIFEST, manifest | {"digest": fingerprint(manifest)})
        sync(self.folder)


def read_manifest(folder: Path, of: str) -> Mapping[str, Any]:
    """The manifest of the artifact with fingerprint `of`, checked against its own hash.

    Raises:
        DamagedArtifact: it is not what was written.
    """
    path = folder / MANIFEST
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        digest = manifest.pop("digest", None)
        # Manifests of earlier versions have no hash of their own; one that lost it has an odd key instead.
        sound = manifest.keys() == _KEYS and digest in (None, fingerprint(manifest)) and manifest["fingerprint"] == of
    except (ValueError, AttributeError, TypeError):
        sound = False
    if not sound:
        raise DamagedArtifact(of, f"{path} is not what was written")
    return dict(manifest)


def verify_files(folder: Path, of: str, files: Mapping[str, Mapping[str, Any]]) -> None:
    """Check every listed file against its hash.

    Raises:
        DamagedArtifact: a file is missing or differs.
    """
    for name, promised in files.items():
        path = folder / name
        if not path.is_file():
            raise DamagedArtifact(of, f"{path} is missing")
        if path.stat().st_size != promised["bytes"] or sha256(path) != promised["sha256"]:
            raise DamagedArtifact(of, f"{path} is not what was written: its hash differs")


def _json_line(record: BaseModel | DataclassInstance) -> str:
    if isinstance(record, BaseModel):
        return record.model_dump_json() + "\n"
    return json.dumps(asdict(record), ensure_ascii=False) + "\n"


def listed(folder: Path) -> dict[str, dict[str, Any]]:
    """The files below a folder with their hashes, all of them on the disk for good."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    for path in files:
        sync(path)  # the manifest must not outlive, in a power cut, what it promises
    return {str(path.relative_to(folder)): {"sha256": sha256(path), "bytes": path.stat().st_size} for path in files}
