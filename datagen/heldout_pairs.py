"""Held-out preference pairs: a fixed good answer, written by no arm, beside each of the five negatives of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from compiler.records import Item
from datagen.mixes import NEGATIVE_TYPES
from datagen.negatives import Pool
from datagen.negatives.batch import DroppedPair, build_negatives
from datagen.preferences import Preferences, lengths, pair_of, reasons


def build_heldout_pairs(items: Sequence[Item], *, seed: int) -> Preferences:
    """All five negatives of every item's good answer (or, without one, of its first reference answer) that can be built.

    An item without either is dropped and counted. Pairs stand in the order of the items, then of the types.
    """
    chosen = {item.id: answer for item in items if (answer := _good_answer(item))}
    dropped = [DroppedPair(item.id, None, "no_good_answer", "") for item in items if item.id not in chosen]
    usable = [item for item in items if item.id in chosen]
    negatives = build_negatives(
        usable, chosen, Pool(tuple(usable), chosen), wanted=dict.fromkeys(NEGATIVE_TYPES, len(usable)), seed=seed
    )
    by_id = {item.id: item for item in usable}
    pairs = tuple(pair_of(by_id[slot[0]], slot, chosen[slot[0]], text, "heldout") for slot, text in negatives.texts.items())
    dropped += negatives.dropped
    counts = {
        "items": len(items),
        "asked": len(NEGATIVE_TYPES) * len(items),
        "made": len(pairs),
        "types": dict(Counter(pair.negative_type for pair in pairs)),
        "distinct_rejected": len({pair.rejected for pair in pairs}),
        "mean_characters": lengths(pairs),
        "dropped": reasons(dropped),
    }
    return Preferences(pairs, tuple(dropped), counts)


def _good_answer(item: Item) -> str:
    return (item.good_answer or next(iter(item.answers or ()), "")).strip()
