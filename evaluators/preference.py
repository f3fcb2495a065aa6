"""Preference accuracy: does a model find the chosen side of a pair more likely, token for token, than the rejected one?"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from compiler.records import PairLogProbs, PreferencePair


def prefers_chosen(pair: PairLogProbs) -> bool:
    """Whether the chosen side has the higher mean token log-probability (nats per token); a tie is no preference.

    Raises:
        ValueError: a side has no tokens, or a log-probability is not a number.
    """
    chosen = _mean(pair.pair_id, pair.chosen, pair.chosen_tokens)
    rejected = _mean(pair.pair_id, pair.rejected, pair.rejected_tokens)
    return chosen > rejected


def _mean(pair_id: str, total: float, tokens: int) -> float:
    if tokens <= 0:
        raise ValueError(f"pair {pair_id}: a side of {tokens} tokens has no mean log-probability")
    if math.isnan(total):
        raise ValueError(f"pair {pair_id}: a log-probability is not a number")
    return total / tokens


def preferences_by_item(pairs: Sequence[PreferencePair], logprobs: Sequence[PairLogProbs]) -> dict[str, dict[str, bool]]:
    """Item id -> negative type -> whether the chosen side is preferred.

    Raises:
        ValueError: a pair has no log-probabilities, or an item has two pairs of one negative type.
    """
    known = {row.pair_id: row for row in logprobs}
    found: dict[str, dict[str, bool]] = {}
    for pair in pairs:
        if pair.id not in known:
            raise ValueError(f"pair {pair.id} has no log-probabilities")
        of_item = found.setdefault(pair.item_id, {})
        if pair.negative_type in of_item:
            raise ValueError(f"item {pair.item_id} has two pairs of type {pair.negative_type}")
        of_item[pair.negative_type] = prefers_chosen(known[pair.id])
    return found


def preference_accuracy(preferences: Mapping[str, Mapping[str, bool]], negative_type: str | None = None) -> float | None:
    """The share of pairs whose chosen side is preferred, of one negative type or of all; None where there are no such pairs."""
    outcomes = [
        preferred for of_item in preferences.values() for kind, preferred in of_item.items() if negative_type in (None, kind)
    ]
    return sum(outcomes) / len(outcomes) if outcomes else None
