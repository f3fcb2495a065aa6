"""Simulated experiments: their truth is the one asked for, and many at once are tested as one by one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluators.statistics import many
from evaluators.statistics.crossed import SeedVariance, crossed_test, seed_variance, seed_weight
from evaluators.statistics.intervals import tango_score
from evaluators.statistics.outcome import TestResult
from evaluators.statistics.paired import mcnemar_exact, sign_flip, sign_flip_p
from evaluators.statistics.simulation import Experiments, Population, discordance, family_starts, joint_rate, with_discordance


def draw(population: Population, items: int, seeds: tuple[int, ...], experiments: int, seed: int = 0) -> Experiments:
    """Experiments with their own generator."""
    return Experiments(population, items, seeds, experiments, np.random.default_rng(seed))


def codes(starts: np.ndarray | None, items: int) -> np.ndarray | None:
    """The family of every item, numbered from 0."""
    return None if starts is None else np.repeat(np.arange(len(starts)), np.diff(np.append(starts, items)))


@pytest.mark.parametrize("judgements", [1, 5])
def test_the_rates_are_those_asked_for(judgements):
    """Over many answers an arm passes at its rate, whatever its items, seeds, families and judgements."""
    population = Population(judgements=judgements, family_size=2.0, family_share=0.5, seed_sd=0.03)
    drawn = draw(population, 200, (3, 0), 100)

    for arm, rate in ((0, 0.3), (1, 0.3), (0, 0.9), (1, 0.65)):
        assert drawn.answers(arm, rate).mean() / judgements == pytest.approx(rate, abs=0.01)


def test_seed_noise_is_the_one_asked_for():
    """The rate of an arm varies between seeds by the standard deviation believed, and by chance on single items."""
    rates = draw(Population(seed_sd=0.05), 2000, (400,), 5).answers(0, 0.65).mean(axis=2)

    assert rates.std(axis=1, ddof=1).mean() == pytest.approx(0.05, rel=0.06)


@pytest.mark.parametrize("share", [0.2, 0.3, 0.4, 0.45])
def test_discordance_is_the_one_asked_for(share):
    """The population made for a share of discordant items shows it, by quadrature and in simulated answers."""
    population = with_discordance(Population(rate=0.45), 0.1, share)
    drawn = draw(population, 500, (0, 0), 100)
    differ = (drawn.answers(0, 0.55) != drawn.answers(1, 0.45)).mean()

    assert discordance(population, 0.55, 0.45) == pytest.approx(share, abs=1e-3)
    assert differ == pytest.approx(share, abs=0.01)


def test_what_two_arms_pass_alike_is_known():
    """The joint pass rate by quadrature is the one simulated."""
    population = Population()
    drawn = draw(population, 500, (0, 0), 100)
    both = (drawn.answers(0, 0.75) * drawn.answers(1, 0.65)).mean()

    assert joint_rate(population, 0.75, 0.65) == pytest.approx(both, abs=0.01)


def test_families_share_what_they_are_told_to():
    """With all variance shared, items of a family differ by chance alone; without, they are strangers."""
    for share, alike in ((1.0, True), (0.0, False)):
        population = Population(family_size=2.0, family_share=share, item_sd=8.0, item_arm_sd=0.0)
        passed = draw(population, 400, (0,), 30).answers(0, 0.5)[:, 0, :].reshape(30, 200, 2)
        agreement = (passed[:, :, 0] == passed[:, :, 1]).mean()

        assert (agreement > 0.85) == alike


@pytest.mark.parametrize(
    "wrong", [{"rate": 1.0}, {"seed_sd": -0.1}, {"family_share": 2.0}, {"family_size": 0.5}, {"judgements": 0}]
)
def test_impossible_populations_are_refused(wrong):
    """A rate of 1, negative deviations, half a family or an outcome without judgement cannot be simulated."""
    with pytest.raises(ValueError, match=r"strictly between|not negative|a family has"):
        replace(Population(), **wrong)
    with pytest.raises(ValueError, match="at least two items"):
        draw(Population(), 1, (2, 2), 5)


CASES = st.tuples(
    st.integers(11, 40), st.sampled_from([(2, 2), (3, 3), (3, 0), (0, 3), (5, 5)]), st.sampled_from([1.0, 1.4, 3.0]),
    st.sampled_from([1, 5]), st.integers(0, 1000),
)  # fmt: skip


@settings(max_examples=25, deadline=None)
@given(CASES)
def test_many_experiments_are_tested_as_one_by_one(case):
    """Effects, crossed t-tests, sign-flip tests and clustered variances in arrays are those of the tests themselves."""
    items, seeds, size, judgements, seed = case
    population = Population(family_size=size, judgements=judgements)
    drawn = draw(population, items, seeds, 4, seed)
    first, second = drawn.answers(0, 0.75), drawn.answers(1, 0.65)
    data = many.contrast(first, second, judgements, drawn.families)
    trained = (seeds[0] > 0, seeds[1] > 0)
    families = codes(drawn.families, items)
    flips = many.sign_flip_p(data.units)
    for r in range(4):
        a, b = first[r] / judgements, second[r] / judgements
        own = seed_variance([arm for arm, count in zip((a, b), seeds, strict=True) if count])
        assert isinstance(own, SeedVariance)
        alone = crossed_test(a, b, own, trained=trained, families=families)
        flipped = sign_flip(a.mean(axis=0) - b.mean(axis=0), families)
        assert isinstance(alone, TestResult)
        assert isinstance(flipped, TestResult)
        runs = tuple(max(count, 1) for count in seeds)
        squares = many.SeedSquares(
            np.mean([data.rates[k].var(axis=1, ddof=1) for k in (0, 1) if seeds[k]], axis=0),
            np.mean([data.within[k] for k in (0, 1) if seeds[k]], axis=0) / items,
            own.degrees_of_freedom,
            own.chance_degrees_of_freedom,
        )
        error, df = many.crossed(data, squares, seed_weight(runs, trained))
        p = 2 * many.t_above(np.abs(data.effect) / error, df)

        assert data.effect[r] == pytest.approx(alone.effect, abs=1e-12)
        assert df[r] == pytest.approx(alone.degrees_of_freedom, rel=1e-5)
        assert p[r] == pytest.approx(alone.p, rel=1e-4)
        assert flips[r] == pytest.approx(flipped.p, rel=1e-6, abs=1e-9)


@settings(max_examples=25, deadline=None)
@given(st.integers(5, 60), st.integers(0, 1000), st.sampled_from([-0.3, -0.1, 0.1, 0.4]))
def test_exact_mcnemar_in_arrays_is_the_test_itself(items, seed, bound):
    """p-values and Tango's scores of single runs are those of the test and the interval."""
    drawn = draw(Population(), items, (0, 0), 5, seed)
    first, second = drawn.answers(0, 0.7), drawn.answers(1, 0.6)
    data = many.contrast(first, second, 1, None)
    p, scores = many.mcnemar_p(data), many.tango_scores(data, bound)
    b, c = data.discordant
    for r in range(5):
        alone = mcnemar_exact(first[r, 0].astype(float), second[r, 0].astype(float))
        assert isinstance(alone, TestResult)

        assert p[r] == pytest.approx(alone.p, rel=1e-9)
        assert scores[r] == pytest.approx(tango_score(b[r], c[r], items, bound), rel=1e-9)


def test_only_the_wanted_sign_flips_are_computed():
    """What is not asked for counts as p = 1; what is, is exact for any sums."""
    units = np.array([[3, -1, 2, 5], [1, 1, 1, 1], [0, 0, 0, 0], [2, -2, 1, -1]])
    found = many.sign_flip_p(units, np.array([True, False, True, True]))

    assert found == pytest.approx([sign_flip_p(units[0].astype(float)), 1.0, 1.0, 1.0])


def test_families_are_as_large_as_asked():
    """Families of consecutive items, equal to one item; none where every item stands alone."""
    starts = family_starts(130, 1.3)

    assert starts is not None
    assert len(starts) == 100
    assert set(np.diff(np.append(starts, 130))) == {1, 2}
    assert family_starts(130, 1.0) is None
