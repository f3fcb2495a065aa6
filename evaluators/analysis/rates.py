"""Pass rates of single arms."""

from __future__ import annotations

import numpy as np

from evaluators.analysis.outcomes import PREFERENCE, Outcomes
from evaluators.results import Rate
from evaluators.statistics.intervals import wilson
from evaluators.statistics.outcome import FloatArray


def rate_of(outcomes: Outcomes, arm: str, endpoint: str) -> Rate:
    """How often `arm` passed `endpoint`: items weigh alike, an item's seeds are averaged; Wilson 95% on the number of items."""
    table = outcomes.tables[endpoint][arm]
    passed, applicable = _counts(outcomes, arm, endpoint)
    applies = ~np.isnan(table)
    if not applies.any():
        return Rate(arm=arm, endpoint=endpoint, passed=0, applicable=0, rate=None, low=None, high=None, per_seed={})
    items = applies.any(axis=0)
    means = np.nanmean(table[:, items], axis=0)
    n = len(means)
    interval = wilson(min(float(means.sum()), n), n)
    return Rate(
        arm=arm,
        endpoint=endpoint,
        passed=passed,
        applicable=applicable,
        rate=float(means.mean()),
        low=interval.low,
        high=interval.high,
        per_seed={
            str(seed): float(np.nanmean(row))
            for seed, row in zip(outcomes.seeds[arm], table, strict=True)
            if seed is not None and not np.isnan(row).all()
        },
    )


def _counts(outcomes: Outcomes, arm: str, endpoint: str) -> tuple[int, int]:
    """Answers passed and applicable; for `preference_accuracy`, pairs."""
    names = [e for e in outcomes.tables if e.startswith(f"{PREFERENCE}/")] if endpoint == PREFERENCE else [endpoint]
    tables: list[FloatArray] = [outcomes.tables[name][arm] for name in names]
    return sum(int(np.nansum(t)) for t in tables), sum(int((~np.isnan(t)).sum()) for t in tables)
