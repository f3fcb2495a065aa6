"""Preference pairs: chosen answers beside negatives of them, in a stated mix, spread evenly over the items."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any, Literal

from compiler.records import Answer, Item, PreferencePair, Split
from datagen.cleaning import cut
from datagen.demonstrations import DEGENERATE, answers_by_item, first_broken
from datagen.mixes import Shares, observe_failures, quotas, shares_of
from datagen.negatives import BUILDERS, Pool
from datagen.negatives.assignment import assign
from datagen.negatives.batch import DroppedPair, Slot, build_negatives, stable_hash

Labels = Literal["true", "shuffled"]


@dataclass(frozen=True, slots=True)
class Preferences:
    """The pairs, those of an item together; what was dropped and why; and all of it in numbers."""

    pairs: tuple[PreferencePair, ...]
    dropped: tuple[DroppedPair, ...]
    counts: dict[str, Any]


def build_preferences(
    items: Sequence[Item],
    chosen_answers: Sequence[Answer],
    *,
    pairs: int,
    rejected: str | Mapping[str, float],
    labels: Labels,
    seed: int,
    observed: Sequence[Answer] | None = None,
) -> Preferences:
    """Pairs whose chosen side a model wrote and whose rejected side is built from it.

    `pairs` counts the pairs of the training items; validation items get pairs in the same proportion on top. Each item has a
    type at most once (`random` excepted). A type that cannot fill its quota leaves the rest to the other types in proportion. A
    negative depends on the seed, its item and the pool, not on the place of the item. Training pairs draw on training items
    alone. `shuffled` labels swap chosen and rejected in a random half of each split.

    Raises:
        ValueError: a mix that cannot be read (see `mixes.shares_of`), an answer to an unknown or a held-out item, two answers
            to one item, or fewer than one pair asked for.
    """
    if pairs < 1:
        raise ValueError(f"pairs is {pairs}; at least one pair is needed")
    shares = shares_of(rejected, None if observed is None else observe_failures(items, observed))
    answers = answers_by_item(items, chosen_answers)
    chosen, dropped = _usable(items, answers)
    usable = [item for item in items if item.id in chosen]
    train = [item for item in usable if answers[item.id].split == "train"]
    validation = [item for item in usable if answers[item.id].split == "validation"]
    parts: dict[Split, tuple[list[Item], Pool]] = {
        "train": (train, Pool(tuple(train), chosen)),
        "validation": (validation, Pool(tuple(usable), chosen)),
    }
    asked: dict[Split, int] = {"train": pairs, "validation": round(pairs * len(validation) / max(1, len(train)))}
    made: list[PreferencePair] = []
    for split, (members, pool) in parts.items():
        wanted = quotas(asked[split], shares)
        negatives = build_negatives(members, chosen, pool, wanted=wanted, seed=seed)
        of_split = _in_order(members, assign(negatives.texts, wanted, seed), chosen, negatives.texts, split)
        made += shuffled(of_split, seed) if labels == "shuffled" else of_split
        dropped += negatives.dropped
    return Preferences(tuple(made), tuple(dropped), _counts(made, dropped, shares, asked, labels))


def shuffled(pairs: Sequence[PreferencePair], seed: int) -> list[PreferencePair]:
    """The pairs with chosen and rejected swapped in half of them (rounded down), which half being random."""
    ranked = sorted(pairs, key=lambda pair: stable_hash(seed, "labels", pair.id))
    swapped = {pair.id for pair in ranked[: len(pairs) // 2]}
    return [
        pair.model_copy(update={"chosen": pair.rejected, "rejected": pair.chosen}) if pair.id in swapped else pair
        for pair in pairs
    ]


def lengths(pairs: Sequence[PreferencePair]) -> dict[str, float | None]:
    """Mean length of both sides in characters, and the gap: a preference for short answers can be learned from it alone."""
    if not pairs:
        return {"chosen": None, "rejected": None, "gap": None}
    chosen, rejected = (
        fmean(len(side) for side in sides) for sides in zip(*((p.chosen, p.rejected) for p in pairs), strict=True)
    )
    return {"chosen": round(chosen, 2), "rejected": round(rejected, 2), "gap": round(rejected - chosen, 2)}


def _usable(items: Iterable[Item], answers: Mapping[str, Answer]) -> tuple[dict[str, str], list[DroppedPair]]:
    """The cleaned chosen answers by item id, and the answers that are none."""
    chosen: dict[str, str] = {}
    dropped = []
    for item in items:
        answer = answers.get(item.id)
        if answer is None:
            dropped.append(DroppedPair(item.id, None, "no_answer", ""))
            continue
        cleaned = cut(answer.response)
        reason = first_broken(item, answer, cleaned, DEGENERATE)
        if reason:
            dropped.append(DroppedPair(item.id, None, reason, answer.response))
        else:
            chosen[item.id] = cleaned.text
    return chosen, dropped


def _in_order(
    items: Sequence[Item], slots: Iterable[Slot], chosen: Mapping[str, str], texts: Mapping[Slot, str], split: Split
) -> list[PreferencePair]:
    """The pairs in the order of items and types, so that pairs of one prompt stand together."""
    places = {item.id: place for place, item in enumerate(items)}
    types = list(BUILDERS)
    ordered = sorted(slots, key=lambda slot: (places[slot[0]], types.index(slot[1]), slot[2]))
    return [pair_of(items[places[slot[0]]], slot, chosen[slot[0]], texts[slot], split) for slot in ordered]


def pair_of(item: Item, slot: Slot, chosen: str, rejected: str, split: Split) -> PreferencePair:
    """The pair of a slot; its id says what it was made of."""
    _, kind, draw = slot
    return PreferencePair(
        id=f"{item.id}/{kind}" + (f"/{draw}" if draw > 1 else ""),
        item_id=item.id,
        instruction=item.instruction,
        chosen=chosen,
        rejected=rejected,
        negative_type=kind,
        split=split,
    )


def reasons(dropped: Iterable[DroppedPair]) -> dict[str, dict[str, int]]:
    """How often what was dropped, by negative type (`chosen` for chosen answers) and reason."""
    table: dict[str, Counter[str]] = {}
    for row in dropped:
        table.setdefault(row.negative_type or "chosen", Counter())[row.reason] += 1
    return {kind: dict(sorted(found.items())) for kind, found in sorted(table.items())}


def _counts(
    pairs: Sequence[PreferencePair], dropped: Sequence[DroppedPair], shares: Shares, asked: Mapping[Split, int], labels: Labels
) -> dict[str, Any]:
    by_split = {split: [pair for pair in pairs if pair.split == split] for split in asked}
    parts = {split: _part_counts(of_split, asked[split], shares) for split, of_split in by_split.items()}
    return {"labels": labels, "shares": dict(shares), "dropped": reasons(dropped)} | {
        str(split): part for split, part in parts.items()
    }


def _part_counts(pairs: Sequence[PreferencePair], asked: int, shares: Shares) -> dict[str, Any]:
    by_type = {kind: [pair for pair in pairs if pair.negative_type == kind] for kind in shares}
    wanted = quotas(asked, shares)
    return {
        "asked": asked,
        "made": len(pairs),
        "items": len({pair.item_id for pair in pairs}),
        "types": {
            kind: {"asked": wanted[kind], "made": len(made), "length_gap": lengths(made)["gap"]}
            for kind, made in by_type.items()
        },
        "distinct_rejected": len({pair.rejected for pair in pairs}),
        "mean_characters": lengths(pairs),
    }
