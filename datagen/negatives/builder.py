"""How a negative is built: proposals, of which the first without a flaw is taken."""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Protocol

from compiler.records import Item, RejectedType
from datagen.mentions import normalise
from datagen.negatives.checks import common_flaw
from datagen.negatives.pool import Pool

MOST_PROPOSALS = 60
"""Proposals that are looked at before an item is given up for a type."""

Propose = Callable[[Item, str, Pool, random.Random], Iterator[str]]
Flaw = Callable[[Item, str, str], str | None]


@dataclass(frozen=True, slots=True)
class Attempt:
    """A negative, or the flaw of the last proposal (`not_buildable` where there was none)."""

    text: str | None
    reason: str | None


class NegativeBuilder(Protocol):
    """Builds one type of negative."""

    def build(self, item: Item, chosen: str, pool: Pool, rng: random.Random) -> str | None:
        """A rejected answer to the item beside the chosen one; None where none can be built."""
        ...

    def attempt(self, item: Item, chosen: str, pool: Pool, rng: random.Random, avoid: Collection[str] = ()) -> Attempt:
        """The same with the reason; texts in `avoid` are not built again."""
        ...


@dataclass(frozen=True, slots=True)
class ProposedNegative:
    """A negative type as its proposals and what would be wrong with one."""

    name: RejectedType
    propose: Propose
    flaw: Flaw

    def build(self, item: Item, chosen: str, pool: Pool, rng: random.Random) -> str | None:
        """A rejected answer to the item beside the chosen one; None where none can be built."""
        return self.attempt(item, chosen, pool, rng).text

    def attempt(self, item: Item, chosen: str, pool: Pool, rng: random.Random, avoid: Collection[str] = ()) -> Attempt:
        """The same with the reason; texts in `avoid` are not built again."""
        taken = {normalise(text) for text in avoid}
        reason: str | None = "not_buildable"
        for text in islice(self.propose(item, chosen, pool, rng), MOST_PROPOSALS):
            repeated = "built_before" if normalise(text) in taken else None
            reason = common_flaw(chosen, text) or self.flaw(item, chosen, text) or repeated
            if reason is None:
                return Attempt(text, None)
        return Attempt(None, reason)
