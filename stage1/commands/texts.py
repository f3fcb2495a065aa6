"""What to say of a file that is no text."""

from __future__ import annotations

import codecs
from pathlib import Path

_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def not_utf8(path: Path, error: UnicodeDecodeError) -> str:
    """Where a file, decoded in one piece, stops being UTF-8, and the way out."""
    if error.object.startswith(_UTF16):
        return f"{path} is UTF-16 text; save it as UTF-8"
    before = error.object[: error.start].decode("utf-8")
    line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
    return f"{path}:{line}:{column}: the byte 0x{error.object[error.start]:02X} is not UTF-8 text; save the file as UTF-8"
