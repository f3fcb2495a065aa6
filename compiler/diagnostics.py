"""What the compiler has to say about a spec: one object, from which text, JSON and editor lines are made."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import TYPE_CHECKING, Literal

from compiler.synonyms import meant_by

if TYPE_CHECKING:
    from collections.abc import Iterable

Severity = Literal["error", "warning"]

_LONGEST_SHOWN = 60


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A stretch of text: 1-based lines and columns (in characters), the end exclusive."""

    line: int
    column: int
    end_line: int
    end_column: int


@dataclass(frozen=True, slots=True)
class Place:
    """Where something was written: a file, or a `--set` flag, a span in it, and the first line that the span touches."""

    source: str
    span: Span
    text: str

    def __str__(self) -> str:
        return f"{self.source}:{self.span.line}:{self.span.column}"


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding about a spec, with its place and the way out."""

    code: str
    severity: Severity
    message: str
    """One sentence, without its place."""
    place: Place
    label: str = ""
    """A few words beside the caret."""
    help: str = ""
    """The way out; YAML to paste follows on lines of its own."""
    notes: tuple[str, ...] = ()
    replacement: str | None = None
    """Text that repairs the spec when it replaces the span; None where a person has to decide."""

    @property
    def source(self) -> str:
        """The file, or the `--set` flag, that the finding is about."""
        return self.place.source

    @property
    def span(self) -> Span:
        """The stretch of the source that the finding is about."""
        return self.place.span

    def at(self, place: Place) -> Diagnostic:
        """The same finding at another place."""
        return replace(self, place=place)

    def with_note(self, note: str) -> Diagnostic:
        """The same finding with one more note."""
        return replace(self, notes=(*self.notes, note))


def error(
    code: str,
    place: Place,
    message: str,
    *,
    label: str = "",
    help: str = "",
    notes: tuple[str, ...] = (),
    replacement: str | None = None,
) -> Diagnostic:
    """A finding that keeps the spec from being planned."""
    return Diagnostic(code, "error", message, place, label, help, notes, replacement)


def warning(
    code: str, place: Place, message: str, *, label: str = "", help: str = "", notes: tuple[str, ...] = ()
) -> Diagnostic:
    """A finding that a person should know of; the spec can be planned."""
    return Diagnostic(code, "warning", message, place, label, help, notes)


def printable(text: str) -> str:
    """Text from a user with everything that could move a terminal's cursor or change its colours escaped."""
    return "".join(
        c if c == " " or unicodedata.category(c)[0] not in "CZ" else c.encode("unicode_escape").decode() for c in text
    )


def quoted(text: object) -> str:
    """A user's word in a message: back-quoted, printable and not too long."""
    shown = printable(str(text))
    return f"`{shown if len(shown) <= _LONGEST_SHOWN else shown[: _LONGEST_SHOWN - 1] + '…'}`"


def counted(number: int, noun: str) -> str:
    """`1 seed`, `3 seeds`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def did_you_mean(word: str, known: Iterable[str]) -> str | None:
    """The known word that other tools call so, or the one closest to what was typed, if any is close."""
    known = tuple(known)
    elsewhere = meant_by(word)
    if elsewhere in known:
        return elsewhere
    by_folded = {name.casefold(): name for name in known}
    closeness = 0.6 if len(word) <= 6 else 0.7
    close = get_close_matches(word.casefold()[:_LONGEST_SHOWN], by_folded, n=1, cutoff=closeness)
    return by_folded[close[0]] if close else None


def suggestion(word: str, known: Iterable[str], what: str) -> str:
    """A help line: the closest known word, or else the list of them."""
    names = sorted(known)
    meant = did_you_mean(word, names)
    if meant is not None:
        return f"did you mean {quoted(meant)}?"
    if not names:
        return f"there are no {what} here"
    listed = ", ".join(quoted(name) for name in names[:14])
    return f"{what}: {listed}" + (f" and {len(names) - 14} more" if len(names) > 14 else "")
