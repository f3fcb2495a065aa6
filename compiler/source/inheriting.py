"""`extends: other.yaml`: a spec that says only in what it differs from another one.

Mappings are taken over key by key; lists, values and mixes of negatives whole. An arm, a recipe or a claim that is set to
null is left out.
"""

from __future__ import annotations

import os.path
from collections.abc import Iterator
from dataclasses import dataclass, field

from compiler.diagnostics import Diagnostic, Place, error, printable, quoted
from compiler.source.reading import LARGEST, Unreadable, read
from compiler.source.text import SourceText
from compiler.source.tree import Entry, Node, Path, mapping
from compiler.world import World

EXTENDS = "extends"
LONGEST_CHAIN = 16
"""Specs that extend each other; experiments that build on one another need three."""

_SECTIONS = frozenset({("arms",), ("recipes",), ("claims",)})


@dataclass(slots=True)
class Family:
    """A spec and those it extends."""

    tree: Node
    """Everything that was said, nearest spec first; without `extends` where that could be followed."""
    findings: list[Diagnostic]
    extended_at: dict[str, Place] = field(default_factory=dict)
    """Extended file -> where it was named."""

    def explained(self, finding: Diagnostic) -> Diagnostic:
        """A finding about an inherited line also tells through which `extends` the line came in."""
        for place in self._ways_in(finding.source):
            finding = finding.with_note(f"inherited through `{EXTENDS}` at {place}")
        return finding

    def _ways_in(self, source: str) -> Iterator[Place]:
        while source in self.extended_at:
            yield self.extended_at[source]
            source = self.extended_at[source].source


def inherit(source: SourceText, tree: Node, world: World) -> Family:
    """The spec laid over those it extends, and what is wrong with the way there."""
    family = Family(tree, [])
    chain, layers = [os.path.normpath(source.name)], [tree]
    while (named := _named(layers[-1])) is not None:
        path = os.path.normpath(os.path.join(os.path.dirname(chain[-1]), str(named.scalar)))
        parent = _read(path, named.place, chain, world, family.findings)
        if parent is None:
            break
        family.extended_at[path] = named.place
        chain.append(path)
        layers.append(parent)
    try:
        family.tree = _stacked(layers)
    except Unreadable as too_large:
        family.findings.append(too_large.finding)
    return family


def _named(tree: Node) -> Node | None:
    """The value of `extends`, if it is a path; anything else is told with the other mistakes of shape."""
    node = tree.child(EXTENDS)
    return node if node is not None and isinstance(node.scalar, str) and node.scalar else None


def _read(path: str, place: Place, chain: list[str], world: World, findings: list[Diagnostic]) -> Node | None:
    wrong = _chain_fault(path, place, chain)
    text = None
    if wrong is None:
        try:
            text = world.read_text(path)
        except FileNotFoundError:
            help_line = "a path is seen from the folder of the spec that names it"
            wrong = error("S307", place, f"there is no spec {quoted(path)} to extend", label="not found", help=help_line)
        except (OSError, ValueError) as failure:
            why = printable(str(getattr(failure, "strerror", None) or "it is not text in UTF-8"))[:100]
            wrong = error("S308", place, f"the spec {quoted(path)} cannot be read", label=why)
    if text is None:
        findings += [wrong] if wrong is not None else []
        return None
    tree, found = read(SourceText(path, text))
    findings += found
    if tree is not None and tree.entries is not None:
        return tree
    if not found:
        findings.append(
            error("S308", place, f"{quoted(path)} is no spec: it is not a mapping of keys to values", label="no spec")
        )
    return None


def _chain_fault(path: str, place: Place, chain: list[str]) -> Diagnostic | None:
    if path in chain:
        circle = " -> ".join(quoted(name) for name in (*chain[chain.index(path) :], path))
        return error(
            "S309", place, f"specs extend each other in a circle: {circle}", label="closes the circle",
            help="let one of them stand by itself",
        )  # fmt: skip
    if len(chain) > LONGEST_CHAIN:
        message = f"more than {LONGEST_CHAIN} specs extend each other in a row"
        return error("S309", place, message, label="one too many", help="join some of them into one file")
    return None


def _stacked(layers: list[Node]) -> Node:
    """All layers as one tree, the first on top."""
    tree = layers[-1]
    for above in reversed(layers[:-1]):
        tree = _laid_over(_without_extends(tree), above, ())
    return _without_extends(tree) if _named(layers[-1]) is None else tree


def _without_extends(tree: Node) -> Node:
    if _named(tree) is None:
        return tree
    return mapping(tree.place, {key: entry for key, entry in (tree.entries or {}).items() if key != EXTENDS})


def _laid_over(below: Node, above: Node, path: Path) -> Node:
    if below.entries is None or above.entries is None or path[-1:] == ("rejected",):
        return above
    entries = dict(below.entries)
    for key, entry in above.entries.items():
        written = entries.get(key)
        if written is None:
            entries[key] = entry
        elif path in _SECTIONS and entry.node.is_scalar and entry.node.scalar is None:
            del entries[key]
        else:
            entries[key] = Entry(entry.key, _laid_over(written.node, entry.node, (*path, key)))
    laid = mapping(above.place, entries)
    if laid.size > LARGEST:
        message = f"more than {LARGEST:,} values, those of extended specs counted"
        raise Unreadable(error("S007", above.place, message, label="grows too large here"))
    return laid
