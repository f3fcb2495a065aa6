"""What to say of a file that cannot be read as text."""

from __future__ import annotations

import codecs
from collections.abc import Callable
from pathlib import Path

_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def unreadable(
    path: Path, failure: OSError | UnicodeDecodeError, *, folder: Callable[[], str], there: Callable[[], str] = str
) -> str:
    """Why a file cannot be read, and the way out.

    Args:
        path: of the file.
        failure: what reading it raised.
        folder: what to say of a folder beside that it is one; asked for then alone.
        there: likewise of a file that is not there.
    """
    if isinstance(failure, UnicodeDecodeError):
        return _not_utf8(path, failure)
    if isinstance(failure, FileNotFoundError):
        return f"there is no file {path}{there()}"
    if isinstance(failure, IsADirectoryError):
        return f"{path} is a folder{folder()}"
    return f"{path} cannot be read: {failure.strerror or failure}"


def _not_utf8(path: Path, error: UnicodeDecodeError) -> str:
    """Where a file, decoded in one piece, stops being UTF-8, and the way out."""
    if error.object.startswith(_UTF16):
        return f"{path} is UTF-16 text; save it as UTF-8"
    before = error.object[: error.start].decode("utf-8")
    line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
    return f"{path}:{line}:{column}: the byte 0x{error.object[error.start]:02X} is not UTF-8 text; save the file as UTF-8"
