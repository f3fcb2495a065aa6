"""The instruction bank: checkable, harmless instructions about real facts, each with what is known about a good answer."""

from __future__ import annotations

from functools import cache

from compiler.records import Item
from datagen.bank.relations import bank_phrasing, load_relations, to_item

__all__ = ["load_bank"]


@cache
def load_bank() -> tuple[Item, ...]:
    """One item for every fact, by id. Raises `InvalidRelation` where a relation file breaks the format."""
    items = [to_item(relation, bank_phrasing(relation, fact), fact) for relation in load_relations() for fact in relation.facts]
    return tuple(sorted(items, key=lambda item: item.id))
