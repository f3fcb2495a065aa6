"""The whole analysis: from item scores to rates, contrasts and verdicts."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compiler.records import Item, ItemScore
from evaluators.analysis import AnalyzeSettings, analyze
from evaluators.analysis.samples import sample_analysis, sample_items, sample_scores, sample_settings
from evaluators.results import Analysis, ClaimResult, Contrast, Rate
from evaluators.statistics.intervals import wilson

Tables = Mapping[str, Sequence[Sequence[float | None]]]
"""Arm -> seeds x items on one criterion; an arm called `base` is untrained."""


def items_of(count: int, families: Sequence[str] | None = None) -> list[Item]:
    """Plain items, each on its own unless families are named."""
    return [Item(id=f"i{k}", kind="qa", instruction="Why?", family=families[k] if families else "") for k in range(count)]


def claim(expect: str = "greater", **more: Any) -> dict[str, Any]:
    """A claim about arms `a` and `b` on `on_topic`."""
    return {"name": "c", "says": "a beats b", "compare": ["a", "b"], "expect": expect, "on": ["on_topic"], **more}


def run(tables: Tables, claims: Sequence[dict[str, Any]] = (), families: Sequence[str] | None = None, **more: Any) -> Analysis:
    """Analyze tables of one criterion."""
    arms = {arm: [None] if arm == "base" else list(range(1, len(rows) + 1)) for arm, rows in tables.items()}
    spec = {"claims": list(claims), "arms": arms, "criteria": ["on_topic"], "primary": ["on_topic"], **more}
    count = max(len(row) for rows in tables.values() for row in rows)
    scores = {
        (arm, seed): [
            ItemScore(item_id=f"i{k}", criteria={"on_topic": None if value is None else bool(value)})
            for k, value in enumerate(row)
        ]
        for arm, rows in tables.items()
        for seed, row in zip(arms[arm], rows, strict=True)
    }
    return analyze(AnalyzeSettings.model_validate(spec), scores, items_of(count, families))


def drawn(rate: float, seeds: int = 3, items: int = 130, seed: int = 0) -> list[list[float | None]]:
    """Independent outcomes of a rate."""
    return (np.random.default_rng(seed).random((seeds, items)) < rate).astype(float).tolist()


def only(analysis: Analysis) -> tuple[ClaimResult, Contrast]:
    """The one claim and its one contrast."""
    (result,) = analysis.claims
    (contrast,) = result.contrasts
    return result, contrast


def rate(analysis: Analysis, arm: str, endpoint: str = "on_topic") -> Rate:
    """One arm's rate."""
    return next(r for r in analysis.rates if (r.arm, r.endpoint) == (arm, endpoint))


def test_a_clear_effect_is_supported_in_points() -> None:
    """A 30-point advantage over 130 items and 3 seeds: supported, with effect, interval and corrected p in one sentence."""
    result, contrast = only(run({"a": drawn(0.9), "b": drawn(0.6, seed=1)}, [claim()]))

    assert (result.verdict, contrast.verdict) == ("supported", "supported")
    assert contrast.effect is not None
    assert contrast.p == contrast.p_adjusted
    assert contrast.p is not None
    assert contrast.p < 0.001
    assert f"+{100 * contrast.effect:.1f} points (95% interval +" in result.sentence
    assert result.sentence.startswith("a scored higher than b on on_topic: ")
    assert "130 held-out items and 3 training seeds" in result.sentence
    assert result.planned


def test_the_opposite_is_contradicted_and_says_so() -> None:
    """The claimed winner loses clearly."""
    result, _ = only(run({"a": drawn(0.6), "b": drawn(0.9, seed=1)}, [claim()]))

    assert result.verdict == "contradicted"
    assert "a scored lower than b on on_topic, the opposite of the claim" in result.sentence


def test_what_is_not_significant_is_undecided_with_what_could_have_been_found() -> None:
    """Equal rates: inconclusive, with the detectable effect, never `no effect`."""
    result, contrast = only(run({"a": drawn(0.7), "b": drawn(0.7, seed=7)}, [claim()]))

    assert result.verdict == "inconclusive"
    assert contrast.detectable is not None
    assert 0.05 < contrast.detectable < 0.3
    assert f"only a true difference of about {100 * contrast.detectable:.1f} points or more" in result.sentence
    assert "no effect" not in result.sentence


def test_equivalence_needs_its_own_test() -> None:
    """The same near-equal rates are equivalent where the margin is wide, undecided where it is narrow; the interval is 90%."""
    tables = {"a": drawn(0.7, 5, 400), "b": drawn(0.7, 5, 400, seed=1)}
    wide, contrast = only(run(tables, [claim("equivalent")], analysis={"smallest_effect": 0.15}))
    narrow, missed = only(run(tables, [claim("equivalent")], analysis={"smallest_effect": 0.01}))

    assert (wide.verdict, narrow.verdict) == ("supported", "inconclusive")
    assert contrast.interval_level == pytest.approx(0.9)
    assert "within 15.0 points of each other" in wide.sentence
    assert missed.detectable is not None
    assert missed.detectable > 0.01
    assert "margin" in narrow.sentence


def test_not_worse_allows_a_small_loss_and_contradicts_a_large_one() -> None:
    """Within the margin it holds; far below it the claim is contradicted."""
    level = {"smallest_effect": 0.2}
    equal, _ = only(run({"a": drawn(0.8), "b": drawn(0.8, seed=1)}, [claim("not_worse")], analysis=level))
    worse, _ = only(run({"a": drawn(0.2), "b": drawn(0.8, seed=1)}, [claim("not_worse")], analysis=level))

    assert (equal.verdict, worse.verdict) == ("supported", "contradicted")


def test_one_seed_cannot_test_a_recipe_but_can_test_a_checkpoint() -> None:
    """The very same data: refused with the reason as a recipe claim, an exact McNemar test as a checkpoint claim."""
    tables = {"a": drawn(0.9, 1), "b": drawn(0.5, 1, seed=1)}
    recipe, refused = only(run(tables, [claim(kind="recipe")]))
    checkpoint, tested = only(run(tables, [claim(kind="checkpoint")]))

    assert recipe.verdict == "not testable"
    assert "two training seeds" in recipe.sentence
    assert refused.p is None
    assert refused.effect == tested.effect
    assert checkpoint.verdict == "supported"
    assert tested.test == "exact McNemar test"
    assert "about these checkpoints, not about their way of training" in checkpoint.sentence


def test_a_checkpoint_claim_over_several_seeds_flips_signs() -> None:
    """Seed-averaged items are not 0/1: the sign-flip test takes over."""
    _, contrast = only(run({"a": drawn(0.9), "b": drawn(0.5, seed=1)}, [claim(kind="checkpoint")]))

    assert contrast.test.startswith("sign-flip")


def test_own_arm_variance_can_flip_a_verdict() -> None:
    """Steady other arms make the pooled seed variance small; the two arms' own seeds say that the difference may be luck."""
    items = 100
    steady = [[float(k < 60) for k in range(items)]] * 3
    a = [[float(k < n) for k in range(items)] for n in (95, 75, 55)]
    others = {f"steady{i}": steady for i in range(8)}
    result, contrast = only(run({"a": a, "b": steady, **others}, [claim()]))

    assert contrast.p is not None
    assert contrast.p < 0.05
    assert not contrast.sensitivity[0].agrees
    assert result.verdict == "inconclusive"
    assert "significant in the main analysis but not with the seed variance of these two arms alone" in result.sentence


def test_few_discordant_items_do_not_pass_for_significance() -> None:
    """Five items of 130 improved and none lost: Student would call it, the exact test of the same items (p = 1/16) does not."""
    a, b = np.ones((3, 130)), np.ones((3, 130))
    b[:, :5] = 0
    result, contrast = only(run({"a": a.tolist(), "b": b.tolist()}, [claim()]))

    assert contrast.p is not None
    assert contrast.p < 0.05
    assert result.verdict == "inconclusive"
    assert [s.p for s in contrast.sensitivity if "sign-flip" in s.name] == [pytest.approx(1 / 16)]


def test_claims_are_corrected_together_and_planned_ones_are_not_charged_for_later_ones() -> None:
    """Holm over the planned claims; an exploratory claim is corrected over all and labelled."""
    tables = {"a": drawn(0.82), "b": drawn(0.68, seed=1), "c": drawn(0.7, seed=2), "d": drawn(0.7, seed=3)}
    null = [claim(name=f"n{i}", compare=pair) for i, pair in enumerate((["c", "b"], ["d", "b"], ["c", "d"]))]
    alone = run(tables, [claim()]).claims[0].contrasts[0]
    together = run(tables, [claim(), *null]).claims[0].contrasts[0]
    exploratory = run(tables, [claim(), *({**n, "planned": False} for n in null)])

    assert alone.p is not None
    assert together.p == alone.p
    assert together.p_adjusted == pytest.approx(4 * alone.p)
    assert exploratory.claims[0].contrasts[0].p_adjusted == pytest.approx(alone.p)
    assert not exploratory.claims[1].planned
    assert any("Exploratory" in reason for reason in exploratory.claims[1].reasons)


def test_a_claim_on_two_endpoints_needs_both() -> None:
    """Supported on one criterion and undecided on the other is undecided, and each is reported."""
    items = sample_items(90)
    spec = AnalyzeSettings.model_validate(
        {
            "arms": {"a": [1, 2, 3], "b": [1, 2, 3]},
            "criteria": ["coherent", "on_topic"],
            "claims": [claim(on=["coherent", "on_topic"])],
        }
    )
    rng = np.random.default_rng(0)
    scores = {
        (arm, seed): [
            ItemScore(item_id=i.id, criteria={"coherent": bool(rng.random() < coherent), "on_topic": bool(rng.random() < 0.5)})
            for i in items
        ]
        for arm, coherent in (("a", 0.95), ("b", 0.5))
        for seed in (1, 2, 3)
    }
    (result,) = analyze(spec, scores, items).claims

    assert [c.verdict for c in result.contrasts] == ["supported", "inconclusive"]
    assert result.verdict == "inconclusive"
    assert "it held on coherent" in result.sentence
    assert any("supported only if each of them is" in reason for reason in result.reasons)


def test_a_blocking_confound_takes_the_verdict_and_is_named() -> None:
    """However large the effect: confounded, by what, and the effect measured; what only downgrades is a reason, not a verdict."""
    tables = {"a": drawn(0.9), "b": drawn(0.6, seed=1)}
    blocking = {"factor": "trained tokens", "severity": "B", "detail": "200 against 100"}
    mild = {"factor": "beta", "severity": "downgrades"}
    blocked, _ = only(run(tables, [claim(isolates=["from"], confounds=[mild, blocking])]))
    warned, _ = only(run(tables, [claim(confounds=[mild])]))
    by_name, _ = only(run(tables, [claim(confounds=["seeds"])]))

    assert blocked.verdict == by_name.verdict == "confounded"
    assert (
        "cannot be put down to “from”, because the two arms also differ in trained tokens (200 against 100)" in blocked.sentence
    )
    assert blocked.confounds == ("trained tokens (200 against 100)", "beta")
    assert warned.verdict == "supported"
    assert any("beta, which calls for caution" in reason for reason in warned.reasons)


def test_a_blocking_finding_of_the_plan_takes_the_verdict_with_its_sentence() -> None:
    """What the plan said stands against a claim is in the verdict, by code; arms that are the same cannot be tested."""
    tables = {"a": drawn(0.9), "b": drawn(0.6, seed=1)}
    compute = {"factor": "M003", "severity": "blocks", "detail": "`a` is trained 4.3 times as much as `b`"}
    mild = {"factor": "M005", "severity": "downgrades", "detail": "nothing tells contrast from likelihood"}
    same = {"factor": "M001", "severity": "blocks", "detail": "`a` and `b` are the same"}
    blocked, _ = only(run(tables, [claim(isolates=["from"], confounds=["beta", compute, mild])]))
    (untestable,) = run(tables, [claim(confounds=[same])]).claims

    assert blocked.verdict == "confounded"
    assert (
        "because the two arms also differ in beta; and because a is trained 4.3 times as much as b (M003)." in blocked.sentence
    )
    assert "M005 in the plan: nothing tells contrast from likelihood, which calls for caution." in blocked.reasons
    assert untestable.verdict == "not testable"
    assert "a and b are the same (M001)" in untestable.sentence


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"compare": ["a", "ghost"]}, "there is no arm ghost"),
        ({"on": ["factually_correct"]}, "arm a has no outcome on factually_correct"),
        ({"on": ["preference_accuracy"]}, "arm a has no outcome on preference_accuracy"),
    ],
)
def test_a_claim_without_its_arm_or_endpoint_is_not_testable(change: dict[str, Any], reason: str) -> None:
    """What is missing is named."""
    (result,) = run({"a": drawn(0.9), "b": drawn(0.6, seed=1)}, [claim(**change)]).claims

    assert result.verdict == "not testable"
    assert reason in result.sentence
    assert result.contrasts == ()


def test_a_ceiling_is_remarked() -> None:
    """Two arms that pass 98% and more cannot differ by the smallest effect of interest."""
    result, _ = only(run({"a": drawn(0.99), "b": drawn(0.985, seed=1)}, [claim(expect="different")]))

    assert any("so near to all that they can differ by less than the 10.0 points of interest" in r for r in result.reasons)


def test_rates_average_seeds_and_carry_wilson_intervals_on_items() -> None:
    """130 items x 3 seeds are 130 items for the interval, not 390; an untrained arm has no seeds to list."""
    table = drawn(0.7)
    analysis = run({"a": table, "base": drawn(0.4, 1, seed=1)})
    found = rate(analysis, "a")
    mean = float(np.mean(table))  # type: ignore[arg-type]

    assert (found.passed, found.applicable) == (round(mean * 390), 390)
    assert found.rate == pytest.approx(mean)
    assert (found.low, found.high) == pytest.approx(wilson(mean * 130, 130))
    assert found.per_seed == {str(s + 1): pytest.approx(np.mean(row)) for s, row in enumerate(table)}  # type: ignore[arg-type]
    assert rate(analysis, "base").per_seed == {}


def test_missing_items_count_as_failures_with_a_warning() -> None:
    """A run that lost 30 items of 130 is not compared on the 100 it kept."""
    full = [[1.0] * 130] * 2
    lost = [[1.0] * 130, [1.0] * 100]
    analysis = run({"a": full, "b": lost})

    assert rate(analysis, "b").per_seed == {"1": 1.0, "2": pytest.approx(100 / 130)}
    assert "arm b seed 2: 30 of 130 items have no score and count as failed" in analysis.warnings


def test_missing_items_do_not_fail_where_the_criterion_does_not_apply() -> None:
    """An item that no arm can be judged on stays out, answered or not."""
    a: list[list[float | None]] = [[1.0] * 20 + [None] * 10] * 2
    b: list[list[float | None]] = [[1.0] * 20 + [None] * 10, [1.0] * 15]

    assert rate(run({"a": a, "b": b}), "b").applicable == 40


def test_answers_that_a_criterion_broke_on_count_as_failures_with_a_warning() -> None:
    """A judge that takes the first word breaks on empty answers: left out, they would leave two arms that pass everything."""
    spec = AnalyzeSettings.model_validate({"arms": {"a": [1, 2], "b": [1, 2]}, "criteria": ["on_topic"], "claims": [claim()]})
    fine = [ItemScore(item_id=f"i{k}", criteria={"on_topic": True}) for k in range(100)]
    empty = [
        ItemScore(item_id=f"i{k}", criteria={"on_topic": None}, failures={"on_topic": "IndexError"}) if k < 60 else fine[k]
        for k in range(100)
    ]
    analysis = analyze(spec, {("a", 1): fine, ("a", 2): fine, ("b", 1): fine, ("b", 2): empty}, items_of(100))

    assert rate(analysis, "b").per_seed == {"1": 1.0, "2": pytest.approx(0.4)}
    assert analysis.claims[0].contrasts[0].n_items == 100
    assert "arm b: criterion on_topic broke on 60 of 200 answers, which count as failed" in analysis.warnings


def test_a_criterion_that_broke_on_everything_has_no_rate() -> None:
    """Then it is the criterion that failed, not the arms."""
    spec = AnalyzeSettings.model_validate({"arms": {"a": [1], "b": [1]}, "criteria": ["on_topic"]})
    broken = [ItemScore(item_id=f"i{k}", criteria={"on_topic": None}, failures={"on_topic": "KeyError"}) for k in range(30)]
    analysis = analyze(spec, {("a", 1): broken, ("b", 1): broken}, items_of(30))

    assert rate(analysis, "a").rate is None
    assert rate(analysis, "b").rate is None


def test_null_means_not_applicable() -> None:
    """Items with null are left out of rates and contrasts; null for some answers only is warned about."""
    a: list[list[float | None]] = [[1.0] * 40 + [None] * 20] * 3
    b: list[list[float | None]] = [[0.0] * 40 + [None] * 20] * 2 + [[None] + [0.0] * 39 + [None] * 20]
    analysis = run({"a": a, "b": b}, [claim()])

    assert rate(analysis, "a").applicable == 120
    assert analysis.claims[0].contrasts[0].n_items == 39
    assert any("null for some answers only to 1 item" in w for w in analysis.warnings)


def test_a_criterion_that_never_applies_has_no_rate_and_no_contrast() -> None:
    """All null: None, not NaN, and no test."""
    nothing: list[list[float | None]] = [[None] * 30] * 3
    analysis = run({"a": nothing, "b": nothing})

    assert rate(analysis, "a").rate is None
    assert analysis.contrasts == ()


def test_an_arm_or_seed_without_scores_is_left_out_with_a_warning() -> None:
    """A missing run is not a run of failures; a claim about an arm without any is not testable."""
    spec = AnalyzeSettings.model_validate(
        {"arms": {"a": [1, 2, 3], "b": [1, 2]}, "criteria": ["on_topic"], "claims": [claim()]}
    )
    row = [ItemScore(item_id=f"i{k}", criteria={"on_topic": k % 2 == 0}) for k in range(20)]
    analysis = analyze(spec, {("a", 1): row, ("a", 2): row, ("a", 3): []}, items_of(20))

    assert "arm a has no scores for training seed 3; the others are used" in analysis.warnings
    assert "arm b has no scores: nothing can be said about it" in analysis.warnings
    assert rate(analysis, "a").rate == 0.5
    assert analysis.claims[0].verdict == "not testable"
    assert "arm b has no scores" in analysis.claims[0].sentence


def test_items_scored_twice_are_an_error_with_their_place() -> None:
    """A doubled item is a broken run, not more data."""
    spec = AnalyzeSettings.model_validate({"arms": {"a": [1]}, "criteria": ["on_topic"]})
    twice = [ItemScore(item_id="i0", criteria={"on_topic": True})] * 2

    with pytest.raises(ValueError, match="arm a seed 1: item i0 is scored twice"):
        analyze(spec, {("a", 1): twice}, items_of(1))
    with pytest.raises(ValueError, match="twice among the held-out items"):
        analyze(spec, {}, items_of(1) * 2)


def test_scores_of_unknown_items_are_ignored_with_a_warning() -> None:
    """An answer to an item that is not held out belongs to another experiment."""
    spec = AnalyzeSettings.model_validate({"arms": {"a": [1]}, "criteria": ["on_topic"]})
    scores = {("a", 1): [ItemScore(item_id=i, criteria={"on_topic": True}) for i in ("i0", "stranger")]}
    analysis = analyze(spec, scores, items_of(1))

    assert "arm a seed 1: 1 scored items are not among the held-out items and were ignored" in analysis.warnings


def test_families_widen_what_is_claimed() -> None:
    """Items that succeed or fail by template family carry less information than they number."""
    rng = np.random.default_rng(0)
    by_family = np.repeat(rng.random(30) < 0.6, 4).astype(float)
    a, b = [by_family.tolist()] * 3, drawn(0.4, items=120, seed=1)
    names = [f"f{k // 4}" for k in range(120)]
    _, alone = only(run({"a": a, "b": b}, [claim()]))
    _, clustered = only(run({"a": a, "b": b}, [claim()], families=names))

    assert (alone.n_families, clustered.n_families) == (None, 30)
    assert None not in (alone.low, alone.high, clustered.low, clustered.high)
    assert clustered.high - clustered.low > 1.2 * (alone.high - alone.low)  # type: ignore[operator]
    assert "clustered by family" in clustered.test


def test_nested_lineages_pair_their_seeds() -> None:
    """Where seed k of one arm is built on seed k of another, luck that both share does not blur their difference."""
    lucky = (0.9, 0.7, 0.4)
    a = [drawn(p, 1, 200, seed=s)[0] for s, p in enumerate(lucky)]
    b = [drawn(p - 0.15, 1, 200, seed=10 + s)[0] for s, p in enumerate(lucky)]
    apart = run({"a": a, "b": b}, [claim()]).claims[0].contrasts[0]
    nested = run({"a": a, "b": b}, [claim()], lineage={"a": ["b"]}).claims[0].contrasts[0]

    assert apart.p is not None
    assert nested.p is not None
    assert nested.p < apart.p / 3
    assert nested.effect == apart.effect


def test_lineages_reach_through_common_ancestors() -> None:
    """Two arms trained on pairs of the same arm's seeds are nested with it and with each other; the base model is not."""
    spec = AnalyzeSettings.model_validate(
        {
            "arms": {"base": [None], "sft": [1, 2], "dpo": [1, 2], "only": [1, 2], "apart": [1, 2]},
            "criteria": ["on_topic"],
            "lineage": {"sft": ["base"], "dpo": ["sft"], "only": ["base", "sft"]},
        }
    )

    assert spec.related("dpo") == spec.related("only") == {"sft", "dpo", "only"}
    assert spec.related("apart") == {"apart"}


def test_every_other_contrast_is_there_once_and_corrected_apart() -> None:
    """Secondary: all pairs of arms x endpoints but the claimed ones, with Benjamini-Hochberg's p at least the raw one."""
    analysis = sample_analysis()
    claimed = {(frozenset(c.compare), k.endpoint) for c in analysis.claims for k in c.contrasts}
    listed = [(frozenset((c.first, c.second)), c.endpoint) for c in analysis.contrasts]

    assert len(listed) == len(set(listed)) == math.comb(4, 2) * len(analysis.endpoints) - len(claimed)
    assert not claimed & set(listed)
    assert all(c.p is not None and c.p_adjusted is not None and c.p <= c.p_adjusted for c in analysis.contrasts)
    assert {c.correction for c in analysis.contrasts} == {"bh"}


def test_one_seed_contrasts_say_what_they_are_blind_to() -> None:
    """Secondary contrasts of single checkpoints are labelled as such."""
    (contrast,) = run({"a": drawn(0.9, 1), "b": drawn(0.5, 1, seed=1)}).contrasts

    assert contrast.test == "exact McNemar test"
    assert "these checkpoints only" in contrast.note


def test_preference_accuracy_weighs_items_alike() -> None:
    """An item's value is its mean over negatives; types are endpoints of their own."""
    spec = AnalyzeSettings.model_validate({"arms": {"a": [1]}, "criteria": ["on_topic"]})
    scores = {
        ("a", 1): [
            ItemScore(item_id="i0", criteria={}, preference={"off_topic": True, "verbose_vague": False}),
            ItemScore(item_id="i1", criteria={}, preference={"off_topic": True}),
        ]
    }
    analysis = analyze(spec, scores, items_of(2))
    found = rate(analysis, "a", "preference_accuracy")

    assert analysis.endpoints == (
        "on_topic", "preference_accuracy", "preference_accuracy/off_topic", "preference_accuracy/verbose_vague"
    )  # fmt: skip
    assert (found.rate, found.passed, found.applicable) == (0.75, 2, 3)
    assert rate(analysis, "a", "preference_accuracy/verbose_vague").rate == 0.0


def test_the_sample_analysis_shows_every_verdict_and_survives_json() -> None:
    """What the report is developed against: all five verdicts, no NaN, the same after a round trip."""
    analysis = sample_analysis()
    text = json.dumps(analysis.model_dump(mode="json"), allow_nan=False)

    assert {c.verdict for c in analysis.claims} == {
        "supported", "contradicted", "inconclusive", "confounded", "not testable"
    }  # fmt: skip
    assert Analysis.model_validate_json(text) == analysis
    assert analysis == sample_analysis()


def test_the_order_of_items_does_not_matter() -> None:
    """Shuffled items and scores give the same verdicts and numbers."""
    spec, items = sample_settings(), sample_items()
    scores = sample_scores(spec, items)
    shuffled = {run: list(reversed(list(found))) for run, found in scores.items()}
    there, back = analyze(spec, scores, items), analyze(spec, shuffled, items[::-1])

    assert [c.verdict for c in there.claims] == [c.verdict for c in back.claims]
    for a, b in zip(there.contrasts, back.contrasts, strict=True):
        assert (a.effect, a.p) == pytest.approx((b.effect, b.p))


def test_equal_arms_are_rarely_called_different() -> None:
    """Twenty experiments without any effect, three claims each, through the whole analysis: at most 5% err, up to chance."""
    rng = np.random.default_rng(0)
    wrong = 0
    for _ in range(20):
        difficulty = rng.beta(2, 1, 60)
        tables = {arm: (rng.random((3, 60)) < difficulty).astype(float).tolist() for arm in ("a", "b", "c")}
        pairs = (["a", "b"], ["a", "c"], ["b", "c"])
        analysis = run(tables, [claim("different", name=str(i), compare=pair) for i, pair in enumerate(pairs)])
        wrong += any(c.verdict != "inconclusive" for c in analysis.claims)

    assert wrong <= 3


CELL = st.sampled_from([0.0, 1.0, 1.0, None])


@st.composite
def small_experiments(draw: st.DrawFn) -> Tables:
    """Arms of any few seeds on any few items, with nulls, ties, and arms that always pass or fail."""
    n = draw(st.integers(1, 14))
    row = st.one_of(st.lists(CELL, min_size=n, max_size=n), st.sampled_from([0.0, 1.0]).map(lambda v: [v] * n))
    return {arm: draw(st.lists(row, min_size=1, max_size=size)) for arm, size in (("a", 3), ("b", 3), ("base", 1))}


@given(small_experiments(), st.sampled_from(["greater", "less", "different", "equivalent", "not_worse"]), st.booleans())
@settings(deadline=None, max_examples=60)
def test_no_experiment_is_too_odd(tables: Tables, expect: str, clustered: bool) -> None:
    """Whatever the data: a verdict, finite numbers, probabilities within 0..1, intervals around their effect."""
    count = max(len(row) for rows in tables.values() for row in rows)
    claims = [claim(expect, name=kind, kind=kind) for kind in ("recipe", "checkpoint")]
    claims += [claim(expect, name="base", compare=["a", "base"])]
    analysis = run(tables, claims, families=[f"f{k % 5}" for k in range(count)] if clustered else None)

    json.dumps(analysis.model_dump(mode="json"), allow_nan=False)
    for contrast in (*analysis.contrasts, *(k for c in analysis.claims for k in c.contrasts)):
        if contrast.p is None:
            assert contrast.note
            continue
        assert contrast.effect is not None
        assert contrast.low is not None
        assert contrast.high is not None
        assert 0 <= contrast.p <= 1
        assert contrast.p <= (contrast.p_adjusted or 0) <= 1
        assert -1 <= contrast.low <= contrast.effect + 1e-9
        assert contrast.effect - 1e-9 <= contrast.high <= 1
        assert contrast.detectable is None or 0 < contrast.detectable <= 1
