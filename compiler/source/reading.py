"""From text to a tree: YAML 1.2 with places, every mistake of form found, hostile input bounded.

ruamel.yaml finds the events; the tree is built here, with a stack rather than by recursion, so that neither nesting nor
aliases can exhaust the machine, and so that keys given twice are seen.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)
from ruamel.yaml.reader import ReaderError

from compiler.diagnostics import Diagnostic, Place, error, quoted
from compiler.source.scalars import resolve
from compiler.source.text import SourceText
from compiler.source.tree import Entry, Node, mapping, sequence

DEEPEST = 32
"""Levels of nesting; a spec needs seven."""
LARGEST = 1_000_000
"""Values, aliases written out; ten thousand arms take a tenth of it."""
LONGEST = 8_000_000
"""Characters of text."""

_MERGE = "<<"


_PROBLEMS = {
    "<block end>": ("this line does not begin in the same column as those it belongs to", False),
    "could not find expected ':'": ("a key needs a colon and a blank after it", True),
    "'<stream end>'": ("this bracket is not closed", True),
    "unexpected end of stream": ("this quote is not closed", True),
    "mapping values are not allowed": ("a second colon in one line; text that holds a colon needs quotes", False),
}
"""Signs in the parser's messages -> what is wrong in plain words, and whether to show where the offending thing begins."""


class Unreadable(Exception):
    """The text is no YAML that a tree can be built from."""

    def __init__(self, finding: Diagnostic) -> None:
        super().__init__(finding.message)
        self.finding = finding


@dataclass(slots=True)
class _Open:
    """A collection whose end has not come yet."""

    start: int
    anchor: str | None
    is_mapping: bool
    entries: dict[str, Entry] = field(default_factory=dict)
    items: list[Node] = field(default_factory=list)
    key: tuple[str | None, Place] | None = None
    """The key whose value comes next; a key that is no text has no name and its value is dropped."""
    merged: list[Node] = field(default_factory=list)


def read(source: SourceText) -> tuple[Node | None, list[Diagnostic]]:
    """The tree of the one document in a text, and what is wrong with its form; no tree where it cannot be read on."""
    if len(source.text) > LONGEST:
        finding = error("S007", source.place(0, 1), f"the spec is longer than {LONGEST:,} characters", label="too long")
        return None, [finding]
    builder = _Builder(source)
    try:
        for event in _events(source):
            builder.take(event)
    except Unreadable as unreadable:
        return None, [*builder.findings, unreadable.finding]
    return builder.root, builder.findings


def _events(source: SourceText) -> Iterator[Any]:
    try:
        yield from YAML(typ="safe", pure=True).parse(source.text)
    except Unreadable:
        raise
    except ReaderError as found:
        character = quoted(f"U+{ord(found.character):04X}" if isinstance(found.character, str) else found.character)
        place = source.place(found.position, found.position + 1)
        raise Unreadable(
            error(
                "S008",
                place,
                f"the character {character} cannot stand in YAML",
                label="not text",
                help="is this a text file in UTF-8?",
            )
        ) from None
    except MarkedYAMLError as found:
        raise Unreadable(_syntax(source, found)) from None
    except Exception as found:  # whatever a parser trips over in hostile text is a mistake in the text
        raise Unreadable(error("S001", source.place(0, 1), f"this is not YAML ({type(found).__name__})")) from None


def _syntax(source: SourceText, found: MarkedYAMLError) -> Diagnostic:
    mark = found.problem_mark or found.context_mark
    index = mark.index if mark is not None else 0
    place = source.place(index, index + 1)
    if source.text[index : index + 1] == "\t":
        return error(
            "S002",
            place,
            "a tab cannot indent YAML",
            label="a tab",
            help="indent with spaces, two for each level",
            replacement="  ",
        )
    problem = str(found.problem or found.context or "it cannot be read").strip()
    words, at_its_beginning = next((told for sign, told in _PROBLEMS.items() if sign in problem), (problem, False))
    began = found.context_mark
    if at_its_beginning and began is not None:
        place = source.place(began.index, began.index + 1)
    way_out = "check the indentation, the quotes, the colons and the brackets, here and in the line above"
    finding = error("S001", place, f"this is not YAML: {words}", help=way_out)
    if began is not None and not at_its_beginning:
        finding = finding.with_note(f"{found.context} that begins at {source.place(began.index, began.index)}")
    return finding


class _Builder:
    """Puts events together; findings that do not hinder reading on are collected."""

    def __init__(self, source: SourceText) -> None:
        self.source = source
        self.findings: list[Diagnostic] = []
        self.root: Node | None = None
        self._open: list[_Open] = []
        self._anchors: dict[str, Node] = {}
        self._documents = 0
        self._handlers = {
            DocumentStartEvent: self._document,
            MappingStartEvent: self._start,
            SequenceStartEvent: self._start,
            MappingEndEvent: self._end,
            SequenceEndEvent: self._end,
            ScalarEvent: self._scalar,
            AliasEvent: self._alias,
        }

    def take(self, event: Any) -> None:
        """Add what one event says."""
        handler = self._handlers.get(type(event))
        if handler is not None:
            handler(event)

    def _place(self, event: Any) -> Place:
        return self.source.place(event.start_mark.index, event.end_mark.index)

    def _document(self, event: Any) -> None:
        self._documents += 1
        if self._documents > 1:
            raise Unreadable(error("S011", self._place(event), "a second document begins here", help="keep one spec in a file"))

    def _start(self, event: Any) -> None:
        self._refuse_excess(Node(self._place(event), depth=1))
        self._refuse_tag(event)
        self._open.append(_Open(event.start_mark.index, event.anchor, isinstance(event, MappingStartEvent)))

    def _end(self, event: Any) -> None:
        done = self._open.pop()
        place = self.source.place(done.start, event.end_mark.index)
        if done.is_mapping:
            self._merge(done)
            self._add(mapping(place, done.entries), done.anchor)
        else:
            self._add(sequence(place, tuple(done.items)), done.anchor)

    def _scalar(self, event: Any) -> None:
        self._refuse_tag(event)
        place = self._place(event)
        value = resolve(event.value) if event.implicit[0] and event.style is None else event.value
        if isinstance(value, str) and not value.isascii() and any("\ud800" <= c <= "\udfff" for c in value):
            self.findings.append(
                error("S008", place, "half a character (a lone surrogate) cannot stand in text", label="not text")
            )
            value = None
        is_written = event.start_mark.index < event.end_mark.index
        self._add(Node(place, scalar=value, written=is_written), event.anchor, written=event.value)

    def _alias(self, event: Any) -> None:
        place = self._place(event)
        if event.anchor not in self._anchors:
            contains_itself = any(collection.anchor == event.anchor for collection in self._open)
            why = "stands inside what it repeats" if contains_itself else "repeats nothing: there is no such anchor above"
            raise Unreadable(error("S009", place, f"the alias {quoted('*' + event.anchor)} {why}"))
        found = self._anchors[event.anchor]
        self._add(replace(found, place=place), None, written=str(found.scalar))

    def _refuse_excess(self, node: Node) -> None:
        if len(self._open) + node.depth > DEEPEST:
            raise Unreadable(error("S006", node.place, f"nested deeper than {DEEPEST} levels", label="one level too many"))
        if node.size > LARGEST:
            raise Unreadable(
                error("S007", node.place, f"more than {LARGEST:,} values, aliases written out", label="grows too large here")
            )

    def _refuse_tag(self, event: Any) -> None:
        if event.tag is not None:
            message = f"the tag {quoted(event.tag)} means nothing in a spec"
            self.findings.append(error("S010", self._place(event), message, label="a tag", help="leave it out"))

    def _add(self, node: Node, anchor: str | None, written: str = "") -> None:
        self._refuse_excess(node)
        if anchor is not None:
            self._anchors[anchor] = node
        if not self._open:
            self.root = node
            return
        parent = self._open[-1]
        if not parent.is_mapping:
            parent.items.append(node)
        elif parent.key is None:
            parent.key = (self._key(node, written), node.place)
        else:
            (key, place), parent.key = parent.key, None
            self._enter(parent, key, place, node)

    def _key(self, node: Node, written: str) -> str | None:
        if node.is_scalar and isinstance(node.scalar, str):
            return node.scalar
        if node.is_scalar and node.scalar is not None:
            return written  # `2: x` and `true: x` are keys as they were typed; whether they are valid names is told later
        self.findings.append(error("S012", node.place, f"a key must be text, found {node.noun}", label="not a key"))
        return None

    def _enter(self, parent: _Open, key: str | None, place: Place, node: Node) -> None:
        if key == _MERGE:
            parent.merged.append(node)
        elif key is not None and key in parent.entries:
            first = parent.entries[key].key
            finding = error(
                "S005", place, f"the key {quoted(key)} is given twice", label="again here", help="keep one of the two"
            )
            self.findings.append(finding.with_note(f"first given at {first}"))
        elif key is not None:
            parent.entries[key] = Entry(place, node if node.written else replace(node, place=place))

    def _merge(self, done: _Open) -> None:
        for node in done.merged:
            for source in node.items if node.items is not None else (node,):
                if source.entries is None:
                    message = f"`<<` takes a mapping or a list of mappings, found {source.noun}"
                    self.findings.append(
                        error("S013", source.place, message, label="not a mapping", help="write `<<: *anchor`")
                    )
                    continue
                for key, entry in source.entries.items():
                    done.entries.setdefault(key, entry)
