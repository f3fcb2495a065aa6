"""What was written, where: a tree of values that remember their place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from compiler.diagnostics import Place

Key = str | int
Path = tuple[Key, ...]
Scalar = str | int | float | bool | None

_NOUNS = {bool: "a truth value", int: "a whole number", float: "a decimal number", str: "text", type(None): "nothing"}


@dataclass(frozen=True, slots=True)
class Entry:
    """A key of a mapping, where it was written, and its value."""

    key: Place
    node: Node


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """A value: exactly one of a scalar, `entries` (a mapping) or `items` (a sequence)."""

    place: Place
    scalar: Scalar = None
    entries: Mapping[str, Entry] | None = None
    items: tuple[Node, ...] | None = None
    written: bool = True
    """False for the nothing after `key:`, which has no place of its own."""
    size: int = 1
    """How many values this is once aliases are written out."""
    depth: int = 0
    """How many levels lie below."""

    @property
    def noun(self) -> str:
        """What this is, in words for a message."""
        if self.entries is not None:
            return "a mapping"
        return "a list" if self.items is not None else _NOUNS[type(self.scalar)]

    @property
    def is_scalar(self) -> bool:
        """Whether this is one value, not a mapping or a list."""
        return self.entries is None and self.items is None

    def child(self, key: Key) -> Node | None:
        """The value under a key or an index; None where there is none."""
        if self.entries is not None and isinstance(key, str):
            entry = self.entries.get(key)
            return entry.node if entry else None
        if self.items is not None and isinstance(key, int) and 0 <= key < len(self.items):
            return self.items[key]
        return None

    def at(self, path: Path) -> Node | None:
        """The value at a path; None where there is none."""
        node: Node | None = self
        for key in path:
            node = node.child(key) if node is not None else None
        return node

    def keys(self, *path: Key) -> tuple[str, ...]:
        """The keys of the mapping at a path; none if there is no mapping."""
        node = self.at(path)
        return tuple(node.entries) if node is not None and node.entries is not None else ()

    def key_place(self, path: Path) -> Place:
        """Where the last key of a path was written: of a list, the item; of what was never written, the nearest key above."""
        for length in range(len(path), 0, -1):
            parent, key = self.at(path[: length - 1]), path[length - 1]
            if parent is None:
                continue
            if parent.entries is not None and key in parent.entries:
                return parent.entries[str(key)].key
            child = parent.child(key)
            if child is not None:
                return child.place
        return self.place

    def value_place(self, path: Path) -> Place:
        """Where the value at a path was written; of a value that takes several lines, its key."""
        node = self.at(path)
        if node is None or node.place.span.line != node.place.span.end_line:
            return self.key_place(path)
        return node.place

    def plain(self) -> Any:
        """The value without its places: dicts, tuples and scalars. What is aliased is shared."""
        return _plain(self, {})


def mapping(place: Place, entries: Mapping[str, Entry]) -> Node:
    """A mapping, its size and depth counted."""
    size = 1 + sum(entry.node.size for entry in entries.values())
    depth = 1 + max((entry.node.depth for entry in entries.values()), default=0)
    return Node(place, entries=entries, size=size, depth=depth)


def sequence(place: Place, items: tuple[Node, ...]) -> Node:
    """A list, its size and depth counted."""
    size = 1 + sum(item.size for item in items)
    return Node(place, items=items, size=size, depth=1 + max((item.depth for item in items), default=0))


def _plain(node: Node, seen: dict[int, Any]) -> Any:
    if id(node) not in seen:
        if node.entries is not None:
            seen[id(node)] = {key: _plain(entry.node, seen) for key, entry in node.entries.items()}
        elif node.items is not None:
            seen[id(node)] = tuple(_plain(item, seen) for item in node.items)
        else:
            seen[id(node)] = node.scalar
    return seen[id(node)]


class NoSuchPath(LookupError):
    """A path that cannot be followed: `depth` keys of it could be."""

    def __init__(self, depth: int, found: Node) -> None:
        super().__init__(depth)
        self.depth = depth
        self.found = found


def with_value(node: Node | None, path: tuple[str, ...], value: Node, keys: tuple[Place, ...], depth: int = 0) -> Node:
    """A copy of a tree with one value set; mappings are made on the way where nothing was written yet.

    Args:
        node: the tree, or None where nothing was written.
        path: keys, and indices (as digits) into lists.
        value: what to set.
        keys: where each key of the path was written.
        depth: how many keys were followed already.

    Raises:
        NoSuchPath: the path runs through a scalar, or names an item that a list does not have.
    """
    if depth == len(path):
        return value
    key = path[depth]
    if node is not None and node.items is not None:
        index = int(key) if key.isdecimal() and len(key) < 9 else len(node.items)
        if index >= len(node.items):
            raise NoSuchPath(depth, node)
        child = with_value(node.items[index], path, value, keys, depth + 1)
        return sequence(node.place, (*node.items[:index], child, *node.items[index + 1 :]))
    if node is not None and node.entries is None and node.scalar is not None:
        raise NoSuchPath(depth, node)
    entries = dict(node.entries or {}) if node is not None else {}
    written = entries.get(key)
    child = with_value(written.node if written else None, path, value, keys, depth + 1)
    is_last = depth == len(path) - 1
    entries[key] = Entry(keys[depth] if written is None or is_last else written.key, child)
    return mapping(node.place if node else keys[depth], entries)
