"""Lines of JSON that people or programs wrote, as every reader of them counts and parses them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

_NAMES = {
    dict: "an object", list: "a list", str: "a string", bool: "true or false", int: "a number", float: "a number",
    type(None): "null",
}  # fmt: skip


class NoObject(ValueError):
    """A line is no JSON object; the message says what is wrong with it."""


def numbered_lines(lines: Iterable[str]) -> Iterator[tuple[int, str]]:
    """(number, text) of every line that holds something, counted from 1, without space around it or a byte-order mark."""
    for number, line in enumerate(lines, start=1):
        text = line.removeprefix("\ufeff").strip() if number == 1 else line.strip()
        if text:
            yield number, text


def json_object(text: str) -> dict[str, Any]:
    """The object that a line holds.

    Raises:
        NoObject: it is no JSON, or another value.
    """
    try:
        row = json.loads(text)
    except json.JSONDecodeError as error:
        raise NoObject(f"not JSON: {error.msg} (column {error.colno})") from None
    except (ValueError, RecursionError) as error:
        raise NoObject(f"not JSON that can be read: {error}") from None
    if not isinstance(row, dict):
        raise NoObject(f"expected an object, got {name_of(row)}")
    return row


def name_of(value: Any) -> str:
    """What a JSON value is, in words."""
    return _NAMES.get(type(value), "something else")
