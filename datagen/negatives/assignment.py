"""Which of the negatives that could be built become pairs: the quotas filled, the items served evenly."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable, Mapping

from compiler.records import RejectedType
from datagen.mixes import quotas
from datagen.negatives.batch import Slot, stable_hash


def assign(slots: Iterable[Slot], wanted: Mapping[RejectedType, int], seed: int) -> list[Slot]:
    """Picks as many of the slots of each type as are wanted, always for the item that has the fewest pairs so far.

    What a type lacks goes to the others in the proportion of what was wanted of them. Ties are broken by a hash, so that
    neither the order nor the number of the items matters.
    """
    by_type: dict[RejectedType, list[Slot]] = {kind: [] for kind in wanted}
    for slot in slots:
        by_type[slot[1]].append(slot)
    goals = refilled(wanted, {kind: len(of_type) for kind, of_type in by_type.items()})
    load: Counter[str] = Counter()
    picked: list[Slot] = []
    for kind in sorted(goals, key=lambda kind: len(by_type[kind])):
        free: dict[str, list[Slot]] = {}
        for slot in sorted(by_type[kind], key=lambda slot: -slot[2]):
            free.setdefault(slot[0], []).append(slot)
        queue = [(load[item_id], stable_hash(seed, item_id, kind), item_id) for item_id in free]
        heapq.heapify(queue)
        for _ in range(goals[kind]):
            _, tie, item_id = heapq.heappop(queue)
            picked.append(free[item_id].pop())
            load[item_id] += 1
            if free[item_id]:
                heapq.heappush(queue, (load[item_id], tie, item_id))
    return picked


def refilled(wanted: Mapping[RejectedType, int], available: Mapping[RejectedType, int]) -> dict[RejectedType, int]:
    """Quotas within what is available, with every shortfall shared among the other types in proportion; the sum is the wanted
    sum, or all that is available if that is less."""
    goals = {kind: min(count, available[kind]) for kind, count in wanted.items()}
    missing = sum(wanted.values()) - sum(goals.values())
    while missing:
        open_types = {kind: float(wanted[kind]) for kind in goals if goals[kind] < available[kind] and wanted[kind]}
        if not open_types:
            break
        for kind, more in quotas(missing, open_types).items():
            goals[kind] += min(more, available[kind] - goals[kind])
        missing = sum(wanted.values()) - sum(goals.values())
    return goals
