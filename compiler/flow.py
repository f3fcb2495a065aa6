"""Plain values as YAML that can be pasted: flow style, in lines of a bounded width."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

WIDTH = 120
_SPECIAL = frozenset(",:{}[]#'\"&*!|>%@`\n\t")
_NOT_TEXT = re.compile(r"~|null|true|false|[-+]?\.?(\d.*|inf|nan)|", re.IGNORECASE)
"""Words that YAML 1.2 would read as something other than text."""


def flow(value: Any) -> str:
    """A plain value in YAML's flow style, in one line."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_text(str(key))}: {flow(below)}" for key, below in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(flow(item) for item in value) + "]"
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    return _text(value) if isinstance(value, str) else str(value)


def _text(value: str) -> str:
    plain = not _SPECIAL & set(value) and value == value.strip() and not _NOT_TEXT.fullmatch(value) and value[:1] not in "-?="
    return (
        value
        if plain
        else '"' + value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t") + '"'
    )


def entry_lines(name: str, value: Any, comment: str = "", indent: int = 0) -> list[str]:
    """`name: value # comment`, a mapping that is too long broken between its keys."""
    lines = list(_broken(f"{' ' * indent}{name}: ", value, indent + 4))
    if not comment:
        return lines
    if len(lines[-1]) + len(comment) + 3 <= WIDTH:
        return [*lines[:-1], f"{lines[-1]} # {comment}"]
    return [f"{' ' * indent}# {comment}", *lines]


def _broken(start: str, value: Any, indent: int) -> Iterator[str]:
    whole = start + flow(value)
    if len(whole) <= WIDTH or not isinstance(value, Mapping):
        yield whole
        return
    line = start + "{"
    parts = [part for key, below in value.items() for part in _parts(f"{_text(str(key))}: {flow(below)}", WIDTH - indent - 1)]
    for number, part in enumerate(parts):
        ending = "}" if number == len(parts) - 1 else ","
        if len(line) + len(part) + 2 > WIDTH and not line.endswith("{"):
            yield line.rstrip()
            line = " " * indent
        line += part + ending + ("" if ending == "}" else " ")
    yield line


def _parts(text: str, room: int) -> list[str]:
    """A key and its value in one part; one that does not fit into a line of its own is broken at its commas, too."""
    return [text] if len(text) <= room or '"' in text else text.split(", ")


def nested(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Dotted paths and values as nested mappings; where paths meet, mappings are joined."""
    tree: dict[str, Any] = {}
    for path, value in settings.items():
        *above, key = path.split(".")
        at = tree
        for part in above:
            at = at.setdefault(part, {})
        at[key] = {**at[key], **value} if isinstance(at.get(key), Mapping) and isinstance(value, Mapping) else value
    return tree
