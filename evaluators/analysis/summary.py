"""Summaries over all criteria, on which no claim rests: every arm's mean, and the order of the arms."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from compiler.records import Item
from evaluators.analysis.outcomes import Outcomes
from evaluators.results import Aggregate, Strength
from evaluators.statistics.bootstrap import stratified_bca
from evaluators.statistics.order import overall_order
from evaluators.statistics.outcome import FloatArray, Refusal

_RESAMPLES = 2000


def item_means(outcomes: Outcomes, arm: str, criteria: Sequence[str]) -> FloatArray:
    """An arm's mean over criteria and seeds on every item, (n,); NaN where no criterion applies."""
    stacked = np.concatenate([outcomes.tables[criterion][arm] for criterion in criteria])
    known = ~np.isnan(stacked)
    counts = known.sum(axis=0)
    return np.where(counts > 0, np.where(known, stacked, 0.0).sum(axis=0) / np.maximum(counts, 1), np.nan)


def aggregates_of(outcomes: Outcomes, items: Sequence[Item], criteria: Sequence[str]) -> tuple[Aggregate, ...]:
    """Every arm's mean over criteria, with a bootstrap interval stratified by kind of instruction."""
    kinds = np.array([item.kind for item in items])
    found = []
    for arm in outcomes.seeds:
        means = item_means(outcomes, arm, criteria)
        known = ~np.isnan(means)
        if known.any():
            interval = stratified_bca(means[known], kinds[known].tolist(), resamples=_RESAMPLES)
            low, high = (None, None) if isinstance(interval, Refusal) else interval
            found.append(Aggregate(arm=arm, mean=float(means[known].mean()), low=low, high=high))
    return tuple(found)


def order_of(outcomes: Outcomes, criteria: Sequence[str]) -> tuple[Strength, ...]:
    """All arms from strongest to weakest; empty where there is nothing to order."""
    arms = list(outcomes.seeds)
    if not arms or not outcomes.items:
        return ()
    found = overall_order(np.stack([item_means(outcomes, arm, criteria) for arm in arms]), outcomes.families)
    if isinstance(found, Refusal):
        return ()
    ranked = sorted(range(len(arms)), key=lambda place: -found.strengths[place])
    return tuple(
        Strength(
            arm=arms[place],
            strength=float(found.strengths[place]),
            low=float(found.low[place]),
            high=float(found.high[place]),
            wins=float(found.wins[place]),
        )
        for place in ranked
    )
