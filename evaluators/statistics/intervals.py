"""Confidence intervals for one proportion and for the difference of two paired proportions."""

from __future__ import annotations

import math

from scipy import optimize, stats
from statsmodels.stats.proportion import proportion_confint

from evaluators.statistics.outcome import Interval


def wilson(passed: float, n: float, level: float = 0.95) -> Interval:
    """Wilson's score interval of a proportion: the p with |passed/n - p| <= z sqrt(p (1 - p) / n).

    `passed` may be fractional: a sum over n items of their means over seeds, whose variance is at most that of 0/1 outcomes, so
    that coverage is kept. Source: Wilson (1927), Probable inference, the law of succession, and statistical inference.

    Raises:
        ValueError: `passed` is not within 0..n, or n is not positive.
    """
    if not (n > 0 and 0 <= passed <= n):
        raise ValueError(f"passed must lie within 0..n with n > 0: passed = {passed}, n = {n}")
    low, high = proportion_confint(passed, n, alpha=1 - level, method="wilson")
    return Interval(float(low), float(high))


def newcombe_paired(both: int, only_first: int, only_second: int, neither: int, level: float = 0.95) -> Interval:
    """Newcombe's square-and-add interval of p1 - p2 for paired 0/1 outcomes (counts of items).

    Wilson limits of both rates are combined, with phi, their correlation (its numerator shrunk by n/2 towards 0 when positive):
    d - sqrt((p1-l1)^2 - 2 phi (p1-l1)(u2-p2) + (u2-p2)^2), and so for the upper limit.
    Source: Newcombe (1998), Improved confidence intervals for the difference between binomial proportions based on paired data,
    method 10.
    """
    n = both + only_first + only_second + neither
    first, second = both + only_first, both + only_second
    l1, u1 = wilson(first, n, level)
    l2, u2 = wilson(second, n, level)
    p1, p2 = first / n, second / n
    phi = _shrunk_phi(both, only_first, only_second, neither)

    def reach(a: float, b: float) -> float:
        return math.sqrt(max(a * a - 2 * phi * a * b + b * b, 0.0))

    return Interval(p1 - p2 - reach(p1 - l1, u2 - p2), p1 - p2 + reach(u1 - p1, p2 - l2))


def _shrunk_phi(a: int, b: int, c: int, d: int) -> float:
    margins = (a + b) * (c + d) * (a + c) * (b + d)
    if margins == 0:
        return 0.0
    cross = float(a * d - b * c)
    if cross > 0:
        cross = max(cross - (a + b + c + d) / 2, 0.0)
    return cross / math.sqrt(margins)


def tango_score(only_first: float, only_second: float, n: float, bound: float) -> float:
    """Tango's score statistic (z) of the null hypothesis p1 - p2 = bound, |bound| < 1, for n pairs of 0/1 outcomes.

    z = (b - c - n D) / sqrt(n (2 q + D (1 - D))), where b, c count the pairs that only the first, only the second passed, D is
    `bound`, and q is the restricted maximum-likelihood estimate of P(only the second passes).
    Source: Tango (1998), Equivalence test and confidence interval for the difference in proportions for the paired-sample
    design.
    """
    b, c = only_first, only_second
    linear = -b - c + (2 * n - b + c) * bound
    constant = -c * bound * (1 - bound)
    q = (math.sqrt(max(linear * linear - 8 * n * constant, 0.0)) - linear) / (4 * n)
    numerator = b - c - n * bound
    variance = n * (2 * q + bound * (1 - bound))
    if variance <= 1e-12:
        return 0.0 if abs(numerator) < 1e-9 else math.copysign(math.inf, numerator)
    return numerator / math.sqrt(variance)


def tango(only_first: float, only_second: float, n: float, level: float = 0.95) -> Interval:
    """Tango's score interval of p1 - p2 for n pairs of 0/1 outcomes: the bounds whose |z| stays below the normal quantile.

    Defined for every table, also without discordant pairs. Source: see `tango_score`.
    """
    z = float(stats.norm.ppf((1 + level) / 2))
    estimate = (only_first - only_second) / n
    edge = 1 - 1e-9

    def limit(end: float, target: float) -> float:
        if (end - estimate) * end <= 0:  # the estimate is the edge of what is possible
            return math.copysign(1.0, end)
        return float(optimize.brentq(lambda d: tango_score(only_first, only_second, n, d) - target, estimate, end, xtol=1e-10))

    return Interval(limit(-edge, z), limit(edge, -z))
