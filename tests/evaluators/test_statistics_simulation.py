"""Simulated experiments and power: the test keeps its promises where the truth is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from evaluators.statistics.crossed import SeedVariance, crossed_test, seed_variance, seed_weight
from evaluators.statistics.outcome import TestResult
from evaluators.statistics.power import (
    SeedPart,
    crossed_detectable,
    mcnemar_detectable,
    mcnemar_items,
    mcnemar_power,
)
from evaluators.statistics.simulation import (
    Design,
    crossed_p_values,
    items_needed,
    planned_detectable,
    planned_power,
    rejection_rate,
    simulate,
)


@pytest.mark.parametrize(
    ("items", "seeds", "noise", "false_positives", "power"),
    [
        (130, 3, 0.0, 0.035, 0.82),
        (130, 3, 0.015, 0.027, 0.79),
        (130, 3, 0.03, 0.041, 0.63),
        (130, 5, 0.03, 0.044, 0.84),
        (400, 3, 0.03, 0.040, 0.84),
    ],
)
def test_the_crossed_test_has_its_known_error_rates(
    items: int, seeds: int, noise: float, false_positives: float, power: float
) -> None:
    """False positives and power at +10 points as tabled for four trained arms, within Monte Carlo error; never above 5%."""
    design = Design(items, seeds, seed_sd=noise)
    null = rejection_rate(design, 0.0, experiments=1200)
    effect = rejection_rate(design, 0.1, experiments=600, seed=1)

    assert null.total == pytest.approx(false_positives, abs=0.02)
    assert null.total <= 0.05 + 2.5 * null.error
    assert effect.right == pytest.approx(power, abs=0.05)


def test_many_experiments_at_once_are_the_very_test() -> None:
    """The vectorised p-values are those of `crossed_test`, pooled over all arms and over the two compared."""
    answers = simulate(Design(40, 3, trained_arms=3), 0.1, 5, np.random.default_rng(0))
    for pool in (None, 2):
        effects, p_values = crossed_p_values(answers, pool)
        for experiment, effect, p in zip(answers.astype(float), effects, p_values, strict=True):
            seeds = seed_variance(list(experiment[:pool]))
            assert isinstance(seeds, SeedVariance)
            result = crossed_test(experiment[0], experiment[1], seeds)

            assert isinstance(result, TestResult)
            assert (result.effect, result.p) == pytest.approx((effect, p), rel=1e-5)


def test_the_first_arm_is_better_by_the_effect() -> None:
    """Simulated rates are the ones asked for."""
    rates = simulate(Design(400, 3, rate=0.4, seed_sd=0.0), 0.2, 40, np.random.default_rng(0)).mean(axis=(0, 2, 3))

    assert rates == pytest.approx([0.6, 0.4, 0.4, 0.4], abs=0.02)


@pytest.mark.parametrize("wrong", [{"items": 1}, {"seeds": 1}, {"trained_arms": 1}, {"rate": 1.0}])
def test_impossible_designs_are_refused(wrong: dict[str, float]) -> None:
    """One seed, one arm, one item or a rate of 1 cannot be simulated."""
    with pytest.raises(ValueError, match=r"at least two|strictly between"):
        replace(Design(130, 3), **wrong)


def test_planned_detectable_effects_are_the_known_ones() -> None:
    """130 items x 3 seeds: 10 to 12 points for one test, 14 to 17 after Holm over nine."""
    design = Design(130, 3)
    single, of_nine = (planned_detectable(design, alpha, sensitivity=False) for alpha in (0.05, 0.05 / 9))

    assert single is not None
    assert of_nine is not None
    assert 0.095 <= single <= 0.125
    assert 0.135 <= of_nine <= 0.175


def test_what_leaves_no_room_is_not_detectable() -> None:
    """Above a rate of 98% no improvement is large enough for a test of 130 items."""
    assert planned_detectable(Design(130, 3, rate=0.98)) is None
    assert planned_power(Design(130, 3, rate=0.98), 0.10, experiments=400) < 0.5


def test_more_items_find_smaller_effects() -> None:
    """The number of items it names suffices, and two thirds of them do not."""
    design = Design(130, 3, seed_sd=0.0)
    needed = items_needed(design, 0.15, sensitivity=False, most=600)

    assert needed is not None
    assert planned_power(replace(design, items=needed), 0.15, sensitivity=False) >= 0.8
    assert planned_power(replace(design, items=needed * 2 // 3), 0.15, sensitivity=False) < 0.8
    assert items_needed(design, 0.02, sensitivity=False, most=200) is None


def test_mcnemar_power_has_its_known_anchors() -> None:
    """10 points at 80% power: 249, 329 and 408 items at 30, 40 and 50% discordance; 130 items give 0.49 and 0.32."""
    assert [mcnemar_items(discordant, 0.1) for discordant in (0.3, 0.4, 0.5)] == [249, 329, 408]
    assert mcnemar_power(130, 0.3, 0.1) == pytest.approx(0.49, abs=0.005)
    assert mcnemar_power(130, 0.5, 0.1) == pytest.approx(0.32, abs=0.005)


def test_mcnemar_detectable_effect_is_where_power_is_reached() -> None:
    """At the effect it names power is 80%, a little below it is not; with too few items nothing is found."""
    effect = mcnemar_detectable(200, 0.3)

    assert effect is not None
    assert mcnemar_power(200, 0.3, effect) >= 0.8 > mcnemar_power(200, 0.3, effect - 0.005)
    assert mcnemar_detectable(5, 0.3) is None
    with pytest.raises(ValueError, match="discordant"):
        mcnemar_power(100, 0.1, 0.2)


def seed_part(arms: np.ndarray) -> SeedPart:
    """What the seeds of these arms (K, S, n) add to the contrast of the first two."""
    everyone, own = seed_variance(list(arms)), seed_variance(list(arms[:2]))
    assert isinstance(everyone, SeedVariance)
    assert isinstance(own, SeedVariance)
    return SeedPart(everyone, own, seed_weight((arms.shape[1], arms.shape[1])))


def test_detectable_effects_seen_in_data_agree_with_the_plan() -> None:
    """On data from the planning model, the effect detectable in hindsight is on average the planned one, within 2 points."""
    design = Design(130, 5, seed_sd=0.015)
    answers = simulate(design, 0.0, 8, np.random.default_rng(0)).astype(float)
    found = [crossed_detectable(a[0].mean(axis=0) - a[1].mean(axis=0), seed_part(a)) for a in answers]
    planned = planned_detectable(design)

    assert planned is not None
    assert np.mean([effect for effect in found if effect is not None]) == pytest.approx(planned, abs=0.02)


def test_a_large_observed_effect_is_not_taken_for_noise() -> None:
    """Arms 80 points apart without item noise: a few points would have been found, whatever the distance measured."""
    differences = np.where(np.arange(130) < 104, 1.0, 0.0)
    detectable = crossed_detectable(differences)

    assert detectable is not None
    assert detectable < 0.12


def test_ties_everywhere_still_need_several_items_to_differ() -> None:
    """130 ties: an effect must move about five items to be seen, not none."""
    detectable = crossed_detectable(np.zeros(130))

    assert detectable is not None
    assert 0.03 < detectable < 0.09
    assert crossed_detectable(np.zeros(1)) is None


def test_families_make_effects_harder_to_see() -> None:
    """The same differences in families that agree within detect less."""
    rng = np.random.default_rng(0)
    differences = np.repeat(rng.choice([-1.0, 0.0, 1.0], 40), 4)
    alone, clustered = crossed_detectable(differences), crossed_detectable(differences, families=np.repeat(np.arange(40), 4))

    assert alone is not None
    assert clustered is not None
    assert clustered > 1.5 * alone
