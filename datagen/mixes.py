"""How a set of preference pairs is divided among the types of negative."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import get_args

from compiler.language.data import ORIGINAL_MIX, UNIFORM_MIX
from compiler.records import Answer, Item, NegativeType, RejectedType
from datagen.cleaning import clean
from datagen.failings import has_artefact, is_refusal
from datagen.form import meets, word_count
from datagen.mentions import content_words, mentions

Shares = Mapping[RejectedType, float]

NEGATIVE_TYPES: tuple[NegativeType, ...] = get_args(NegativeType)
ORIGINAL: Shares = dict(ORIGINAL_MIX.items())
UNIFORM: Shares = dict(UNIFORM_MIX.items())
RANDOM: Shares = {"random": 1.0}
WORDY = 25
"""Words from which an answer that names nothing of its instruction counts as wordy rather than as another topic."""


def shares_of(rejected: str | Mapping[str, float], observed: Shares | None = None) -> dict[RejectedType, float]:
    """The shares behind a mix by name (`original`, `uniform`, `random`, `empirical`) or by type; they sum to 1.

    Raises:
        ValueError: an unknown mix or type, a negative share, shares that do not sum to 1 (within 1e-6), or `empirical` without
            observed failures.
    """
    if not isinstance(rejected, str):
        return _explicit(rejected)
    if rejected == "empirical":
        if observed is None:
            raise ValueError("the mix `empirical` needs observed answers of the base model")
        return dict(observed)
    named: Mapping[str, Shares] = {"original": ORIGINAL, "uniform": UNIFORM, "random": RANDOM}
    if rejected not in named:
        raise ValueError(f"unknown mix {rejected!r}; known: original, uniform, random, empirical, or shares by type")
    return dict(named[rejected])


def quotas(total: int, shares: Mapping[RejectedType, float]) -> dict[RejectedType, int]:
    """Whole numbers in the proportion of the shares that sum exactly to the total (largest remainder, ties to the first type).

    Raises:
        ValueError: the total is negative, or no share is positive.
    """
    weight = math.fsum(shares.values())
    if total < 0 or weight <= 0:
        raise ValueError(f"cannot divide {total} among shares that sum to {weight:g}")
    exact = {kind: total * share / weight for kind, share in shares.items()}
    made = {kind: math.floor(value + 1e-9) for kind, value in exact.items()}
    by_remainder = sorted(shares, key=lambda kind: made[kind] - exact[kind])
    for kind in by_remainder[: total - sum(made.values())]:
        made[kind] += 1
    return made


def observe_failures(items: Sequence[Item], answers: Iterable[Answer]) -> dict[RejectedType, float]:
    """The shares of the negative types among a model's failed answers, each put down to the first failing that `failing` finds.

    Answers are cleaned first: that a base model does not stop is no failing of the answer. Where nothing failed there is
    nothing to copy, and the shares are uniform.
    """
    by_id = {item.id: item for item in items}
    found = Counter(failing(by_id[answer.item_id], clean(answer.response)) for answer in answers if answer.item_id in by_id)
    del found[None]
    total = sum(found.values())
    return {kind: found[kind] / total if total else UNIFORM[kind] for kind in NEGATIVE_TYPES}


def failing(item: Item, text: str) -> NegativeType | None:
    """Which type of negative an answer is like, by datagen's own coarse rules; None for an answer that seems fine."""
    if is_refusal(text):
        return "unwarranted_refusal"
    if not text or has_artefact(text) or not meets(item.constraint, text):
        return "format_violation"
    if item.answers and mentions(text, item.answers):
        return None
    about = content_words(f"{item.instruction} {item.entity} {item.good_answer or ''}")
    names_nothing = not content_words(text) & about
    if names_nothing and word_count(text) >= WORDY:
        return "verbose_vague"
    if names_nothing and word_count(text) > 3:
        return "off_topic"
    return "incorrect_factual" if item.answers else None


def _explicit(shares: Mapping[str, float]) -> dict[RejectedType, float]:
    known: dict[str, RejectedType] = {kind: kind for kind in get_args(NegativeType)} | {"random": "random"}
    unknown = sorted(set(shares) - set(known))
    if unknown:
        raise ValueError(f"unknown negative type {unknown[0]!r}; known: {', '.join(known)}")
    total = math.fsum(shares.values())
    if any(share < 0 for share in shares.values()) or abs(total - 1) > 1e-6:
        raise ValueError(f"shares of negative types must be positive and sum to 1; these sum to {total:g}")
    return {kind: shares[name] for name, kind in known.items() if shares.get(name, 0) > 0}
