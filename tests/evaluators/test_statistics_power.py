"""Detectable effects in hindsight: exact for McNemar's test, by running the test on resampled items for the others."""

from __future__ import annotations

import numpy as np
import pytest
from power_questions import recipe_question

from compiler.checks.method.power import Believed
from compiler.language.assumptions import Assumptions
from evaluators.statistics.crossed import SeedVariance, seed_variance, seed_weight
from evaluators.statistics.power import SeedPart, crossed_detectable, mcnemar_detectable, mcnemar_items, mcnemar_power
from evaluators.statistics.simulation import Experiments, Population
from evaluators.statistics.sizes import needs_of


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
    believed = Believed(Assumptions(items_per_family=1.0))
    planned = needs_of(recipe_question(130, 5, pool=4, endpoints=(believed,)), 0.8).detectable
    drawn = Experiments(Population(), 130, (5, 5, 5, 5), 8, np.random.default_rng(0))
    answers = np.stack([drawn.answers(arm, 0.65) for arm in range(4)], axis=1).astype(float)
    found = [crossed_detectable(a[0].mean(axis=0) - a[1].mean(axis=0), seed_part(a)) for a in answers]

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
