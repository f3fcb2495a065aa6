"""Another item's chosen answer: the baseline that diverse negatives are measured against."""

from __future__ import annotations

import random
from collections.abc import Iterator

from compiler.records import Item
from datagen.negatives.builder import ProposedNegative
from datagen.negatives.checks import random_flaw
from datagen.negatives.pool import Pool


def propose(item: Item, chosen: str, pool: Pool, rng: random.Random) -> Iterator[str]:
    """The other items' answers."""
    for other in pool.everyone(item, rng):
        yield pool.answers.get(other.id, "")


random_answer = ProposedNegative("random", propose, random_flaw)
