"""Effect sizes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from scipy import stats
from statsmodels.stats.proportion import proportion_confint, proportion_effectsize


class OddsRatio(NamedTuple):
    """An odds ratio with its interval; None stands for infinity."""

    ratio: float | None
    low: float
    high: float | None


def cohen_h(first: float, second: float) -> float:
    """Cohen's h = 2 asin(sqrt(p1)) - 2 asin(sqrt(p2)), in -pi..pi; 0.2 is small, 0.5 medium, 0.8 large.

    Source: Cohen (1988), Statistical power analysis for the behavioral sciences, chapter 6.
    """
    return float(proportion_effectsize(first, second))


def conditional_odds_ratio(only_first: int, only_second: int, level: float = 0.95) -> OddsRatio | None:
    """b / c, the odds that an item on which the arms disagree favours the first; None when they never disagree.

    Its interval is Clopper and Pearson's of b / (b + c), turned into odds: exact, given the number of disagreements.
    Source: Breslow and Day (1980), Statistical methods in cancer research I, section 5.2.
    """
    discordant = only_first + only_second
    if discordant == 0:
        return None
    low, high = proportion_confint(only_first, discordant, alpha=1 - level, method="beta")
    ratio = only_first / only_second if only_second else None
    return OddsRatio(ratio, float(low / (1 - low)), float(high / (1 - high)) if only_second else None)


def cliffs_delta(first: Sequence[float], second: Sequence[float]) -> float:
    """P(x > y) - P(x < y) for x of the first and y of the second sample, in -1..1: an effect size for ordinal scores.

    Computed from Mann and Whitney's U: 2 U / (n m) - 1. Source: Cliff (1993), Dominance statistics.

    Raises:
        ValueError: a sample is empty.
    """
    if not first or not second:
        raise ValueError("Cliff's delta needs at least one value on each side")
    u = stats.mannwhitneyu(first, second, method="asymptotic").statistic
    return float(2 * u / (len(first) * len(second)) - 1)
