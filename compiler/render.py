"""Diagnostics for people (text with the line and a caret, or one line each) and for programs (JSON), from the same objects."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from typing import Any

from compiler.diagnostics import Diagnostic, Span, printable

_WIDEST = 120
"""Columns of a source line that are shown; of a longer one, the part around the caret."""

_RESET, _BOLD, _BLUE = "\x1b[0m", "\x1b[1m", "\x1b[1;34m"
_COLORS = {"error": "\x1b[1;31m", "warning": "\x1b[1;33m"}


def render_text(diagnostics: Sequence[Diagnostic], color: bool) -> str:
    """All findings as text, and a last line that counts them."""
    blocks = ["\n".join(_block(finding, _Paint(color, finding.severity))) for finding in diagnostics]
    return "\n\n".join(blocks) + ("\n" if blocks else "") + _count(diagnostics)


def render_lines(diagnostics: Sequence[Diagnostic]) -> str:
    """One line per finding, as editors and build logs read them: `path:line:column: error[CODE] message`."""
    return "\n".join(_line(finding) for finding in diagnostics)


def _line(finding: Diagnostic) -> str:
    place = f"{printable(finding.source)}:{finding.span.line}:{finding.span.column}"
    return f"{place}: {finding.severity}[{finding.code}] {finding.message}"


def to_json(diagnostics: Sequence[Diagnostic]) -> list[dict[str, Any]]:
    """All findings as plain data. Lines and columns count from 1, ends are exclusive; `fix` is null where a person decides."""
    return [_plain(finding) for finding in diagnostics]


def _plain(finding: Diagnostic) -> dict[str, Any]:
    place = {"source": finding.source, "span": _span(finding.span)}
    return {
        "code": finding.code,
        "severity": finding.severity,
        "message": finding.message,
        **place,
        "label": finding.label,
        "help": finding.help,
        "notes": list(finding.notes),
        "fix": None if finding.replacement is None else {**place, "text": finding.replacement},
    }


def _span(span: Span) -> dict[str, int]:
    return {"line": span.line, "column": span.column, "end_line": span.end_line, "end_column": span.end_column}


class _Paint:
    """Colours words, or leaves them."""

    def __init__(self, color: bool, severity: str) -> None:
        self._on = color
        self._severity = _COLORS[severity]

    def severity(self, text: str) -> str:
        """In the colour of the finding."""
        return self._in(self._severity, text)

    def bold(self, text: str) -> str:
        """A headline."""
        return self._in(_BOLD, text)

    def frame(self, text: str) -> str:
        """What is not the user's text."""
        return self._in(_BLUE, text)

    def _in(self, code: str, text: str) -> str:
        return f"{code}{text}{_RESET}" if self._on else text


def _block(finding: Diagnostic, paint: _Paint) -> Iterator[str]:
    number = str(finding.span.line)
    margin = " " * len(number)
    line, indent, width = _excerpt(finding)
    caret = f"{'^' * width} {finding.label}".rstrip()
    yield paint.severity(f"{finding.severity}[{finding.code}]") + paint.bold(f": {finding.message}")
    yield f"{paint.frame(f'{margin}-->')} {printable(finding.source)}:{finding.span.line}:{finding.span.column}"
    yield paint.frame(f"{margin} |")
    yield f"{paint.frame(f'{number} |')} {line}".rstrip()
    yield f"{paint.frame(f'{margin} |')} {' ' * indent}{paint.severity(caret)}"
    yield from (f"{paint.frame(f'{margin} =')} note: {printable(note)}" for note in finding.notes)
    if finding.help:
        way_out, *pasted = finding.help.split("\n")
        yield f"{paint.frame(f'{margin} =')} help: {way_out}"
        yield from (f"{margin}     {printable(line)}" for line in pasted)
    yield f"{paint.frame(f'{margin} =')} see: stage1 explain {finding.code}"


def _excerpt(finding: Diagnostic) -> tuple[str, int, int]:
    """The source line as it can be shown, the caret's indentation and its width, both in terminal columns."""
    text, span = finding.place.text, finding.span
    first = span.column - 1
    last = span.end_column - 1 if span.end_line == span.line else max(len(text), first + 1)
    start = max(0, first - _WIDEST // 2) if len(text) > _WIDEST else 0
    end = start + _WIDEST
    before, after = ("…" if start else ""), ("…" if end < len(text) else "")
    shown = before + _flat(text[start:end]) + after
    width = _columns(_flat(text[first : min(last, end)])) or 1
    return shown, _columns(before + _flat(text[start:first])), width


def _flat(text: str) -> str:
    """Text of one line, a tab as one blank and nothing that moves the cursor: as many characters as before."""
    return "".join(" " if c == "\t" else c if c == " " or unicodedata.category(c)[0] not in "CZ" else "\ufffd" for c in text)


def _columns(text: str) -> int:
    """Terminal columns: wide characters take two, combining ones none."""
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def _count(diagnostics: Sequence[Diagnostic]) -> str:
    errors = sum(finding.severity == "error" for finding in diagnostics)
    warnings = len(diagnostics) - errors
    counted = f"{errors} error{'' if errors == 1 else 's'}, {warnings} warning{'' if warnings == 1 else 's'}"
    return f"{counted}; nothing was run" if errors else counted
