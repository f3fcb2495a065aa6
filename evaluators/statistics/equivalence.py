"""Tests of "no relevant difference" and "not worse": questions that a non-significant difference cannot answer."""

from __future__ import annotations

from evaluators.statistics.outcome import TestResult


def equivalence(result: TestResult, margin: float) -> float:
    """Two one-sided tests: the p-value against |effect| >= margin, max(P(effect <= -margin), P(effect >= margin)).

    Significant at alpha exactly when the 1 - 2 alpha interval lies within (-margin, margin).
    Source: Schuirmann (1987), A comparison of the two one-sided tests procedure and the power approach.

    Raises:
        ValueError: the margin is not positive.
    """
    _check(margin)
    return max(result.p_above(-margin), result.p_below(margin))


def non_inferiority(result: TestResult, margin: float) -> float:
    """The one-sided p-value against effect <= -margin: small when the first arm is worse by less than the margin, or better.

    Raises:
        ValueError: the margin is not positive.
    """
    _check(margin)
    return result.p_above(-margin)


def beyond_margin(result: TestResult, margin: float) -> float:
    """The p-value against |effect| <= margin, 2 min of the two sides, cut at 1: small when a relevant difference is proven.

    Raises:
        ValueError: the margin is not positive.
    """
    _check(margin)
    return min(2 * min(result.p_above(margin), result.p_below(-margin)), 1.0)


def _check(margin: float) -> None:
    if margin <= 0:
        raise ValueError(f"the margin must be positive: {margin}")
