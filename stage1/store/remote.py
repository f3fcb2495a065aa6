"""Named bytes at an fsspec URL: an S3 bucket, a folder behind SSH, memory. All that the store asks of object storage.

Credentials and endpoints come from where the protocol's own tools find them, or from fsspec's `FSSPEC_<PROTOCOL>_<OPTION>`
variables; nothing of them is kept or shown here.
"""

from __future__ import annotations

import contextlib
import errno
import uuid
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from stage1.secrets import masked

_OBJECTS = frozenset({"s3", "s3a", "gs", "gcs", "abfs", "abfss", "az", "adl", "oss", "oci", "tos", "hf", "memory"})
"""Protocols of object storage: an object appears when it is whole, and nothing has to be made before it is written (above all
no bucket, of a typing mistake). All others have folders, half-written files, and a rename that makes them whole."""
_OF_THIS_DISK = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class StoreUnreachable(OSError):
    """The place that a URL names cannot be used; the message is one line and holds no secret."""


class Remote:
    """Objects below a URL, by names with slashes. Absence is a KeyError, whatever else goes wrong a StoreUnreachable."""

    def __init__(self, url: str) -> None:
        """Find the library that speaks the URL's protocol; nothing is asked of the other side yet.

        Raises:
            StoreUnreachable: there is none.
        """
        import fsspec

        self.shown = masked(url.partition("?")[0]).rstrip("/")
        protocol = url.partition("://")[0].rpartition("::")[2]
        try:
            self._fs, root = fsspec.core.url_to_fs(url, **({"auto_mkdir": True} if protocol in ("file", "local") else {}))
        except ImportError as missing:
            raise StoreUnreachable(f"{self.shown}: {_what_to_install(protocol, missing)}") from None
        except Exception as error:
            raise self._unreachable(error) from error
        self._root = root.rstrip("/")
        self._is_object_storage = protocol in _OBJECTS
        self._made: set[str] = set()

    def has(self, name: str) -> bool:
        """Whether there is an object of that name."""
        with self._talking():
            self._fs.invalidate_cache()
            return bool(self._fs.exists(self._at(name)))

    def names(self, folder: str) -> list[str]:
        """The last parts of the names of what lies directly in a folder, sorted; none where there is no such folder."""
        with self._talking():
            self._fs.invalidate_cache()
            try:
                found = self._fs.ls(self._at(folder), detail=False)
            except FileNotFoundError:
                return []
        names = (PurePosixPath(path).name for path in found)
        return sorted(name for name in names if name != PurePosixPath(folder).name)

    def sizes(self, folder: str) -> dict[str, int]:
        """Bytes of every object below a folder, by its name relative to that folder."""
        with self._talking():
            self._fs.invalidate_cache()
            try:
                found: Mapping[str, Mapping[str, Any]] = self._fs.find(self._at(folder), detail=True)
            except FileNotFoundError:
                return {}
        start = self._at(folder).lstrip("/") + "/"
        return {path.lstrip("/").removeprefix(start): int(about.get("size") or 0) for path, about in found.items()}

    def read(self, name: str) -> bytes:
        """The content of an object.

        Raises:
            KeyError: there is none.
        """
        with self._talking():
            try:
                return bytes(self._fs.cat_file(self._at(name)))
            except FileNotFoundError:
                raise KeyError(name) from None

    def write(self, name: str, content: bytes) -> None:
        """Make or replace an object."""
        with self._talking(), self._whole([name]) as (path,):
            self._fs.pipe_file(path, content)

    def create(self, name: str, content: bytes) -> bool:
        """Make an object unless there is one; False: there is.

        One request where the protocol has conditional writes (S3, Google), else a look before the write: of two who try at
        the same moment both may then be told that they made it.
        """
        with self._talking():
            path = self._at(name)
            self._make_folder_of(path)
            try:
                self._fs.pipe_file(path, content, mode="create")
            except FileExistsError:
                return False
            except (NotImplementedError, TypeError, ValueError):
                if self._fs.exists(path):
                    return False
                self._fs.pipe_file(path, content)
            return True

    def remove(self, *names: str) -> None:
        """Remove objects; those that are gone already are no error."""
        with self._talking():
            for name in names:
                with contextlib.suppress(FileNotFoundError):
                    self._fs.rm_file(self._at(name))

    def send(self, files: Mapping[str, Path]) -> None:
        """Make or replace objects from files of this machine, by their names."""
        if not files:
            return
        with self._talking(), self._whole(list(files)) as places:
            self._fs.put([str(path) for path in files.values()], places)

    def fetch(self, files: Mapping[Path, str]) -> None:
        """Copy objects into files of this machine.

        Raises:
            KeyError: at least one of them does not exist.
        """
        if not files:
            return
        with self._talking():
            try:
                self._fs.get([self._at(name) for name in files.values()], [str(path) for path in files])
            except FileNotFoundError as missing:
                raise KeyError(str(missing)) from None

    def _at(self, name: str) -> str:
        return f"{self._root}/{name}"

    @contextlib.contextmanager
    def _whole(self, names: Sequence[str]) -> Iterator[list[str]]:
        """Paths to write to, so that nobody sees half an object under its name."""
        paths = [self._at(name) for name in names]
        if self._is_object_storage:
            yield paths
            return
        beside = [self._at(f"unfinished/{uuid.uuid4().hex}") for _ in names]
        for path in (*beside, *paths):
            self._make_folder_of(path)
        yield beside
        for written, path in zip(beside, paths, strict=True):
            self._fs.mv(written, path)

    def _make_folder_of(self, path: str) -> None:
        folder = path.rpartition("/")[0]
        if not self._is_object_storage and folder not in self._made:
            self._fs.makedirs(folder, exist_ok=True)
            self._made.add(folder)

    @contextlib.contextmanager
    def _talking(self) -> Iterator[None]:
        """Storage libraries raise what their protocols raise; the store knows one failure of them all."""
        try:
            yield
        except (KeyError, StoreUnreachable):
            raise
        except Exception as error:
            if isinstance(error, OSError) and error.errno in _OF_THIS_DISK:
                raise
            raise self._unreachable(error) from error

    def _unreachable(self, error: Exception) -> StoreUnreachable:
        said = " ".join(str(error).split()) or type(error).__name__
        return StoreUnreachable(f"{self.shown} cannot be used: {masked(said)[:300]}")


def _what_to_install(protocol: str, missing: ImportError) -> str:
    if protocol in ("s3", "s3a"):
        return "install s3fs: `uv sync --extra remote`"
    return " ".join(str(missing).split())
