"""Turns a phrasing and a fact into an instruction with its good answer."""

from __future__ import annotations

import re

from compiler.records import Constraint, Item
from datagen.bank.constraints import satisfies
from datagen.bank.facts import Fact, Phrasing, Relation
from datagen.bank.wording import fill


def slug(text: str) -> str:
    """The text as part of an id: lower case, with a hyphen for everything but letters and digits."""
    return re.sub(r"[^\w]+", "-", text.casefold()).strip("-") or "-"


def constraint_of(phrasing: Phrasing, fact: Fact) -> Constraint | None:
    """The phrasing's constraint, with the fact put into its text."""
    constraint = phrasing.constraint
    if constraint is None or constraint.text is None:
        return constraint
    return constraint.model_copy(update={"text": fill(constraint.text, fact)})


def good_answer(phrasing: Phrasing, fact: Fact) -> str:
    """A good answer to the phrasing about the fact."""
    return fill(phrasing.good, fact, phrasing.constraint.n if phrasing.constraint else None)


def fits(phrasing: Phrasing, fact: Fact) -> bool:
    """Whether the phrasing may ask for the fact: its good answer must satisfy its constraint ("in one word", "a number")."""
    return satisfies(good_answer(phrasing, fact), constraint_of(phrasing, fact))


def to_item(relation: Relation, phrasing: Phrasing, fact: Fact) -> Item:
    """The instruction that asks for the fact in these words."""
    constraint = constraint_of(phrasing, fact)
    return Item(
        id=f"{phrasing.family}/{slug(fact.entity)}",
        kind=phrasing.kind,
        instruction=fill(phrasing.text, fact, constraint.n if constraint else None),
        answers=None if relation.open or fact.members else _answers(fact, constraint),
        constraint=constraint,
        good_answer=good_answer(phrasing, fact),
        family=phrasing.family,
        entity=fact.entity,
        topic=relation.topic,
    )


def _answers(fact: Fact, constraint: Constraint | None) -> tuple[str, ...]:
    """The value and those synonyms that have the form asked for: two words are no answer "in one word"."""
    if constraint is None or constraint.type not in {"one_word", "yes_no", "number"}:
        return (fact.value, *fact.synonyms)
    return (fact.value, *(synonym for synonym in fact.synonyms if satisfies(synonym, constraint)))


def statements(relation: Relation, fact: Fact) -> tuple[str, ...]:
    """The fact in declarative sentences."""
    return tuple(fill(statement, fact) for statement in relation.statements)
