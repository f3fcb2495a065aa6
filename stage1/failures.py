"""Which failures end a run, and what a person can do about each; all others end only the step they happen in."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterator
from pathlib import Path

from stage1.store import StoreUnreachable

_FULL = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk quota is used up",
    errno.EFBIG: "files may not grow this large",
}
_FORBIDDEN = {errno.EROFS: "is read-only", errno.EACCES: "may not be written", errno.EPERM: "may not be written"}
_FULL_IN_WORDS = ("no space left on device", "os error 28", "disk quota exceeded", "file too large", "os error 27")
_DEVICE_IN_WORDS = (
    "cuda error", "device-side assert", "nccl error", "hip error", "no cuda gpus are available", "cuda unknown error",
)  # fmt: skip
_MEMORY_IN_WORDS = ("out of memory", "cublas_status_alloc_failed")


class GpuGone(RuntimeError):
    """A GPU that this process was given is not there; the message names it."""


def one_line(error: BaseException) -> str:
    """An exception as one readable line, without control characters."""
    text = " ".join("".join(sign for sign in str(error) if sign.isprintable() or sign.isspace()).split())
    return text or type(error).__name__


def reason_to_stop(error: BaseException, root: Path) -> str | None:
    """Why no other step can succeed either, and the way out; None when the failure concerns its own step alone."""
    for link in chain(error):
        reason = _of_storage(link, root) or _of_disk(link, root) or _of_device(link)
        if reason:
            return reason
    return None


def _of_storage(error: BaseException, root: Path) -> str | None:
    if not isinstance(error, StoreUnreachable):
        return None
    return f"{error}; what was made is in {root}, and the same command sends it when the store can be used again"


def _of_disk(error: BaseException, root: Path) -> str | None:
    number = error.errno if isinstance(error, OSError) else None
    said = str(error).lower()
    if number in _FULL or any(words in said for words in _FULL_IN_WORDS):
        what = _FULL.get(number or 0, "the disk is full")
        return f"{what} ({_free(root)} at {root}); make room (see `stage1 gc`), then run the same command again"
    if isinstance(error, OSError) and number == errno.EIO:
        return f"the disk at {root} reports errors ({one_line(error)}); see `dmesg`, then run the same command again"
    if isinstance(error, OSError) and number in _FORBIDDEN and _below(error.filename, root):
        return f"{error.filename} {_FORBIDDEN[number]}; give write permission, or choose another folder with --store"
    return None


def lost_device(error: BaseException) -> str | None:
    """What the device said when it stopped working; None when it works. A process cannot use a device that did so once."""
    return next((one_line(link)[:200] for link in chain(error) if _is_of_device(link)), None)


def _of_device(error: BaseException) -> str | None:
    if not _is_of_device(error):
        return None
    return (
        f"the device stopped working ({one_line(error)[:200]}); check it with `stage1 doctor`, then run the same command again"
    )


def _is_of_device(error: BaseException) -> bool:
    """Running out of memory is no failure of the device, though some drivers call it an error of CUDA, too."""
    said = str(error).lower()
    if type(error).__name__ == "OutOfMemoryError" or any(words in said for words in _MEMORY_IN_WORDS):
        return False
    return (
        isinstance(error, GpuGone)
        or type(error).__name__ == "AcceleratorError"
        or any(words in said for words in _DEVICE_IN_WORDS)
    )


def chain(error: BaseException) -> Iterator[BaseException]:
    """An exception and what it came from, the last first."""
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        yield link
        link = link.__cause__ or link.__context__


def _below(name: object, root: Path) -> bool:
    if not isinstance(name, str | bytes):
        return False
    path = Path(name.decode(errors="replace") if isinstance(name, bytes) else name).absolute()
    return path.is_relative_to(root.absolute()) or root.absolute().is_relative_to(path)


def _free(root: Path) -> str:
    while not root.exists() and root != root.parent:
        root = root.parent
    try:
        return f"{shutil.disk_usage(root).free / 2**20:.0f} MiB free"
    except OSError:
        return "free space unknown"
