"""Draws training, validation and held-out instructions that have nothing in common but their kinds.

Items that ask for the same fact, or that are near-duplicates, form a group; a group serves one split only. The drawing order is
a hash of seed and id, so that a split depends on the seed and on nothing else: not on the order of the pool.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Literal

from compiler.records import Item
from datagen.near_duplicates import near_duplicate_pairs

Stratify = Literal["kind", "topic", "family"] | None
SplitName = Literal["heldout", "train", "validation"]


@dataclass(frozen=True, slots=True)
class Split:
    """Disjoint draws from one pool, each in drawing order."""

    train: tuple[Item, ...]
    validation: tuple[Item, ...]
    heldout: tuple[Item, ...]


class NotEnoughItems(ValueError):
    """The pool is too small for the draw that was asked for."""


def draw_split(
    items: Iterable[Item], *, train: int, validation: int, heldout: int, stratify: Stratify = "kind", seed: int
) -> Split:
    """Draws the three splits, each with the pool's shares of `stratify` (largest remainder; `None`: no strata).

    No two splits share a fact (relation and entity), a family-and-entity pair or a near-duplicate. Items are drawn from as many
    groups as possible; where that leaves too few, whole groups are used up one after another.

    Raises:
        NotEnoughItems: the pool cannot fill the splits; the message says which, and gives the numbers.
        ValueError: a size is negative, or two items have one id.
    """
    sizes: dict[SplitName, int] = {"heldout": heldout, "train": train, "validation": validation}
    pool = _in_drawing_order(items, seed)
    _check(pool, sizes)
    strata = {item.id: "" if stratify is None else str(getattr(item, stratify)) for item in pool}
    groups = _groups(pool)
    quotas = _quotas(Counter(strata.values()), sizes)
    try:
        drawn = _draw(pool, strata, groups, quotas)
    except NotEnoughItems:
        drawn = _draw(_group_by_group(pool, groups), strata, groups, quotas)
    return Split(**{name: tuple(chosen) for name, chosen in drawn.items()})


def largest_remainder(total: int, weights: Mapping[str, int], room: Mapping[str, int]) -> dict[str, int]:
    """Shares out `total` seats in proportion to the weights (Hamilton's method), nobody getting more than there is room for.

    Seats that find no room go to the next largest remainders; ties go by name. `total` must not exceed the sum of `room`.
    """
    weight = sum(weights.values()) or 1
    shares = {name: min(total * weights[name] // weight, room[name]) for name in weights}
    order = sorted(weights, key=lambda name: (-(total * weights[name] % weight), name))
    while (left := total - sum(shares.values())) > 0:
        for name in [name for name in order if shares[name] < room[name]][:left]:
            shares[name] += 1
    return shares


def _in_drawing_order(items: Iterable[Item], seed: int) -> list[Item]:
    return sorted(items, key=lambda item: (hashlib.sha256(f"{seed}\0{item.id}".encode()).digest(), item.id))


def _check(pool: Sequence[Item], sizes: Mapping[SplitName, int]) -> None:
    for name, size in sizes.items():
        if size < 0:
            raise ValueError(f"{name} must not be negative: {size}")
    repeated = [item_id for item_id, count in Counter(item.id for item in pool).items() if count > 1]
    if repeated:
        raise ValueError(f"{len(repeated)} ids occur more than once, the first being {min(repeated)!r}")
    if (wanted := sum(sizes.values())) > len(pool):
        parts = ", ".join(f"{size} {name}" for name, size in sizes.items())
        raise NotEnoughItems(f"{wanted} instructions are wanted ({parts}), but the source has {len(pool)}")


def _quotas(pool: Mapping[str, int], sizes: Mapping[SplitName, int]) -> dict[SplitName, dict[str, int]]:
    """How many items of each stratum each split takes."""
    room = dict(pool)
    quotas: dict[SplitName, dict[str, int]] = {}
    for name, size in sizes.items():
        quotas[name] = largest_remainder(size, pool, room)
        room = {stratum: room[stratum] - taken for stratum, taken in quotas[name].items()}
    return quotas


def _groups(pool: Sequence[Item]) -> dict[str, int]:
    """Item id -> its group: the connected items that share a fact or are near-duplicates."""
    parents = list(range(len(pool)))

    def root(place: int) -> int:
        while parents[place] != place:
            parents[place] = parents[parents[place]]
            place = parents[place]
        return place

    for one, other in chain(_same_facts(pool), near_duplicate_pairs([item.instruction for item in pool])):
        parents[root(one)] = root(other)
    return {item.id: root(place) for place, item in enumerate(pool)}


def _same_facts(pool: Sequence[Item]) -> Iterable[tuple[int, int]]:
    """Pairs of places that chain together the items about one fact; an item without an entity is about nothing known."""
    first: dict[Hashable, int] = {}
    for place, item in enumerate(pool):
        if item.entity:
            fact = (item.family.split("/")[0], item.entity.casefold())
            yield first.setdefault(fact, place), place


def _group_by_group(pool: Sequence[Item], groups: Mapping[str, int]) -> list[Item]:
    """The pool with the items of a group side by side, groups in the order of their first items."""
    members: dict[int, list[Item]] = defaultdict(list)
    for item in pool:
        members[groups[item.id]].append(item)
    return list(chain.from_iterable(members.values()))


def _draw(
    pool: Sequence[Item], strata: Mapping[str, str], groups: Mapping[str, int], quotas: Mapping[SplitName, Mapping[str, int]]
) -> dict[SplitName, list[Item]]:
    """Fills one split after the other in the pool's order, each from groups that no earlier split has touched."""
    taken: set[int] = set()
    drawn: dict[SplitName, list[Item]] = {}
    for name, quota in quotas.items():
        left = Counter(quota)
        drawn[name] = []
        for item in pool:
            if left[strata[item.id]] and groups[item.id] not in taken:
                left[strata[item.id]] -= 1
                drawn[name].append(item)
        if missing := +left:
            raise NotEnoughItems(_shortage(name, quota, missing, pool, groups))
        taken |= {groups[item.id] for item in drawn[name]}
    return drawn


def _shortage(
    name: SplitName, quota: Mapping[str, int], missing: Mapping[str, int], pool: Sequence[Item], groups: Mapping[str, int]
) -> str:
    got = ", ".join(f"{quota[stratum] - count} of {quota[stratum]} {stratum or 'items'}" for stratum, count in missing.items())
    return (
        f"{name} could be given only {got}: the source has {len(pool)} instructions in {len(set(groups.values()))} groups of "
        "shared facts or near-duplicates, and a group may serve one split only"
    )
