"""Comparisons as they are reported, with corrected p-values."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations
from typing import Any

from evaluators.analysis.comparisons import Comparer, Comparison
from evaluators.analysis.settings import AnalyzeSettings
from evaluators.results import ClaimKind, Contrast
from evaluators.statistics.effects import cohen_h, conditional_odds_ratio
from evaluators.statistics.intervals import newcombe_paired
from evaluators.statistics.multiplicity import adjust
from evaluators.statistics.outcome import Refusal, TestResult
from evaluators.statistics.paired import MCNEMAR

REFUSED = "refused"


def reported(comparison: Comparison, **more: Any) -> Contrast:
    """The contrast of a comparison; `more` sets or replaces its fields. A refused test still shows the difference measured."""
    n = len(comparison.differences)
    result = comparison.result
    common: dict[str, Any] = {
        "first": comparison.first,
        "second": comparison.second,
        "endpoint": comparison.endpoint,
        "effect": float(comparison.differences.mean()) if n else None,
        "n_items": n,
        "n_families": None if comparison.families is None or not n else int(comparison.families.max()) + 1,
        "n_seeds": comparison.n_seeds,
    }
    outcome = _refused(result) if isinstance(result, Refusal) else _tested(comparison, result)
    return Contrast(**(common | outcome | _effect_sizes(comparison) | more))


def _refused(result: Refusal) -> dict[str, Any]:
    return {"low": None, "high": None, "test": REFUSED, "p": None, "note": result.reason}


def _tested(comparison: Comparison, result: TestResult) -> dict[str, Any]:
    seeds = comparison.seeds
    return {
        "low": result.interval.low,
        "high": result.interval.high,
        "interval_level": result.level,
        "test": result.test,
        "p": result.p,
        "degrees_of_freedom": result.degrees_of_freedom if math.isfinite(result.degrees_of_freedom) else None,
        "seed_sd": seeds.pooled.excess**0.5 if seeds is not None and seeds.weight > 0 else None,
    }


def _effect_sizes(comparison: Comparison) -> dict[str, float | None]:
    sizes: dict[str, float | None] = {}
    if comparison.rates is not None:
        sizes["cohen_h"] = cohen_h(*comparison.rates)
    sizes["cliffs_delta"] = comparison.dominance
    result = comparison.result
    if isinstance(result, TestResult) and result.test == MCNEMAR and comparison.rates is not None:
        sizes |= _newcombe(comparison, comparison.rates, result.level)
    odds = conditional_odds_ratio(*comparison.discordant)
    if odds is not None:
        sizes |= {"odds_ratio": odds.ratio, "odds_ratio_low": odds.low, "odds_ratio_high": odds.high}
    return sizes


def _newcombe(comparison: Comparison, rates: tuple[float, float], level: float) -> dict[str, float | None]:
    """A second interval of the difference of two checkpoints, from the table of both outcomes."""
    n, (b, c) = len(comparison.differences), comparison.discordant
    both = round(n * rates[0]) - b
    interval = newcombe_paired(both, b, c, n - both - b - c, level)
    return {"newcombe_low": interval.low, "newcombe_high": interval.high}


def secondary_contrasts(
    settings: AnalyzeSettings, comparer: Comparer, endpoints: Sequence[str], claimed: set[tuple[frozenset[str], str]]
) -> tuple[Contrast, ...]:
    """Every pair of arms x endpoint that no claim tests, corrected together.

    The later arm minus the earlier one, as recipes where every trained arm has two seeds, else as the checkpoints at hand.
    """
    outcomes = comparer.outcomes
    comparisons = [
        _default_comparison(comparer, second, first, endpoint)
        for first, second in combinations(outcomes.seeds, 2)
        for endpoint in endpoints
        if (frozenset((first, second)), endpoint) not in claimed
        and outcomes.has(first, endpoint)
        and outcomes.has(second, endpoint)
    ]
    correction = settings.analysis.correction.secondary
    adjusted = adjust([None if isinstance(c.result, Refusal) else c.result.p for c in comparisons], correction)
    return tuple(
        reported(comparison, p_adjusted=p, correction=correction, **_blind_to_seeds(comparison))
        for comparison, p in zip(comparisons, adjusted, strict=True)
    )


def _default_comparison(comparer: Comparer, first: str, second: str, endpoint: str) -> Comparison:
    kind: ClaimKind = "recipe" if comparer.seeds_of(first, second) >= 2 else "checkpoint"
    level = 1 - comparer.settings.analysis.alpha
    comparison = comparer.compare(first, second, endpoint, kind, level)
    if kind == "recipe" and isinstance(comparison.result, Refusal):
        return comparer.compare(first, second, endpoint, "checkpoint", level)
    return comparison


def _blind_to_seeds(comparison: Comparison) -> dict[str, str]:
    if comparison.seeds is None and comparison.n_seeds > 0 and not isinstance(comparison.result, Refusal):
        return {"note": "says something about these checkpoints only: the variance between training seeds is not in this test"}
    return {}
