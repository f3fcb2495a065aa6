"""What a finished run tells about the variances that planning assumes: by moments, on the scale of the simulation."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import combinations

import numpy as np

from compiler.checks.method.power import Pilot
from evaluators.statistics.crossed import SeedVariance, seed_variance
from evaluators.statistics.outcome import FloatArray, IntArray
from evaluators.statistics.simulation import (
    HIGHEST_RATE,
    LOWEST_RATE,
    Population,
    bisected,
    joint_rate,
)

Tables = Mapping[str, Mapping[str, FloatArray]]
"""Endpoint -> arm -> outcomes (S, n) within 0..1; NaN where the endpoint does not apply."""
_INFORMATIVE = 0.02
"""An arm that passes or fails nearly everything says nothing about items."""
_LARGEST_SD = 6.0
_DEFAULT_COUNTS = 2
"""Degrees of freedom that the default seed noise is worth beside the measured."""


def measured(tables: Tables, families: IntArray | None, trained: frozenset[str], source: str) -> Pilot:
    """The pass rates and variances of every endpoint; what a run cannot tell is left out.

    Between seeds: the pooled variance of `crossed`, drawn a little towards the default. Between items: the variance of an arm's
    own probabilities of passing, from its seeds, and what two arms have in common of it, as the standard deviations that give
    both at the measured rates.
    """
    endpoints, rates = {}, {}
    for endpoint, by_arm in tables.items():
        arms = {arm: table for arm, table in by_arm.items() if not np.isnan(table).all()}
        if arms:
            endpoints[endpoint] = _variances(arms, families, trained)
            rates[endpoint] = {arm: _rate(table) for arm, table in arms.items()}
    return Pilot(source, endpoints, rates)


def _rate(table: FloatArray) -> float:
    return round(float(np.clip(np.nanmean(table), LOWEST_RATE, HIGHEST_RATE)), 4)


def _variances(arms: Mapping[str, FloatArray], families: IntArray | None, trained: frozenset[str]) -> dict[str, float]:
    whole = ~np.any([np.isnan(table).any(axis=0) for table in arms.values()], axis=0)
    if whole.sum() < 2:
        return {}
    kept = {arm: table[:, whole] for arm, table in arms.items()}
    found = {"applies": round(float(whole.mean()), 4), "items_per_family": 1.0}
    if families is not None:
        found["items_per_family"] = round(float(whole.sum() / len(np.unique(families[whole]))), 4)
    seeds = seed_variance([table for arm, table in kept.items() if arm in trained])
    if isinstance(seeds, SeedVariance):
        found["seed_sd"] = round(min(math.sqrt(_seed_variance(seeds)), 0.3), 4)
    return found | _item_deviations(list(kept.values()))


def _seed_variance(seeds: SeedVariance) -> float:
    """Few seeds often show no variance where there is some: the default counts as if it had been seen, too."""
    df = seeds.degrees_of_freedom
    return (df * seeds.excess + _DEFAULT_COUNTS * Population().seed_sd ** 2) / (df + _DEFAULT_COUNTS)


def _item_deviations(arms: list[FloatArray]) -> dict[str, float]:
    """`item_sd` and `item_arm_sd`, in logits."""
    arms = [arm for arm in arms if _INFORMATIVE < arm.mean() < 1 - _INFORMATIVE]
    means, rates = [arm.mean(axis=0) for arm in arms], [float(arm.mean()) for arm in arms]
    if len(arms) < 2:
        return {}
    shared = float(np.mean([np.cov(a, b)[0, 1] for a, b in combinations(means, 2)]))
    pairs = list(combinations(rates, 2))
    several = [(arm, rate) for arm, rate in zip(arms, rates, strict=True) if len(arm) > 1]
    if not several:  # one seed: what an arm shares with the others is all that can be seen
        item_sd = bisected(lambda sd: _covariance(sd, Population().item_arm_sd, pairs) - shared, 0.0, _LARGEST_SD)
        return {"item_sd": round(item_sd, 3)}
    own = float(np.mean([_own_variance(arm) for arm, _ in several]))
    alone = [rate for _, rate in several]
    total = bisected(lambda sd: _covariance(sd, 0.0, [(rate, rate) for rate in alone]) - own, 0.0, _LARGEST_SD)
    item_sd = bisected(lambda sd: _covariance(sd, math.sqrt(total**2 - sd**2), pairs) - shared, 0.0, total)
    return {"item_sd": round(item_sd, 3), "item_arm_sd": round(math.sqrt(max(total**2 - item_sd**2, 0.0)), 3)}


def _own_variance(arm: FloatArray) -> float:
    """The variance over items of an arm's probability of passing, chance in single answers taken off."""
    return float(arm.mean(axis=0).var(ddof=1) - arm.var(axis=0, ddof=1).mean() / len(arm))


def _covariance(item_sd: float, item_arm_sd: float, pairs: list[tuple[float, float]]) -> float:
    """The mean covariance over items of two arms' probabilities of passing, over pairs of rates."""
    population = Population(item_sd=item_sd, item_arm_sd=item_arm_sd)
    return float(np.mean([joint_rate(population, a, b) - a * b for a, b in pairs]))
