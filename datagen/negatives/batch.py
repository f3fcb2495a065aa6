"""Builds every negative that a set of items can have, each from a random generator of its own."""

from __future__ import annotations

import hashlib
import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from compiler.records import Item, RejectedType
from datagen.negatives import BUILDERS
from datagen.negatives.pool import Pool

Slot = tuple[str, RejectedType, int]
"""Item id, negative type, and which draw it is: 1, except that a `random` answer may be drawn several times for an item."""


@dataclass(frozen=True, slots=True)
class DroppedPair:
    """A chosen answer that cannot be used (no type), or a negative that could not be built."""

    item_id: str
    negative_type: RejectedType | None
    reason: str
    text: str


@dataclass(frozen=True, slots=True)
class Negatives:
    """The negatives that could be built for a split, and those that could not."""

    texts: Mapping[Slot, str]
    dropped: tuple[DroppedPair, ...]


def build_negatives(
    items: Sequence[Item], chosen: Mapping[str, str], pool: Pool, *, wanted: Mapping[RejectedType, int], seed: int
) -> Negatives:
    """Every negative of the wanted types that can be built: one for an item, of `random` as many as its number may take."""
    texts: dict[Slot, str] = {}
    dropped: list[DroppedPair] = []
    for item in items:
        for kind, number in wanted.items():
            draws = math.ceil(number / len(items)) + 1 if kind == "random" else min(number, 1)
            taken: list[str] = []
            for draw in range(1, draws + 1):
                rng = rng_of(seed, item.id, kind, draw)
                attempt = BUILDERS[kind].attempt(item, chosen[item.id], pool, rng, taken)
                if attempt.text is None:
                    dropped.append(DroppedPair(item.id, kind, attempt.reason or "not_buildable", chosen[item.id]))
                    break
                taken.append(attempt.text)
                texts[item.id, kind, draw] = attempt.text
    return Negatives(texts, tuple(dropped))


def rng_of(seed: int, *parts: object) -> random.Random:
    """A generator of its own for every item, type and draw."""
    return random.Random(int.from_bytes(stable_hash(seed, *parts), "big"))


def stable_hash(*parts: object) -> bytes:
    """A hash of the parts that is the same in every process and on every machine."""
    return hashlib.sha256("\0".join(map(str, parts)).encode("utf-8", "surrogatepass")).digest()
