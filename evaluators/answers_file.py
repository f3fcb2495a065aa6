"""Answers made anywhere, one JSON object a line: read strictly, judged, written back by id.

A line in: `{"id", "kind", "instruction", "answers", "constraint", "response", "hit_token_limit"}`; `answers` and `constraint`
may be null or left out, all else is required. A line out: `{"id", "criteria": {name: true | false | null}}`.
"""

from __future__ import annotations

import gc
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, get_args

from compiler.json_lines import NoObject, json_object, name_of, numbered_lines
from compiler.records import Constraint, ConstraintType, Kind
from evaluators.scoring import score_answer
from evaluators.view import AnswerView

_KINDS = get_args(Kind)
_CONSTRAINTS = get_args(ConstraintType)
_NEEDS_N = frozenset({"sentences", "words_max"})
_NEEDS_TEXT = frozenset({"contains", "starts_with"})
_KEYS = frozenset({"id", "kind", "instruction", "answers", "constraint", "response", "hit_token_limit"})


class MalformedAnswers(ValueError):
    """Lines that are no answers: all of them, one message each, with file and line."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


class OutsideAnswer(NamedTuple):
    """An answer of a file, and what to judge."""

    id: str | int
    view: AnswerView


class _Wrong(ValueError):
    """One thing wrong with a line; the place is added where lines are counted."""


@dataclass
class _Notes:
    """What is worth a warning: once per kind of thing, with the first line it was seen on."""

    path: str
    seen: dict[str, int] = field(default_factory=dict)

    def add(self, text: str, line: int) -> None:
        self.seen.setdefault(text, line)

    def texts(self) -> list[str]:
        return [f"{self.path}:{line}: {text}" for text, line in self.seen.items()]


def read_answers(lines: Iterable[str], path: str) -> tuple[list[OutsideAnswer], list[str]]:
    """Read the lines of an answers file; blank lines, a byte order mark and carriage returns do not matter.

    Args:
        lines: the text, line by line. Split it at line feeds only: JSON strings may hold other line separators.
        path: what to call the file in messages.

    Returns:
        The answers in their order, and warnings (unknown keys, constraints that are ignored, ids that come twice).

    Raises:
        MalformedAnswers: lines are malformed, or there is none; every one of them is named.
    """
    answers: list[OutsideAnswer] = []
    problems: list[str] = []
    notes = _Notes(path)
    ids: dict[str | int, int] = {}
    for number, text in numbered_lines(lines):
        try:
            answer = _read_line(text, number, notes)
        except (_Wrong, NoObject) as wrong:
            problems.append(f"{path}:{number}: {wrong}")
            continue
        if answer.id in ids:
            notes.add(f"the id {json.dumps(answer.id)} was given before, on line {ids[answer.id]}", number)
        ids.setdefault(answer.id, number)
        answers.append(answer)
    if not answers and not problems:
        problems.append(f"{path}:1: the file holds no answers; one JSON object a line is expected")
    if problems:
        raise MalformedAnswers(problems)
    return answers, notes.texts()


def score_lines(answers: Iterable[OutsideAnswer]) -> Iterator[str]:
    """The judgements, one JSON object a line (without the line feed), in the order of the answers."""
    with _seldom_collected():
        for answer in answers:
            judged = score_answer(replace(answer.view))  # what a view works out goes with the copy
            yield json.dumps({"id": answer.id, "criteria": judged})


@contextmanager
def _seldom_collected() -> Iterator[None]:
    """Judging makes and drops many small tuples without cycles: looking through them would take a seventh of the time."""
    before = gc.get_threshold()
    gc.set_threshold(100 * before[0], *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


def _read_line(text: str, number: int, notes: _Notes) -> OutsideAnswer:
    row = json_object(text)
    missing = [key for key in ("id", "kind", "instruction", "response", "hit_token_limit") if key not in row]
    if missing:
        raise _Wrong(f"missing {', '.join(f'`{key}`' for key in missing)}")
    for key in sorted(row.keys() - _KEYS):
        notes.add(f"unknown key `{key}` is ignored", number)
    kind = row["kind"]
    if kind not in _KINDS:
        raise _Wrong(f"`kind` must be one of {', '.join(_KINDS)}, not {json.dumps(kind)}")
    view = AnswerView(
        instruction=_string(row, "instruction", filled=True),
        kind=kind,
        response=_string(row, "response"),
        hit_token_limit=_boolean(row, "hit_token_limit"),
        answers=_answers(row.get("answers")),
        constraint=_constraint(row.get("constraint"), number, notes),
    )
    return OutsideAnswer(_id(row["id"]), view)


def _id(value: Any) -> str | int:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise _Wrong(f"`id` must be a string or a whole number, not {name_of(value)}")
    return value


def _string(row: dict[str, Any], key: str, *, filled: bool = False) -> str:
    value = row[key]
    if not isinstance(value, str):
        raise _Wrong(f"`{key}` must be a string, not {name_of(value)}")
    if filled and not value.strip():
        raise _Wrong(f"`{key}` must not be empty")
    return value


def _boolean(row: dict[str, Any], key: str) -> bool:
    value = row[key]
    if not isinstance(value, bool):
        raise _Wrong(f"`{key}` must be true or false, not {name_of(value)}")
    return value


def _answers(value: Any) -> tuple[str, ...] | None:
    if value is None:
        return None
    if not isinstance(value, list) or not all(isinstance(answer, str) for answer in value):
        raise _Wrong("`answers` must be null or a list of strings")
    return tuple(answer for answer in value if answer.strip()) or None


def _constraint(value: Any, number: int, notes: _Notes) -> Constraint | None:
    if value is None:
        return None
    if not isinstance(value, dict) or not isinstance(value.get("type"), str):
        raise _Wrong("`constraint` must be null or an object with a `type`")
    kind, n, text = value["type"], value.get("n"), value.get("text")
    for key in sorted(value.keys() - {"type", "n", "text"}):
        notes.add(f"unknown key `{key}` of a constraint is ignored", number)
    if kind not in _CONSTRAINTS:
        notes.add(f"unknown constraint type {json.dumps(kind)} is ignored", number)
        return None
    if n is not None and not _is_count(n):
        raise _Wrong("`constraint.n` must be null or a whole number of at least 1")
    if text is not None and not isinstance(text, str):
        raise _Wrong(f"`constraint.text` must be null or a string, not {name_of(text)}")
    if (kind in _NEEDS_N and n is None) or (kind in _NEEDS_TEXT and not (text or "").strip()):
        notes.add(
            f"a constraint of type {json.dumps(kind)} without its `{'n' if kind in _NEEDS_N else 'text'}` is ignored", number
        )
        return None
    return Constraint(type=kind, n=None if n is None else int(n), text=text)


def _is_count(n: Any) -> bool:
    whole = (isinstance(n, int) and not isinstance(n, bool)) or (isinstance(n, float) and n.is_integer())
    return whole and n >= 1
