"""Wordy filler: several sentences about the subject that say nothing about it."""

from __future__ import annotations

import random
from collections.abc import Iterator

from compiler.records import Item
from datagen.negatives.builder import ProposedNegative
from datagen.negatives.checks import vague_flaw
from datagen.negatives.filler import filler
from datagen.negatives.phrasing import subject
from datagen.negatives.pool import Pool


def propose(item: Item, chosen: str, pool: Pool, rng: random.Random) -> Iterator[str]:
    """Three to five sentences of filler."""
    while True:
        yield filler(rng, subject(item, rng), rng.randint(3, 5))


verbose_vague = ProposedNegative("verbose_vague", propose, vague_flaw)
