"""The crossed item x seed test: its formula, its limits, and what it refuses."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.weightstats import ttost_paired

from evaluators.statistics.clusters import family_codes, variance_of_mean
from evaluators.statistics.crossed import NO_SEED_VARIANCE, SeedVariance, crossed_test, seed_variance
from evaluators.statistics.equivalence import beyond_margin, equivalence, non_inferiority
from evaluators.statistics.outcome import Refusal, TestResult


def experiment(arms: int, seeds: int, items: int, seed: int = 0) -> list[np.ndarray]:
    """0/1 outcomes (S, n) of several arms with common item difficulties."""
    rng = np.random.default_rng(seed)
    chance = rng.beta(2, 1, items)
    return [(rng.random((seeds, items)) < chance).astype(float) for _ in range(arms)]


def valid(result: TestResult | Refusal) -> TestResult:
    """The result of a test that must not be refused."""
    assert isinstance(result, TestResult)
    return result


def pooled(arms: list[np.ndarray], paired: bool = False) -> SeedVariance:
    """The seed variance of arms that must have one."""
    found = seed_variance(arms, paired=paired)
    assert isinstance(found, SeedVariance)
    return found


def test_the_formula_written_out_by_loops() -> None:
    """V = Var_i(d_i)/n + max(s2 - within/n, 0) 2/S, pooled over three arms, with Satterthwaite degrees of freedom."""
    arms = experiment(arms=3, seeds=4, items=40)
    S, n, K = 4, 40, 3
    d = [np.mean([arms[0][s][i] - arms[1][s][i] for s in range(S)]) for i in range(n)]
    item_part = sum((x - np.mean(d)) ** 2 for x in d) / (n - 1) / n
    rates = [[np.mean(arm[s]) for s in range(S)] for arm in arms]
    s2 = np.mean([sum((r - np.mean(rate)) ** 2 for r in rate) / (S - 1) for rate in rates])
    within = np.mean([[np.var([arm[s][i] for s in range(S)], ddof=1) for i in range(n)] for arm in arms])
    V = item_part + max(s2 - within / n, 0) * 2 / S
    df = V**2 / (item_part**2 / (n - 1) + (2 / S * s2) ** 2 / (K * (S - 1)) + (2 / S * within / n) ** 2 / (K * (S - 1) * n))
    result = valid(crossed_test(arms[0], arms[1], pooled(arms)))

    assert result.effect == pytest.approx(np.mean(d))
    assert result.degrees_of_freedom == pytest.approx(df)
    assert result.p == pytest.approx(2 * stats.t.sf(abs(np.mean(d)) / np.sqrt(V), df))
    assert result.interval == pytest.approx(stats.t.interval(0.95, df, loc=np.mean(d), scale=np.sqrt(V)))


def test_two_untrained_arms_are_students_paired_test() -> None:
    """Without training seeds only items vary: scipy's paired t-test, to the last digit."""
    (a,), (b,) = experiment(2, 1, 50)
    result = valid(crossed_test(a[None], b[None], NO_SEED_VARIANCE, trained=(False, False)))

    assert result.p == pytest.approx(stats.ttest_rel(a, b).pvalue)


def test_equivalence_of_untrained_arms_is_the_textbook_tost() -> None:
    """Two one-sided tests agree with statsmodels' ttost_paired, and non-inferiority with its upper half."""
    (a,), (b,) = experiment(2, 1, 80, seed=3)
    result = valid(crossed_test(a[None], b[None], NO_SEED_VARIANCE, trained=(False, False)))
    p, (_, p_lower, _), _ = ttost_paired(a, b, -0.1, 0.1)

    assert equivalence(result, 0.1) == pytest.approx(p)
    assert non_inferiority(result, 0.1) == pytest.approx(p_lower)


@given(st.floats(-0.3, 0.3), st.floats(0.005, 0.1), st.integers(3, 60), st.floats(0.02, 0.2))
@settings(deadline=None, max_examples=60)
def test_equivalence_is_the_narrower_interval_inside_the_margin(effect: float, error: float, df: int, margin: float) -> None:
    """TOST at 5% holds exactly when the 90% interval lies within the margin; a proven larger difference excludes it."""
    result = TestResult("t", effect, 0.5, (0, 0), 0.95, lambda bound: (effect - bound) / error, df)  # type: ignore[arg-type]
    low, high = stats.t.interval(0.90, df, loc=effect, scale=error)

    assert (equivalence(result, margin) < 0.05) == (-margin < low and high < margin)
    assert not (equivalence(result, margin) < 0.05 and beyond_margin(result, margin) < 0.05)


def test_a_margin_must_be_positive() -> None:
    """Equivalence within nothing is no question."""
    result = valid(crossed_test(*experiment(2, 3, 20), pooled(experiment(2, 3, 20))))

    with pytest.raises(ValueError, match="margin must be positive"):
        equivalence(result, 0.0)


def test_an_untrained_arm_has_no_seed_term() -> None:
    """Base against a trained arm: the seed variance counts once over S, not twice."""
    arms = experiment(3, 3, 60, seed=1)
    seeds = SeedVariance(mean_square=0.01, chance=0.001, degrees_of_freedom=6, chance_degrees_of_freedom=360)
    against_base = valid(crossed_test(arms[0], arms[1][:1], seeds, trained=(True, False)))
    d = arms[0].mean(axis=0) - arms[1][0]
    V = d.var(ddof=1) / 60 + 0.009 / 3

    assert against_base.score(0.0) == pytest.approx(d.mean() / np.sqrt(V))


def test_unequal_seeds_weigh_by_their_numbers() -> None:
    """Three seeds against two: 1/3 + 1/2 of the pooled seed variance, itself weighted by degrees of freedom."""
    a, b = experiment(2, 3, 60, seed=2)
    b = b[:2]
    seeds = pooled([a, b])
    s2 = (2 * a.mean(axis=1).var(ddof=1) + b.mean(axis=1).var(ddof=1)) / 3
    d = a.mean(axis=0) - b.mean(axis=0)
    V = d.var(ddof=1) / 60 + seeds.excess * (1 / 3 + 1 / 2)

    assert seeds.mean_square == pytest.approx(s2)
    assert valid(crossed_test(a, b, seeds)).score(0.0) == pytest.approx(d.mean() / np.sqrt(V))


def test_paired_seeds_of_two_arms_are_half_the_variance_of_seed_differences() -> None:
    """Nested lineages: what seed k does to both arms cancels."""
    a, b = experiment(2, 4, 50)
    differences = a.mean(axis=1) - b.mean(axis=1)

    assert pooled([a, b], paired=True).mean_square == pytest.approx(differences.var(ddof=1) / 2)


def test_paired_seeds_ignore_what_a_seed_does_to_every_arm() -> None:
    """A seed that spoils all arms alike widens the unpaired error and not the paired one."""
    rng = np.random.default_rng(0)
    lucky = np.array([[0.9], [0.6], [0.3]])
    arms = [(rng.random((3, 200)) < lucky).astype(float) for _ in range(3)]

    assert pooled(arms, paired=True).excess < pooled(arms).excess / 10


def test_paired_seeds_need_the_same_seeds() -> None:
    """Three seeds cannot be paired with two."""
    a, b = experiment(2, 3, 20)

    with pytest.raises(ValueError, match="same seeds"):
        seed_variance([a, b[:2]], paired=True)


def test_one_training_seed_is_refused_with_the_reason() -> None:
    """A recipe claim from one seed has no valid test."""
    a, b = experiment(2, 3, 40)
    refused = crossed_test(a[:1], b, pooled([a, b]))

    assert isinstance(refused, Refusal)
    assert "two training seeds" in refused.reason
    assert isinstance(seed_variance([a[:1], b[:1]]), Refusal)


@pytest.mark.parametrize("n", [0, 1, 9])
def test_too_few_items_are_refused(n: int) -> None:
    """Under ten items a t-test on 0/1 outcomes is no test."""
    a, b = experiment(2, 3, 40)
    refused = crossed_test(a[:, :n], b[:, :n], pooled([a, b]))

    assert isinstance(refused, Refusal)
    assert "too few" in refused.reason


@pytest.mark.parametrize(("first", "second"), [(1.0, 1.0), (0.0, 0.0), (1.0, 0.0)])
def test_arms_that_all_pass_or_all_fail_have_finite_answers(first: float, second: float) -> None:
    """No spread at all: no division by zero, no certainty, an interval with width that holds the effect."""
    a, b = np.full((3, 40), first), np.full((3, 40), second)
    result = valid(crossed_test(a, b, pooled([a, b])))

    assert 0 < result.p <= 1
    assert (result.p < 0.001) == (first != second)
    assert result.interval.low <= result.effect <= result.interval.high
    assert result.interval.high - result.interval.low > 0.02


def test_clustered_variance_is_statsmodels_sandwich() -> None:
    """The clustered squared error of a mean equals OLS on a constant with cluster-robust covariance."""
    rng = np.random.default_rng(0)
    families = np.arange(90) % 20
    values = rng.normal(size=90) + rng.normal(size=20)[families]
    fit = sm.OLS(values, np.ones(90)).fit(cov_type="cluster", cov_kwds={"groups": families})
    found = variance_of_mean(values, families)

    assert found.variance == pytest.approx(float(fit.bse[0]) ** 2)
    assert found.degrees_of_freedom == 19


def test_clustering_never_narrows_the_interval() -> None:
    """Items of a family that happen to balance out do not buy precision."""
    values = np.tile([1.0, -1.0], 20)
    families = np.repeat(np.arange(20), 2)

    assert variance_of_mean(values, families).variance == variance_of_mean(values).variance


def test_families_without_a_name_stand_alone() -> None:
    """Items that name no family are not one family; where nothing is shared there is no clustering at all."""
    codes = family_codes(["a", "", "a", ""])

    assert family_codes(["", "", ""]) is None
    assert family_codes(["a", "b", ""]) is None
    assert codes is not None
    assert codes[0] == codes[2]
    assert len(set(codes)) == 3


def test_a_single_family_is_refused_by_the_crossed_test() -> None:
    """All items from one template: one observation."""
    a, b = experiment(2, 3, 40)
    refused = crossed_test(a, b, pooled([a, b]), families=np.zeros(40, dtype=np.int64))

    assert isinstance(refused, Refusal)
    assert "one template family" in refused.reason
