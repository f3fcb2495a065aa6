"""Expected power: the very tests and the rule of the verdict, on simulated experiments."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from power_questions import believed, checkpoint_question, recipe_question

from compiler.checks.method.power import Needs
from evaluators.analysis.claims import ClaimJudge
from evaluators.analysis.comparisons import Comparer
from evaluators.analysis.outcomes import Outcomes
from evaluators.analysis.settings import AnalyzeSettings
from evaluators.statistics.measured import measured
from evaluators.statistics.planning import Simulation, bank_family_size
from evaluators.statistics.power import mcnemar_power
from evaluators.statistics.simulation import Experiments, Population
from evaluators.statistics.sizes import chance_of, needs_of

HALF = {"base_rate": 0.45}  # leaves room for 50% discordant pairs
CLAIMS = [
    *[recipe_question(60, seeds, pool=2, effect=effect) for seeds, effect in ((2, 0.15), (3, 0.15), (5, 0.1))],
    recipe_question(60, 3, pool=2, nested=True, effect=0.15),
    recipe_question(60, 3, pool=1, trained=(True, False), effect=0.2),
    recipe_question(60, 3, pool=0, trained=(False, False), effect=0.2),
    recipe_question(70, 3, pool=2, tests=4, effect=0.2, endpoints=(believed(), believed(base_rate=0.5))),
    recipe_question(70, 3, pool=2, tests=4, effect=0.2, correction="bonferroni"),
    recipe_question(70, 3, pool=2, effect=0.15, expect="different"),
    recipe_question(90, 3, pool=2, effect=0.12, expect="equivalent"),
    recipe_question(90, 3, pool=2, effect=0.1, expect="not_worse"),
    recipe_question(60, 3, pool=2, effect=0.1, endpoints=(believed(5, items_per_family=1.3),)),
    recipe_question(60, 3, pool=2, effect=0.15, endpoints=(believed(items_per_family=1.5, family_share=0.4),)),
    recipe_question(12, 2, pool=2, effect=0.3),
    checkpoint_question(60, effect=0.15),
    checkpoint_question(60, 3, effect=0.12),
    checkpoint_question(60, effect=0.2, tests=3, endpoints=(believed(items_per_family=1.5),)),
    checkpoint_question(90, effect=0.2, expect="equivalent"),
    checkpoint_question(90, effect=0.2, expect="not_worse", endpoints=(believed(items_per_family=1.2),)),
    checkpoint_question(60, effect=0.06, endpoints=(believed(5),)),
    checkpoint_question(60, 3, effect=0.05, endpoints=(believed(5, items_per_family=2.0),)),
]


def verdicts(simulation: Simulation, experiments: int) -> list[bool]:
    """Whether the analysis of a run supports the claim, for the answers of the first simulated experiments."""
    question = simulation.question
    endpoints = [f"endpoint_{i}" for i in range(len(question.endpoints))]
    seeds = tuple(range(1, question.seeds + 1))
    arms = {name: seeds if trained else (None,) for name, trained in zip("ab", question.trained, strict=True)}
    claim = {"name": "claim", "compare": ["a", "b"], "expect": question.expect, "on": endpoints}
    settings = AnalyzeSettings.model_validate(
        {
            "analysis": {"smallest_effect": question.effect, "correction": {"primary": question.correction}},
            "claims": [
                claim | {"kind": "recipe" if question.recipe else "checkpoint"},
                *others(question.tests - len(endpoints)),
            ],
            "arms": arms | {"c": [None]},
            "criteria": endpoints,
            "lineage": {"a": ["b"]} if question.nested else {},
        }
    )
    found = []
    for r in range(experiments):
        judge = ClaimJudge(settings, Comparer(settings, outcomes(simulation, settings, endpoints, r)), detectable=False)
        found.append(judge.verdicts()[0].verdict == "supported")
    return found


def others(count: int) -> list[dict[str, object]]:
    """Claims that find nothing: an arm against itself."""
    return [
        {"name": f"null_{i}", "compare": ["c", "c"], "expect": "greater", "kind": "checkpoint", "on": ["endpoint_0"]}
        for i in range(count)
    ]


def outcomes(simulation: Simulation, settings: AnalyzeSettings, endpoints: list[str], r: int) -> Outcomes:
    """One simulated experiment as the tables of an analysis."""
    tables, items, families = {}, simulation.question.items, None
    for name, endpoint in zip(endpoints, simulation.endpoints, strict=True):
        first, second = (
            answers[r] / endpoint.population.judgements for answers in endpoint.answers(simulation.question.effect)
        )
        tables[name] = {"a": first, "b": second, "c": np.zeros((1, items))}
        starts = endpoint.drawn.families
        families = None if starts is None else np.repeat(np.arange(len(starts)), np.diff(np.append(starts, items)))
    return Outcomes(tuple(map(str, range(items))), families, dict(settings.arms), tables)


@pytest.mark.parametrize(
    "question", CLAIMS, ids=lambda q: f"{'recipe' if q.recipe else 'checkpoint'}-{q.expect}-{q.items}x{q.seeds}"
)
def test_what_is_simulated_is_the_verdict_itself(question):
    """Experiment by experiment, planning finds the claim supported exactly where the analysis of these answers does."""
    simulation = Simulation(question, experiments=24)
    planned = simulation.supported(question.effect).tolist()

    assert 0 < sum(planned) < 24
    assert planned == verdicts(simulation, 24)


@pytest.mark.parametrize(
    ("items", "discordant", "power"), [(249, 0.3, 0.8), (329, 0.4, 0.8), (408, 0.5, 0.8), (130, 0.3, 0.49), (130, 0.5, 0.32)]
)
def test_the_power_of_mcnemars_test_is_the_exact_one(items, discordant, power):
    """Simulated power agrees with exact enumeration, and with the known anchors, within 1.5 points."""
    question = checkpoint_question(items, endpoints=(believed(discordance=discordant, **HALF),))
    found = chance_of(question).power

    assert found == pytest.approx(mcnemar_power(items, discordant, 0.1), abs=0.015)
    assert found == pytest.approx(power, abs=0.015)


@pytest.mark.parametrize(("discordant", "items"), [(0.3, 249), (0.4, 329), (0.5, 408)])
def test_the_items_needed_for_mcnemars_test_are_the_known_ones(discordant, items):
    """Ten points at 80% power: what is proposed has 80% by exact enumeration within 1.5 points, near the exact number."""
    needed = needs_of(checkpoint_question(130, endpoints=(believed(discordance=discordant, **HALF),)), 0.8).items

    assert needed is not None
    assert needed == pytest.approx(items, rel=0.08)
    assert mcnemar_power(needed, discordant, 0.1) == pytest.approx(0.8, abs=0.025)


@pytest.mark.parametrize(
    ("items", "seeds", "noise", "false_positives", "power"),
    [(130, 3, 0.0, 0.035, 0.82), (130, 3, 0.015, 0.027, 0.79), (130, 3, 0.03, 0.041, 0.63), (130, 5, 0.03, 0.044, 0.84),
     (400, 3, 0.03, 0.040, 0.84)],
)  # fmt: skip
def test_the_crossed_test_has_its_known_error_rates(items, seeds, noise, false_positives, power):
    """False positives and power at +10 points as tabled for the test alone, four trained arms; never above 5% but for chance."""
    question = recipe_question(items, seeds, endpoints=(believed(seed_sd=noise),))
    two_sided, better = Simulation(replace(question, expect="different"), 2000), Simulation(question, 2000)
    null, effect = two_sided.chance(0.0, sensitivity=False), better.chance(0.1, sensitivity=False)

    assert null.power == pytest.approx(false_positives, abs=0.02)
    assert null.power <= 0.05 + 2.5 * null.error
    assert effect.power == pytest.approx(power, abs=0.05)
    assert two_sided.chance(0.0).power <= null.power
    assert better.chance(0.1).power < effect.power - 0.02  # own-arm variance must agree, which few seeds make hard


@pytest.mark.parametrize("nested", [True, False])
def test_further_arms_need_not_be_simulated(nested):
    """Variance pooled over six arms, all simulated answer by answer and judged by the analysis, gives the power foreseen."""
    question = recipe_question(60, 3, pool=6, nested=nested, effect=0.2)
    drawn = Experiments(Population(), 60, (3,) * 6, 250, np.random.default_rng(5))
    answers = [drawn.answers(arm, 0.85 if arm == 0 else 0.65) for arm in range(6)]
    names = "abcdef"
    settings = AnalyzeSettings.model_validate(
        {
            "claims": [{"name": "claim", "compare": ["a", "b"], "expect": "greater", "on": ["e"]}],
            "arms": dict.fromkeys(names, (1, 2, 3)),
            "criteria": ["e"],
            "lineage": {name: ["a"] for name in names[1:]} if nested else {},
        }
    )
    found = 0
    for r in range(250):
        tables = {"e": {name: table[r].astype(float) for name, table in zip(names, answers, strict=True)}}
        run = Outcomes(tuple(map(str, range(60))), None, dict(settings.arms), tables)
        found += ClaimJudge(settings, Comparer(settings, run), detectable=False).verdicts()[0].verdict == "supported"

    assert found / 250 == pytest.approx(chance_of(question).power, abs=0.08)


def test_the_same_question_has_the_same_answer():
    """Power is reproducible, and so are the sizes found."""
    question = recipe_question(130, 3, tests=5)

    assert chance_of(question) == chance_of(question)
    assert needs_of(question, 0.8) == needs_of(question, 0.8)


@pytest.mark.parametrize(
    ("question", "why"),
    [
        (recipe_question(130, 1), "one seed"),
        (recipe_question(8, 3), "too few"),
        (recipe_question(130, 3, endpoints=(believed(base_rate=0.95),)), "no room"),
        (recipe_question(130, 3, endpoints=()), "no endpoint"),
    ],
)
def test_without_a_valid_test_there_is_no_power(question, why):
    """One seed, a handful of items, a ceiling or no endpoint: no power, and the reason; no size helps the latter two."""
    found, needed = chance_of(question), needs_of(question, 0.8)

    assert (found.power, found.simulations) == (0.0, 0)
    assert why in found.why
    assert needed.detectable is None or why == "no room"
    assert (needed.items is None) == (why in ("no room", "no endpoint"))


def test_what_cannot_be_gained_leaves_what_can():
    """90 points do not fit above 65%: that is said with the room there is, and the effect that would be found is found as ever."""
    far = recipe_question(130, 3, effect=0.9, endpoints=(believed(base_rate=0.65),))
    found, needed = chance_of(far), needs_of(far, 0.8)
    usual = needs_of(replace(far, effect=0.1), 0.8)

    assert found.room == pytest.approx(0.35)
    assert needed.items is None
    assert needed.detectable is not None
    assert needed.detectable == pytest.approx(usual.detectable, abs=0.011)
    assert chance_of(replace(far, effect=0.3)).room is None


def test_a_difference_may_be_downwards():
    """A claim of any difference has room where one of improvement has none, and mirrored rates have mirrored power."""
    assert chance_of(recipe_question(130, 3, expect="different", endpoints=(believed(base_rate=0.95),))).power > 0.5
    high, low = (
        chance_of(recipe_question(130, 3, expect="different", endpoints=(believed(base_rate=rate),))) for rate in (0.7, 0.3)
    )
    assert high == low


@pytest.mark.parametrize(
    "question",
    [recipe_question(130, 3, tests=3), recipe_question(130, 3, nested=True, expect="not_worse", effect=0.08), checkpoint_question(130, 3)],
)  # fmt: skip
def test_sizes_that_are_found_suffice_and_smaller_ones_do_not(question):
    """The detectable effect and the design proposed reach the power asked for; three quarters of either do not."""
    needed = needs_of(question, 0.8)
    assert needed.detectable is not None
    assert needed.items is not None
    design = replace(question, items=needed.items, seeds=needed.seeds)
    slack = 0.035  # simulated apart from the search

    assert chance_of(replace(question, effect=needed.detectable)).power >= 0.8 - slack
    assert chance_of(replace(question, effect=needed.detectable * 0.75)).power < 0.8
    assert chance_of(design).power >= 0.8 - slack
    assert chance_of(replace(design, items=needed.items * 3 // 4)).power < 0.8


def test_more_costs_less():
    """More items, more seeds, fewer tests, fewer endpoints, less noise: each raises the power."""
    plain = recipe_question(130, 3, tests=4)
    noisy = believed(seed_sd=0.04)
    less = chance_of(plain).power

    assert chance_of(replace(plain, items=260)).power > less
    assert chance_of(replace(plain, seeds=6)).power > less
    assert chance_of(replace(plain, tests=1)).power > less
    assert chance_of(replace(plain, endpoints=plain.endpoints * 2)).power < less
    assert chance_of(replace(plain, endpoints=(noisy,))).power < less


def test_no_design_with_fewer_seeds_than_wanted_is_proposed():
    """What is proposed for a way of training has the seeds that a level asks for."""
    assert needs_of(recipe_question(130, 1), 0.8, 5).seeds >= 5
    assert needs_of(checkpoint_question(130), 0.8, 5).seeds == 1


def test_an_effect_too_small_has_no_design():
    """One point amid eight points of seed noise is out of reach."""
    question = recipe_question(130, 3, effect=0.01, endpoints=(believed(seed_sd=0.08),))

    assert isinstance(needs_of(question, 0.8), Needs)
    assert needs_of(question, 0.8).items is None


def test_families_of_the_bank_grow_with_the_draw():
    """115 families among 130 items of the bank, 274 among 400: the sizes are met within 5%."""
    assert [bank_family_size(130), bank_family_size(400)] == pytest.approx([130 / 115, 400 / 274], rel=0.05)


def test_a_run_tells_the_variances_it_was_drawn_from():
    """Measured on a large simulated run, rates, seed noise and both item deviations are those of its population."""
    truth = Population(seed_sd=0.04, item_sd=1.2, item_arm_sd=0.9)
    drawn = Experiments(truth, 4000, (8, 8, 8, 0), 1, np.random.default_rng(3))
    arms = {name: drawn.answers(arm, 0.65)[0].astype(float) for arm, name in enumerate(("a", "b", "c", "base"))}
    families = np.arange(4000) // 2
    found = measured({"e": arms}, families, frozenset("abc"), "a run")

    assert found.rates["e"]["base"] == pytest.approx(0.65, abs=0.02)
    assert found.endpoints["e"] == pytest.approx(
        {"applies": 1.0, "items_per_family": 2.0, "seed_sd": 0.04, "item_sd": 1.2, "item_arm_sd": 0.9}, rel=0.35, abs=0.01
    )
    assert found.endpoints["e"]["item_sd"] == pytest.approx(1.2, abs=0.1)
    assert found.endpoints["e"]["item_arm_sd"] == pytest.approx(0.9, abs=0.1)


def test_what_a_run_cannot_tell_is_left_out():
    """One seed says nothing of seed noise; arms that pass everything say nothing of items; null answers are counted out."""
    one = Experiments(Population(), 300, (0, 0), 1, np.random.default_rng(0))
    tables = {name: one.answers(arm, 0.65)[0].astype(float) for arm, name in enumerate("ab")}
    tables["a"][0, :30] = np.nan
    full = {name: np.ones((3, 50)) for name in "ab"}
    found = measured({"one": tables, "full": full, "never": {"a": np.full((1, 9), np.nan)}}, None, frozenset("ab"), "a run")

    assert set(found.endpoints["one"]) == {"applies", "items_per_family", "item_sd"}
    assert found.endpoints["one"]["applies"] == pytest.approx(0.9)
    assert set(found.endpoints["full"]) == {"applies", "items_per_family", "seed_sd"}
    assert "never" not in found.endpoints
