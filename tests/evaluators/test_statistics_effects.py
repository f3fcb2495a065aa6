"""Effect sizes, corrections for several tests, and the bootstrap."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests

from evaluators.statistics.bootstrap import stratified_bca
from evaluators.statistics.effects import cliffs_delta, cohen_h, conditional_odds_ratio
from evaluators.statistics.multiplicity import adjust, benjamini_hochberg, holm
from evaluators.statistics.outcome import Interval, Refusal

BH_1995 = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0]
"""The fifteen p-values of Benjamini and Hochberg (1995), section 3."""

P_VALUES = st.lists(st.floats(0, 1), min_size=1, max_size=20)


def test_cohen_h_is_the_difference_of_arcsine_angles() -> None:
    """Cohen (1988), table 6.2.2: phi(0.50) = 1.571 and phi(0.65) = 1.875; the extremes are pi apart."""
    assert cohen_h(0.65, 0.50) == pytest.approx(1.875 - 1.571, abs=1e-3)
    assert cohen_h(0.50, 0.65) == -cohen_h(0.65, 0.50)
    assert cohen_h(1.0, 0.0) == pytest.approx(math.pi)


def test_conditional_odds_ratio_agrees_with_exact_binomial_limits() -> None:
    """b / c with Clopper-Pearson limits: 7 against 1 has limits whose tail probabilities are 2.5% each."""
    odds = conditional_odds_ratio(7, 1)

    assert odds is not None
    assert odds.ratio == 7
    assert odds.high is not None
    low, high = odds.low / (1 + odds.low), odds.high / (1 + odds.high)
    assert stats.binom.sf(6, 8, low) == pytest.approx(0.025)
    assert stats.binom.cdf(7, 8, high) == pytest.approx(0.025)


def test_conditional_odds_ratio_at_its_ends() -> None:
    """Nothing in favour: 0 with a finite upper limit; nothing against: infinite, said as None; no disagreement: no ratio."""
    none_for, none_against = conditional_odds_ratio(0, 4), conditional_odds_ratio(4, 0)

    assert none_for is not None
    assert (none_for.ratio, none_for.low) == (0, 0)
    assert none_for.high is not None
    assert none_against is not None
    assert (none_against.ratio, none_against.high) == (None, None)
    assert conditional_odds_ratio(0, 0) is None


@given(st.lists(st.integers(1, 5), min_size=1, max_size=12), st.lists(st.integers(1, 5), min_size=1, max_size=12))
@settings(deadline=None, max_examples=40)
def test_cliffs_delta_counts_all_pairs(first: list[int], second: list[int]) -> None:
    """The share of pairs in which the first is larger, minus that in which it is smaller; ties count for neither."""
    signs = [np.sign(x - y) for x in first for y in second]

    assert cliffs_delta(first, second) == pytest.approx(np.mean(signs))


def test_cliffs_delta_needs_values() -> None:
    """An empty side is an error."""
    with pytest.raises(ValueError, match="at least one value"):
        cliffs_delta([], [1])


def test_benjamini_hochberg_agrees_with_the_paper() -> None:
    """At 5% the paper rejects the four smallest of its fifteen p-values, Bonferroni (and Holm) only three."""
    assert sum(p is not None and p <= 0.05 for p in benjamini_hochberg(BH_1995)) == 4
    assert sum(p is not None and p <= 0.05 for p in adjust(BH_1995, "bonferroni")) == 3
    assert sum(p is not None and p <= 0.05 for p in holm(BH_1995)) == 3


@given(P_VALUES, st.sampled_from([("holm", "holm"), ("bonferroni", "bonferroni"), ("bh", "fdr_bh"), ("by", "fdr_by")]))
@settings(deadline=None, max_examples=60)
def test_corrections_agree_with_statsmodels(p_values: list[float], names: tuple[str, str]) -> None:
    """Every correction gives what statsmodels gives, in the order of the tests."""
    ours, theirs = names

    assert adjust(p_values, ours) == pytest.approx(multipletests(p_values, method=theirs)[1].tolist())  # type: ignore[arg-type]


def test_refused_tests_stay_refused_and_are_not_counted() -> None:
    """None is no test: two tests beside it are corrected for two."""
    assert holm([0.01, None, 0.04]) == [0.02, None, 0.04]
    assert holm([None, None]) == [None, None]
    assert adjust([0.3], "none") == [0.3]


def test_stratified_bootstrap_covers_the_mean_and_is_repeatable() -> None:
    """BCa around a mean whose strata differ: narrower than unstratified Student's interval, the same for the same seed."""
    rng = np.random.default_rng(0)
    values = np.concatenate([rng.normal(0, 1, 60), rng.normal(5, 1, 60)])
    strata = ["easy"] * 60 + ["hard"] * 60
    found = stratified_bca(values, strata, resamples=2000)

    assert isinstance(found, Interval)
    assert found == stratified_bca(values, strata, resamples=2000)
    error = math.sqrt(values[:60].var(ddof=1) + values[60:].var(ddof=1)) / math.sqrt(60) / 2
    assert found == pytest.approx((values.mean() - 1.96 * error, values.mean() + 1.96 * error), abs=0.03)


def test_bootstrap_of_nothing_to_resample_is_refused() -> None:
    """Equal values or a stratum of one: a reason, never NaN."""
    assert isinstance(stratified_bca(np.ones(20), ["a"] * 20), Refusal)
    assert isinstance(stratified_bca(np.arange(3.0), ["a", "a", "b"]), Refusal)
