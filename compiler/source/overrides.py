"""`--set path.to.key=value`: passes through the same checks as the file; its mistakes are located at the flag."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from compiler.diagnostics import Diagnostic, Place, counted, error, quoted
from compiler.source.reading import read
from compiler.source.text import SourceText
from compiler.source.tree import Node, NoSuchPath, with_value

_FLAG = "--set["
_FORM = "write --set path.to.key=value, such as --set recipes.dpo.beta=0.3"


@dataclass(frozen=True, slots=True)
class _Override:
    path: tuple[str, ...]
    keys: tuple[Place, ...]
    """Where each key of the path stands in the flag."""
    value: Node


def flag_name(number: int) -> str:
    """What a flag is called in messages, the first one being number 1."""
    return f"{_FLAG}{number}]"


def is_flag(source: str) -> bool:
    """Whether a place is in a flag."""
    return source.startswith(_FLAG)


def overridden(tree: Node, flags: Sequence[str]) -> tuple[Node, list[Diagnostic]]:
    """The tree with every flag applied in turn, and what is wrong with the flags."""
    findings: list[Diagnostic] = []
    for number, flag in enumerate(flags, start=1):
        override, wrong = _parsed(SourceText(flag_name(number), flag))
        findings += wrong
        if override is None:
            continue
        try:
            tree = with_value(tree, override.path, override.value, override.keys)
        except NoSuchPath as missing:
            findings.append(_cannot_follow(override, missing))
    return tree, findings


def _parsed(source: SourceText) -> tuple[_Override | None, list[Diagnostic]]:
    path, equals, _ = source.text.partition("=")
    whole = source.place(0, len(source.text))
    if not equals or not path.strip():
        return None, [error("S401", whole, f"{quoted(source.text)} sets nothing", label="no path and value", help=_FORM)]
    keys = [
        (match.group().strip(), source.place(match.start(), match.end()))
        for match in re.finditer(r"[^.]*", path)
        if _is_key(match)
    ]
    if path.count(".") != len(keys) - 1:
        return None, [
            error("S401", source.place(0, len(path)), f"{quoted(path)} is no path of keys", label="an empty key", help=_FORM)
        ]
    # Blanks in place of the path: the value's places then are places in the flag.
    blanked = " " * (len(path) + 1) + source.text[len(path) + 1 :]
    value, findings = read(SourceText(source.name, blanked, typed=source.text))
    if value is None and findings:
        return None, findings
    empty = Node(source.place(len(path), len(source.text)))
    return _Override(tuple(key for key, _ in keys), tuple(place for _, place in keys), value or empty), findings


def _is_key(match: re.Match[str]) -> bool:
    return bool(match.group().strip())


def _cannot_follow(override: _Override, missing: NoSuchPath) -> Diagnostic:
    key, above = override.path[missing.depth], ".".join(override.path[: missing.depth])
    found = missing.found
    if found.items is not None:
        message = f"the list `{above}` has {counted(len(found.items), 'item')} and no item {quoted(key)}"
        way_out = f"count from 0, as in --set {above}.0=…, or set the whole list: --set {above}=[…]"
    else:
        message = f"`{above}` is {found.noun} and has no key {quoted(key)}"
        way_out = f"set `{above}` itself to a mapping"
    note = f"`{above}` was given at {found.place}"
    return error("S402", override.keys[missing.depth], message, label="cannot be set", help=way_out, notes=(note,))
