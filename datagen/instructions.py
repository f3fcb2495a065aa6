"""Reads instructions from JSON Lines, which anybody may have written."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any, get_args

from pydantic import ValidationError

from compiler.records import Constraint, ConstraintType, Item, Kind
from datagen.bank.constraints import constraint_problems

_FIELDS: Mapping[str, tuple[str, ...]] = {"": tuple(Item.model_fields), "constraint": tuple(Constraint.model_fields)}
_CHOICES: Mapping[str, tuple[str, ...]] = {"kind": get_args(Kind), "constraint.type": get_args(ConstraintType)}


class MalformedItems(ValueError):
    """Everything that is wrong with a source of instructions, one `path:line: problem` each."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def read_items(text: str, path: str) -> tuple[Item, ...]:
    """The items in a JSON Lines text, one object a line; blank lines are passed over, and an id left out is the line's number.

    Raises:
        MalformedItems: any line is no JSON object or breaks the record, an id or an instruction occurs twice, or there is none.
    """
    problems: list[tuple[int, str]] = []
    items: dict[int, Item] = {}
    for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), start=1):
        if not line.strip():
            continue
        try:
            items[number] = _read_line(line, number)
        except _BadLineError as error:
            problems += [(number, problem) for problem in error.problems]
    problems += _repetitions(items)
    if problems:
        raise MalformedItems(tuple(f"{path}:{number}: {problem}" for number, problem in sorted(problems)))
    if not items:
        raise MalformedItems((f"{path}: no instructions: one JSON object a line is expected",))
    return tuple(items.values())


class _BadLineError(Exception):
    def __init__(self, *problems: str) -> None:
        self.problems = problems


def _read_line(line: str, number: int) -> Item:
    data = _parse(line)
    try:
        item = Item.model_validate_json(json.dumps({"id": str(number), **data}), strict=True)
    except ValidationError as error:
        raise _BadLineError(*(_explain(detail) for detail in error.errors())) from error
    if problems := tuple(_contents(item)):
        raise _BadLineError(*problems)
    return item


def _parse(line: str) -> dict[str, Any]:
    try:
        data = json.loads(line, object_pairs_hook=_distinct)
    except json.JSONDecodeError as error:
        raise _BadLineError(f"no JSON: {error.msg} at column {error.colno}") from error
    except (ValueError, RecursionError) as error:
        raise _BadLineError("no JSON that can be read: nested too deep, or a number too long") from error
    if not isinstance(data, dict):
        raise _BadLineError(f"a JSON object is expected, not {type(data).__name__}")
    return data


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    data = dict(pairs)
    if len(data) < len(pairs):
        keys = [key for key, _ in pairs]
        raise _BadLineError(f"field {next(key for key in keys if keys.count(key) > 1)!r} is given twice")
    return data


def _explain(detail: Mapping[str, Any]) -> str:
    """A validation error in one line, with what may have been meant."""
    if detail["type"] == "json_invalid":
        return "half a surrogate pair, which is no text"
    *parents, name = (str(part) for part in detail["loc"])
    place = ".".join((*parents, name))
    if detail["type"] == "extra_forbidden":
        known = _FIELDS[".".join(parents)]
        return f"unknown field {place!r}; {_meant(name, known)}"
    if place in _CHOICES:
        return f"{place}: {detail['input']!r} is unknown; {_meant(str(detail['input']), _CHOICES[place])}"
    return f"{place}: {detail['msg']}"


def _meant(word: str, known: tuple[str, ...]) -> str:
    close = get_close_matches(word, known, n=1)
    return f"did you mean {close[0]!r}?" if close else f"known: {', '.join(known)}"


def _contents(item: Item) -> Iterator[str]:
    """What is wrong with an item whose fields have the right types."""
    for field, text in (("id", item.id), ("instruction", item.instruction), ("good_answer", item.good_answer)):
        if text is not None and not text.strip():
            yield f"{field} is blank"
    if item.answers is not None and not all(answer.strip() for answer in item.answers or ("",)):
        yield "answers: give at least one and no blank ones, or null where there is no single right answer"
    if item.constraint:
        yield from constraint_problems(item.constraint, "constraint")


def _repetitions(items: Mapping[int, Item]) -> Iterator[tuple[int, str]]:
    for field in ("id", "instruction"):
        first: dict[str, int] = {}
        for number, item in items.items():
            text = " ".join(getattr(item, field).split())
            if (earlier := first.setdefault(text, number)) != number:
                yield number, f"{field} {text[:60]!r} occurs already in line {earlier}"
