"""What the bank is made of: a relation, the facts it holds for, and the phrasings that ask for them."""

from __future__ import annotations

from dataclasses import dataclass

from compiler.records import Constraint, Kind


@dataclass(frozen=True, slots=True)
class Phrasing:
    """One way to ask for a fact: a template, and the template of a good answer to it."""

    family: str
    """`capital/1`: the relation and the phrasing's place in it, from 1."""
    kind: Kind
    text: str
    constraint: Constraint | None
    good: str


@dataclass(frozen=True, slots=True)
class Fact:
    """What is true of an entity: a value and its synonyms, or (in list tasks) the members of a category."""

    entity: str
    value: str
    """The canonical answer; empty in list tasks."""
    synonyms: tuple[str, ...] = ()
    members: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Relation:
    """Facts of one sort, with everything that is needed to ask for them and to state them."""

    name: str
    topic: str
    open: bool
    """Whether a value is one good answer among many, so that there are no reference answers."""
    phrasings: tuple[Phrasing, ...]
    statements: tuple[str, ...]
    facts: tuple[Fact, ...]
