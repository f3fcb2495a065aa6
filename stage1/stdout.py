"""Standard output that says of itself when it takes no more: the disk below it is full, or its reader has gone."""

from __future__ import annotations

import io
import os
import signal
import sys
from typing import TextIO

GONE = 128 + signal.SIGPIPE
"""The exit code of a tool whose reader went, as a shell sees it of most tools."""


class OutputLost(Exception):
    """Standard output takes no more. No OSError: those are of files, and some are waited out or taken for a full store."""

    def __init__(self, why: OSError) -> None:
        super().__init__(why.strerror or str(why))
        self.reader_went = isinstance(why, BrokenPipeError)


class _Watched(io.TextIOWrapper):
    def write(self, text: str, /) -> int:
        try:
            return super().write(text)
        except OSError as error:
            raise OutputLost(error) from None

    def flush(self) -> None:
        try:
            super().flush()
        except OSError as error:
            raise OutputLost(error) from None


def watched(stdout: TextIO | None) -> TextIO:
    """The same output, but that it raises `OutputLost`; nowhere, where the process was started without any."""
    if stdout is None:
        return open(os.devnull, "w", encoding="utf-8")  # open as long as the process
    if not isinstance(stdout, io.TextIOWrapper):
        return stdout
    return _Watched(
        stdout.buffer,
        stdout.encoding,
        stdout.errors,
        line_buffering=stdout.line_buffering,
        write_through=stdout.write_through,
    )


def told(lost: OutputLost) -> int:
    """Say why the output is incomplete, if anybody is there to read it; the exit code. What is unwritten is dropped."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # Python writes the rest when it ends
    if lost.reader_went:
        return GONE
    print(f"error: the output could not be written: {lost}", file=sys.stderr)
    return 1
