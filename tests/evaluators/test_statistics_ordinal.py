"""Ordinal scores and overall orders: against worked examples, exact enumeration and known truths."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from evaluators.statistics.order import bradley_terry, overall_order
from evaluators.statistics.ordinal import signed_rank, signed_rank_p
from evaluators.statistics.outcome import Refusal


def test_the_signed_rank_test_gives_wilcoxons_worked_example():
    """Darwin's maize heights (Wilcoxon 1945; Hollander and Wolfe): rank sum 24 of 15 pairs, two-sided exact p = .041."""
    darwin = np.array([49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48], dtype=float)

    assert signed_rank_p(darwin) == pytest.approx(0.0413, abs=5e-5)


@settings(deadline=None, max_examples=30)
@given(st.lists(st.integers(-4, 4), min_size=1, max_size=9))
def test_the_signed_rank_p_is_that_of_all_sign_patterns(values):
    """With ties and zeros, too: the share of sign patterns whose rank sum is at least as far from its centre."""
    known = [value for value in values if value]
    ranks = stats.rankdata(np.abs(known)) if known else np.array([])
    observed = abs(float(np.sign(known) @ ranks)) if known else 0.0
    sums = [abs(np.dot(signs, ranks)) for signs in itertools.product((-1, 1), repeat=len(known))]

    assert signed_rank_p(np.array(values, dtype=float)) == pytest.approx(np.mean([s >= observed - 1e-9 for s in sums]))


def test_without_ties_the_signed_rank_p_is_scipys_exact_one():
    """Two independent ways to the same number."""
    differences = np.random.default_rng(3).normal(0.4, 1, 30)

    assert signed_rank_p(differences) == pytest.approx(stats.wilcoxon(differences, method="exact").pvalue)


def test_the_signed_rank_test_refuses_what_it_cannot_judge():
    """One item has no spread, one family says nothing about others; both come with the reason, not with NaN."""
    assert isinstance(signed_rank(np.array([0.5])), Refusal)
    assert isinstance(signed_rank(np.array([0.5, 0.2]), np.zeros(2, dtype=np.int64)), Refusal)


def test_two_arms_have_the_log_odds_of_their_wins():
    """With two arms the Bradley-Terry maximum has a closed form: the difference of strengths is log(wins / losses)."""
    strengths = bradley_terry(np.array([[0.0, 30.0], [10.0, 0.0]]))

    assert strengths[0] - strengths[1] == pytest.approx(np.log(3))
    assert strengths.sum() == pytest.approx(0)


def test_strengths_are_found_again():
    """Expected wins under known strengths give these strengths back."""
    truth = np.array([0.9, 0.2, -0.3, -0.8])
    wins = 100 / (1 + np.exp(truth[None, :] - truth[:, None]))
    np.fill_diagonal(wins, 0)

    assert bradley_terry(wins) == pytest.approx(truth, abs=1e-4)


def test_an_arm_that_always_wins_has_a_finite_place_at_the_top():
    """All-pass against all-fail: ordered, with finite numbers and wins of 1 and 0."""
    order = overall_order(np.array([[1.0] * 12, [0.0] * 12, [0.0] * 12]))

    assert not isinstance(order, Refusal)
    assert np.isfinite([order.strengths, order.low, order.high]).all()
    assert order.wins.tolist() == [1.0, 0.25, 0.25]
    assert order.strengths[0] > order.strengths[1] == pytest.approx(order.strengths[2])
