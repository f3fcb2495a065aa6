"""Intervals of proportions and of paired differences, against published examples and by their definition."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from evaluators.statistics.intervals import newcombe_paired, tango, tango_score, wilson

pytestmark = pytest.mark.filterwarnings("error")


@pytest.mark.parametrize(
    ("passed", "n", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_agrees_with_newcombes_examples(passed: int, n: int, low: float, high: float) -> None:
    """Newcombe (1998), Two-sided confidence intervals for the single proportion, table I, method 3."""
    assert wilson(passed, n) == pytest.approx((low, high), abs=5e-5)


def test_wilson_solves_its_own_equation() -> None:
    """Both limits are rates whose score test just rejects, also for the fractional counts of seed averages."""
    passed, n = 43 + 1 / 3, 130
    z = stats.norm.ppf(0.975)

    for limit in wilson(passed, n):
        assert abs(passed / n - limit) / math.sqrt(limit * (1 - limit) / n) == pytest.approx(z)


def test_wilson_refuses_impossible_counts() -> None:
    """More passes than items, or no items, is an error and not a number."""
    with pytest.raises(ValueError, match="passed must lie"):
        wilson(11, 10)
    with pytest.raises(ValueError, match="passed must lie"):
        wilson(0, 0)


def test_paired_intervals_agree_with_published_examples() -> None:
    """Bentur et al. (2009) in Fagerland, Lydersen and Laake (2014): airway hyper-responsiveness before and after transplantation."""
    assert newcombe_paired(both=1, only_first=1, only_second=7, neither=12) == pytest.approx((-0.507, -0.026), abs=5e-4)
    assert tango(only_first=1, only_second=7, n=21) == pytest.approx((-0.517, -0.026), abs=5e-4)


def test_newcombe_paired_agrees_with_his_example() -> None:
    """Newcombe (1998), table with cells 36, 12, 2, 0: method 10 gives 0.0569 to 0.3404."""
    assert newcombe_paired(36, 12, 2, 0) == pytest.approx((0.0569, 0.3404), abs=5e-5)


def test_tango_at_zero_is_the_mcnemar_statistic() -> None:
    """Against no difference the score statistic is (b - c) / sqrt(b + c)."""
    assert tango_score(40, 20, 160, 0.0) == pytest.approx(20 / math.sqrt(60))


@given(st.integers(0, 30), st.integers(0, 30), st.integers(0, 30), st.sampled_from([0.8, 0.95, 0.99]))
@settings(deadline=None, max_examples=80)
def test_tango_is_defined_and_ordered_for_every_table(b: int, c: int, rest: int, level: float) -> None:
    """Any table gives limits in [-1, 1] around the estimate, mirrored when the arms change places."""
    n = b + c + rest
    if n == 0:
        return
    low, high = tango(b, c, n, level)
    mirrored = tango(c, b, n, level)

    assert -1 <= low <= (b - c) / n <= high <= 1
    assert (mirrored.low, mirrored.high) == pytest.approx((-high, -low), abs=1e-6)
    assert high - low > 0


def test_tango_without_disagreement_still_has_width() -> None:
    """130 ties do not prove equality: the limits are +-z^2 / (n + z^2)."""
    z2 = stats.norm.ppf(0.975) ** 2

    assert tango(0, 0, 130) == pytest.approx((-z2 / (130 + z2), z2 / (130 + z2)), abs=1e-6)
