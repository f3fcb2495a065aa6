"""Exact McNemar and sign-flip tests, against published examples and full enumeration."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluators.statistics.outcome import Refusal, TestResult
from evaluators.statistics.paired import RESOLUTION, mcnemar_exact, sign_flip, sign_flip_p

DARWIN = np.array([49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48], dtype=float)
"""Cross- minus self-fertilised maize, eighths of an inch (Fisher 1935, section 21)."""


def outcomes(both: int, only_first: int, only_second: int, neither: int) -> tuple[np.ndarray, np.ndarray]:
    """Two arms' outcomes with these counts."""
    cells = [(1.0, 1.0)] * both + [(1.0, 0.0)] * only_first + [(0.0, 1.0)] * only_second + [(0.0, 0.0)] * neither
    table = np.array(cells, dtype=float).reshape(-1, 2)
    return table[:, 0], table[:, 1]


def test_mcnemar_agrees_with_a_published_example() -> None:
    """Bentur et al. (2009) in Fagerland et al. (2014): 1 against 7 discordant pairs, exact p = 0.0703."""
    result = mcnemar_exact(*outcomes(1, 1, 7, 12))

    assert isinstance(result, TestResult)
    assert result.p == pytest.approx(18 / 256)
    assert result.effect == pytest.approx(-6 / 21)
    assert result.interval == pytest.approx((-0.517, -0.026), abs=5e-4)


def test_mcnemar_without_disagreement_finds_nothing_and_says_how_little_it_knows() -> None:
    """All ties: p = 1, and an interval with width."""
    result = mcnemar_exact(*outcomes(130, 0, 0, 0))

    assert isinstance(result, TestResult)
    assert (result.effect, result.p) == (0, 1)
    assert result.interval.low < 0 < result.interval.high


def test_tests_without_items_are_refused() -> None:
    """No applicable item: a reason, not a number."""
    nothing = np.array([])

    assert isinstance(mcnemar_exact(nothing, nothing), Refusal)
    assert isinstance(sign_flip(nothing), Refusal)


def test_sign_flip_agrees_with_fishers_randomisation_of_darwins_maize() -> None:
    """Fisher counted 863 of 32,768 sign patterns with a sum of at least 314: two-sided 1,726."""
    assert sign_flip_p(DARWIN) == pytest.approx(1726 / 32768)


@given(st.lists(st.integers(-15, 15), min_size=1, max_size=10), st.sampled_from([1, 3, 15, 60]))
@settings(deadline=None, max_examples=60)
def test_exact_sign_flip_agrees_with_enumeration(whole: list[int], steps: int) -> None:
    """For differences on any grid, as averages over seeds are, p is the share of sign patterns at least as far out."""
    units = np.array(whole) / steps
    sums = [abs(sum(s * w for s, w in zip(signs, whole, strict=True))) for signs in product((-1, 1), repeat=len(whole))]

    assert sign_flip_p(units) == pytest.approx(np.mean([s >= abs(sum(whole)) for s in sums]), abs=1e-9)


@given(st.integers(0, 40), st.integers(0, 40))
@settings(deadline=None, max_examples=60)
def test_sign_flip_of_one_seed_is_the_exact_mcnemar_test(b: int, c: int) -> None:
    """With one checkpoint an arm the two tests are the same."""
    first, second = outcomes(5, b, c, 5)
    mcnemar, flipped = mcnemar_exact(first, second), sign_flip(first - second)

    assert isinstance(mcnemar, TestResult)
    assert isinstance(flipped, TestResult)
    assert flipped.p == pytest.approx(mcnemar.p, rel=1e-6, abs=2 * RESOLUTION)


def test_differences_off_any_grid_are_resampled_with_a_seed() -> None:
    """Irrational differences: Monte Carlo, close to the exact value of a nearby grid, the same for the same seed, never 0."""
    units = DARWIN + np.pi / 1e4 * np.arange(15)

    assert sign_flip_p(units) == sign_flip_p(units)
    assert sign_flip_p(units) == pytest.approx(1726 / 32768, abs=4 * np.sqrt(0.053 * 0.947 / 20_000))
    assert sign_flip_p(np.sqrt(np.arange(1, 60))) > 0


def test_families_are_flipped_as_a_whole() -> None:
    """Ten items of two families that agree within: there are only four sign patterns, so p is 1/2."""
    differences = np.ones(10)
    families = np.repeat([0, 1], 5)
    result = sign_flip(differences, families)

    assert isinstance(result, TestResult)
    assert result.p == 0.5
    assert "families" in result.test


def test_a_single_family_is_refused() -> None:
    """One family is one observation."""
    assert isinstance(sign_flip(np.ones(10), np.zeros(10, dtype=np.int64)), Refusal)


@pytest.mark.parametrize("n", [1, 2, 9])
def test_few_items_are_still_tested_exactly(n: int) -> None:
    """n items that all favour one arm: p = 2 / 2^n, however few, and an interval within [-1, 1]."""
    result = sign_flip(np.ones(n))

    assert isinstance(result, TestResult)
    assert result.p == pytest.approx(2.0 ** (1 - n))
    assert -1 <= result.interval.low < result.interval.high <= 1
    assert np.isfinite([result.p_above(-0.1), result.p_below(0.1)]).all()
