"""The lines of a file that people or programs wrote, as its readers count them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator


def numbered_lines(lines: Iterable[str]) -> Iterator[tuple[int, str]]:
    """(number, text) of every line that holds something, counted from 1, without space around it or a byte-order mark."""
    for number, line in enumerate(lines, start=1):
        text = line.removeprefix("\ufeff").strip() if number == 1 else line.strip()
        if text:
            yield number, text
