"""A source text whose stretches can be named by line and column."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator

from compiler.diagnostics import Place, Span

_LINE_END = re.compile(r"\r\n|\r|\n")


class SourceText:
    """One file or one `--set` flag. Lines end as editors see them: at a line feed, a carriage return, or both."""

    def __init__(self, name: str, text: str, typed: str | None = None) -> None:
        """`typed` is what lines are shown from, where `text` has blanks in place of some of it."""
        self.name = name
        self.text = text
        self._typed = text if typed is None else typed
        self._starts = [0, *(match.end() for match in _LINE_END.finditer(text))]

    def place(self, start: int, end: int) -> Place:
        """The stretch from one character index to another (exclusive), at least one character wide."""
        line, column = self._line_column(start)
        end_line, end_column = self._line_column(max(start, end))
        if (end_line, end_column) == (line, column):
            end_column += 1
        return Place(self.name, Span(line, column, end_line, end_column), self.line(line))

    def line(self, number: int) -> str:
        """The text of a line (1-based), without its end."""
        start = self._starts[number - 1]
        end = self._starts[number] if number < len(self._starts) else len(self.text)
        return self._typed[start:end].rstrip("\r\n")

    def line_place(self, number: int) -> Place:
        """A whole line (1-based)."""
        start = self._starts[number - 1]
        return self.place(start, start + len(self.line(number)))

    def numbered_lines(self) -> Iterator[tuple[int, str]]:
        """Every line with its number."""
        for number in range(1, len(self._starts) + 1):
            yield number, self.line(number)

    def _line_column(self, index: int) -> tuple[int, int]:
        line = bisect_right(self._starts, min(index, len(self.text)))
        return line, index - self._starts[line - 1] + 1
