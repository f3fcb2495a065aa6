"""An artifact on its way to a URL and back: files first and the manifest last, everything checked on arrival."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stage1.store.artifact import MANIFEST, Artifact, DamagedArtifact, read_manifest
from stage1.store.files import sha256, sync
from stage1.store.names import stay_within
from stage1.store.remote import Remote

Files = Mapping[str, Mapping[str, Any]]
"""Name -> sha256, bytes; as in a manifest."""


def manifest_of(fingerprint: str) -> str:
    """The name of an artifact's manifest at the URL; where it is, the artifact is complete."""
    return f"manifests/{fingerprint}.json"


def send(remote: Remote, artifact: Artifact) -> None:
    """Make an artifact of this machine complete at the URL.

    Raises:
        StoreUnreachable: it has not arrived; nobody sees what has.
    """
    fingerprint, files = str(artifact.manifest["fingerprint"]), artifact.manifest["files"]
    remote.send({_file(fingerprint, files[name]["sha256"]): artifact.folder / name for name in files})
    remote.send({manifest_of(fingerprint): artifact.folder / MANIFEST})


def fetch(remote: Remote, fingerprint: str, manifest: bytes, folder: Path) -> None:
    """Fill a folder of this machine with an artifact whose manifest was read.

    Raises:
        DamagedArtifact: the manifest or a file is not what was written, or is missing; the message says where it is.
        StoreUnreachable: the URL does not answer.
    """
    (folder / MANIFEST).write_bytes(manifest)
    files = _promised(remote, fingerprint, folder)
    sources = {folder / name: _file(fingerprint, about["sha256"]) for name, about in files.items()}
    for path in sources:
        path.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(KeyError):  # which one is missing is found below
        remote.fetch(sources)
    for name in _wrong(folder, files):  # a line may break off in mid-file: twice wrong is wrong
        with contextlib.suppress(KeyError):
            remote.fetch({folder / name: sources[folder / name]})
    for name in _wrong(folder, files):
        what = "is not what was written: its hash differs" if (folder / name).is_file() else "is missing"
        raise DamagedArtifact(fingerprint, f"{name} ({remote.shown}/{sources[folder / name]}) {what}")
    for path in (*sources, folder / MANIFEST, folder):
        sync(path)


def withdraw(remote: Remote, fingerprint: str, manifest: bytes) -> None:
    """Make a damaged artifact absent, unless somebody has made it again since its manifest was read."""
    with contextlib.suppress(KeyError):
        if remote.read(manifest_of(fingerprint)) == manifest:
            remote.remove(manifest_of(fingerprint))


def _promised(remote: Remote, fingerprint: str, folder: Path) -> Files:
    where = f"{remote.shown}/{manifest_of(fingerprint)}"
    try:
        files: Files = read_manifest(folder, fingerprint)["files"]
    except DamagedArtifact:
        raise DamagedArtifact(fingerprint, f"{where} is not what was written") from None
    if not stay_within(files) or MANIFEST in files:
        raise DamagedArtifact(fingerprint, f"{where} names files outside its artifact")
    return files


def _wrong(folder: Path, files: Files) -> list[str]:
    """The files that are missing or not what was promised."""
    return [name for name, about in files.items() if not (folder / name).is_file() or sha256(folder / name) != about["sha256"]]


def _file(fingerprint: str, content: str) -> str:
    return f"files/{fingerprint}/{content}"
