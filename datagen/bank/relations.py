"""The relations of the bank, and which phrasing of a fact is the bank's.

Every fact becomes exactly one bank item. Its other phrasings are left to the corpus of the embedded base model, so that no
instruction of the bank occurs there, while every fact and every form of question does.

A relation file is described by `datagen.bank.schema`, its placeholders by `datagen.bank.wording.fill`.
"""

from __future__ import annotations

import hashlib
from functools import cache
from itertools import pairwise
from pathlib import Path

from datagen.bank.arithmetic import arithmetic_relations
from datagen.bank.facts import Fact, Phrasing, Relation
from datagen.bank.render import fits, statements, to_item
from datagen.bank.schema import InvalidRelation, read_relation

__all__ = [
    "Fact",
    "InvalidRelation",
    "Phrasing",
    "Relation",
    "bank_phrasing",
    "corpus_phrasings",
    "load_relations",
    "statements",
    "to_item",
]

FOLDER = Path(__file__).parent / "relations"


@cache
def load_relations() -> tuple[Relation, ...]:
    """All relations, by name.

    Raises:
        InvalidRelation: a file breaks the format, or two relations have one name.
    """
    files = (read_relation(path.read_text(encoding="utf-8"), path.name) for path in sorted(FOLDER.glob("*.yaml")))
    relations = sorted((*files, *arithmetic_relations()), key=lambda relation: relation.name)
    for one, other in pairwise(relations):
        if one.name == other.name:
            raise InvalidRelation(f"two relations are named {one.name!r}")
    return tuple(relations)


def bank_phrasing(relation: Relation, fact: Fact) -> Phrasing:
    """The phrasing in which the bank asks for the fact: picked by a hash, so that no other fact moves it."""
    fitting = _fitting(relation, fact)
    digest = hashlib.sha256(f"{relation.name}\0{fact.entity}".encode()).digest()
    return fitting[int.from_bytes(digest[:8], "big") % len(fitting)]


def corpus_phrasings(relation: Relation, fact: Fact) -> tuple[Phrasing, ...]:
    """The other phrasings that fit the fact."""
    chosen = bank_phrasing(relation, fact)
    return tuple(phrasing for phrasing in _fitting(relation, fact) if phrasing is not chosen)


def _fitting(relation: Relation, fact: Fact) -> tuple[Phrasing, ...]:
    return tuple(phrasing for phrasing in relation.phrasings if fits(phrasing, fact))
