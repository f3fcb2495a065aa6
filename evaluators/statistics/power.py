"""How small an effect a test can find: exactly for McNemar's, by running the test on resampled items for the others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy import stats

from evaluators.statistics.crossed import NO_SEED_VARIANCE, Freedom, SeedVariance, combined_error
from evaluators.statistics.outcome import FloatArray, IntArray

_CELLS = 500_000
"""Differences drawn at a time: bounds time and memory."""
_TOLERANCE = 0.001


@cache
def mcnemar_power(items: int, discordant: float, effect: float, alpha: float = 0.05) -> float:
    """The exact power of the exact McNemar test: the chance to reject in the direction of `effect`.

    The number of discordant items is binomial (items, discordant), and each of them favours the first arm with probability
    (1 + effect / discordant) / 2. Source: Duffy (1984), Asymptotic and exact power for the McNemar test; here the exact sum.

    Raises:
        ValueError: the effect exceeds the share of discordant items.
    """
    if not 0 <= effect <= discordant <= 1:
        raise ValueError(f"an effect lies between 0 and the share of discordant items: {effect}, {discordant}")
    if discordant == 0:
        return 0.0
    m = np.arange(items + 1)
    critical = stats.binom.ppf(alpha / 2, m, 0.5)  # reject when the smaller count is below this, or at it if its tail fits
    critical = np.where(2 * stats.binom.cdf(critical, m, 0.5) < alpha, critical, critical - 1)
    favour = (1 + effect / discordant) / 2
    return float(stats.binom.pmf(m, items, discordant) @ stats.binom.cdf(critical, m, 1 - favour))


def mcnemar_detectable(items: int, discordant: float, alpha: float = 0.05, power: float = 0.8) -> float | None:
    """The smallest effect that the exact McNemar test finds with `power`; None when the items are too few for any.

    The share of discordant items is `discordant`, or the effect itself where that is larger.
    """
    return _smallest(lambda effect: mcnemar_power(items, max(discordant, effect), effect, alpha) >= power)


def mcnemar_items(discordant: float, effect: float, alpha: float = 0.05, power: float = 0.8, most: int = 20_000) -> int | None:
    """The fewest items with which the exact McNemar test finds `effect` with `power`; None when `most` are not enough.

    Exact power is a saw-tooth in the number of items: this is the first number that reaches it.
    """
    return next((n for n in range(2, most + 1) if mcnemar_power(n, discordant, effect, alpha) >= power), None)


@dataclass(frozen=True, slots=True)
class SeedPart:
    """What training seeds add to the error of one contrast."""

    pooled: SeedVariance
    own: SeedVariance
    """Of the two arms compared alone: the sensitivity analysis a verdict must survive."""
    weight: float
    """1/S_1 + 1/S_2 over the trained arms."""


def crossed_detectable(
    differences: FloatArray,
    seeds: SeedPart | None = None,
    families: IntArray | None = None,
    *,
    alpha: float = 0.05,
    power: float = 0.8,
    seed: int = 0,
) -> float | None:
    """The smallest effect that items and seeds such as these show with `power`; None when none is found that reliably.

    The very test is run on simulated data. Items (or families) are drawn with replacement from `differences` (n,), which are
    averaged over seeds; their signs are drawn anew, and some set to 0, so that they vary as observed but have mean 0. Then the
    signs are tilted towards the trial effect; where even equal signs fall short of it, further items become differences of 1.
    Seed effects are normal with the variance seen, seed mean squares scaled chi-squared, the own arms' within the pooled one.
    An effect is found when pooled and own-arm variance both give p < alpha in its direction. Without `seeds` it is the test
    of item differences alone (the sign-flip test by its normal limit).
    """
    if len(differences) < 2 or (families is not None and families.max() < 1):
        return None
    sample = _Resample(differences, seeds, families, seed)
    return _smallest(lambda effect: sample.found(effect, alpha) >= power)


class _Resample:
    """Random numbers drawn once, so that the share of findings rises smoothly with the trial effect."""

    def __init__(self, differences: FloatArray, seeds: SeedPart | None, families: IntArray | None, seed: int) -> None:
        codes = np.arange(len(differences)) if families is None else families
        sums, sizes = np.bincount(codes, weights=differences), np.bincount(codes).astype(np.float64)
        self.groups = len(sums)
        experiments = int(np.clip(_CELLS // self.groups, 500, 2000))
        rng = np.random.default_rng(seed)
        drawn = rng.integers(0, self.groups, (experiments, self.groups))
        spread = sums - sizes * sums.sum() / sizes.sum()
        kept = float((spread**2).sum() / max((sums**2).sum(), 1e-12))  # so that the observed effect is not taken for noise
        self.sizes = sizes[drawn]
        self.magnitudes = np.abs(sums)[drawn] * (rng.random(drawn.shape) < kept)
        self.uniform, self.uniform_fill = rng.random((2, experiments, self.groups))
        self.mean_magnitude = kept * float(np.abs(sums).sum() / sizes.sum())
        self.seeds = seeds or SeedPart(NO_SEED_VARIANCE, NO_SEED_VARIANCE, 0.0)
        self.shift = rng.standard_normal(experiments) * np.sqrt(self.seeds.weight * self.seeds.pooled.excess)
        self.own_square, self.pooled_square = self._mean_squares(rng, experiments)

    def _mean_squares(self, rng: np.random.Generator, experiments: int) -> tuple[FloatArray, FloatArray]:
        own, pooled = self.seeds.own, self.seeds.pooled
        truth = pooled.excess + pooled.chance
        rest = max(pooled.degrees_of_freedom - own.degrees_of_freedom, 0)
        own_sum = rng.chisquare(own.degrees_of_freedom, experiments)
        rest_sum = rng.chisquare(rest, experiments) if rest else np.zeros(experiments)
        return truth * own_sum / own.degrees_of_freedom, truth * (own_sum + rest_sum) / (own.degrees_of_freedom + rest)

    def found(self, effect: float, alpha: float) -> float:
        """The share of experiments that find `effect` at `alpha`."""
        reach = self.mean_magnitude
        tilt = min(effect / reach, 1.0) if reach > 0 else 0.0
        signed = np.where(self.uniform < (1 + tilt) / 2, self.magnitudes, -self.magnitudes)
        if effect > reach:
            full = self._binomial((effect - reach) / (1 - reach))
            signed = signed * (1 - full / self.sizes) + full
        total = self.sizes.sum(axis=1)
        mean = signed.sum(axis=1) / total
        residual = signed - mean[:, None] * self.sizes
        item_variance = self.groups / (self.groups - 1) * (residual**2).sum(axis=1) / total**2
        estimate = mean + self.shift
        pooled = self._p_values(estimate, item_variance, self.pooled_square, self.seeds.pooled)
        own = self._p_values(estimate, item_variance, self.own_square, self.seeds.own)
        return float(((np.maximum(pooled, own) < alpha) & (estimate > 0)).mean())

    def _binomial(self, share: float) -> FloatArray:
        """How many items of every unit are drawn when each is with probability `share`."""
        drawn = np.empty_like(self.sizes)
        for size in np.unique(self.sizes):
            at = self.sizes == size
            drawn[at] = np.searchsorted(stats.binom.cdf(np.arange(size), size, share), self.uniform_fill[at])
        return drawn

    def _p_values(self, estimate: FloatArray, items: FloatArray, mean_square: FloatArray, seeds: SeedVariance) -> FloatArray:
        freedom = Freedom(self.groups - 1, seeds.degrees_of_freedom, seeds.chance_degrees_of_freedom)
        floor = 2 / (self.groups + 2) / self.groups * 1e-3  # keeps a sample without any spread defined
        error, df = combined_error(np.maximum(items, floor), mean_square, self.seeds.pooled.chance, self.seeds.weight, freedom)
        return np.asarray(2 * stats.t.sf(np.abs(estimate) / error, df))


def _smallest(found: Callable[[float], bool]) -> float | None:
    """The smallest effect in 0..1 that is found, by bisection; None when not even 1 is."""
    low, high = 0.0, 1.0
    if not found(high):
        return None
    while high - low > _TOLERANCE:
        middle = (low + high) / 2
        low, high = (low, middle) if found(middle) else (middle, high)
    return high
