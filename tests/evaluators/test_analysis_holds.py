"""The whole analysis on whatever an experiment may leave: numbers that are numbers, or a refusal with its reason."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from compiler.records import Answer, Item, ItemScore
from evaluators.analysis import AnalyzeSettings
from evaluators.analysis.samples import sample_analysis
from evaluators.evidence import ArmRun, Material, judge
from evaluators.statistics.intervals import newcombe_paired, tango

CRITERIA = ("addresses_instruction", "factually_correct")
EXPECTATIONS = ("greater", "less", "different", "equivalent", "not_worse")


def experiment(arms: dict[str, list[int | None]], expect: str, kind: str) -> AnalyzeSettings:
    """Settings with one claim on two criteria between the first two trained arms, and one against the base model."""
    claims = [
        {"name": "trained", "says": "a beats b", "compare": ["a", "b"], "expect": expect, "kind": kind, "on": CRITERIA},
        {
            "name": "gain",
            "says": "a beats base",
            "compare": ["a", "base"],
            "expect": "greater",
            "kind": kind,
            "on": CRITERIA[:1],
        },
        {"name": "gone", "says": "a beats c", "compare": ["a", "c"], "expect": expect, "on": CRITERIA[:1]},
    ]
    return AnalyzeSettings.model_validate({"claims": claims, "arms": arms, "criteria": CRITERIA, "primary": CRITERIA})


@st.composite
def experiments(draw: st.DrawFn) -> tuple[AnalyzeSettings, dict[Any, list[ItemScore]], list[Item], Material]:
    """Few or many items, unequal seeds, shared families, missing items, nulls, arms that pass everything or nothing."""
    n = draw(st.sampled_from([1, 2, 9, 10, 13]))
    families = draw(st.sampled_from(["", "one", "several"]))
    arms: dict[str, list[int | None]] = {"base": [None]}
    arms |= {arm: list(range(1, draw(st.integers(1, 3)) + 1)) for arm in ("a", "b")}
    names = {"": "", "one": "f", "several": "f{}"}
    items = [Item(id=f"i{i}", kind="qa", instruction=f"Ask {i}?", family=names[families].format(i // 2)) for i in range(n)]
    scores: dict[Any, list[ItemScore]] = {}
    runs = []
    for arm, seeds in arms.items():
        outcome = draw(st.sampled_from(["all", "none", "mixed", "mixed"]))
        for seed in seeds:
            answered = [i for i in items if draw(st.integers(0, 9)) != 0]
            passed = st.booleans() if outcome == "mixed" else st.just(outcome == "all")
            scores[arm, seed] = [
                ItemScore(
                    item_id=i.id,
                    criteria={CRITERIA[0]: draw(passed), CRITERIA[1]: draw(st.one_of(st.none(), passed))},
                    preference={"off_topic": draw(passed)} if draw(st.booleans()) else {},
                )
                for i in answered
            ]
            tokens = st.integers(0, 40)
            answers = [
                Answer(
                    item_id=i.id, split="heldout", response=" x\nEND", tokens=draw(tokens), hit_token_limit=draw(st.booleans())
                )
                for i in answered
            ]
            runs.append(ArmRun(arm, seed, {answer.item_id: answer for answer in answers}))
    leaked = {items[0].id: "t"} if draw(st.booleans()) else {}
    kind = draw(st.sampled_from(["recipe", "checkpoint"]))
    return experiment(arms, draw(st.sampled_from(EXPECTATIONS)), kind), scores, items, Material((), leaked, tuple(runs))


def numbers(value: Any) -> Iterator[float]:
    """Every float anywhere in plain data."""
    if isinstance(value, float):
        yield value
    elif isinstance(value, dict):
        for below in value.values():
            yield from numbers(below)
    elif isinstance(value, list | tuple):
        for below in value:
            yield from numbers(below)


@settings(deadline=None, max_examples=60)
@given(experiments())
def test_results_are_numbers_or_refusals(drawn):
    """No NaN and no infinity anywhere; every test has a p-value and an interval around its effect, or says why it has none."""
    analysis = judge(*drawn)

    assert all(math.isfinite(number) for number in numbers(analysis.model_dump()))
    for contrast in (*analysis.contrasts, *(c for claim in analysis.claims for c in claim.contrasts)):
        if contrast.p is None:
            assert contrast.test == "refused"
            assert contrast.note
        else:
            assert 0 <= contrast.p <= contrast.p_adjusted <= 1
            assert contrast.low - 1e-9 <= contrast.effect <= contrast.high + 1e-9
    for claim in analysis.claims:
        assert claim.sentence
        assert not any(word in claim.sentence for word in ("nan", "None", "inf"))


@settings(deadline=None, max_examples=30)
@given(experiments())
def test_what_cannot_be_tested_is_never_decided(drawn):
    """Fewer than ten items, or one seed, carry no claim about a way of training."""
    settings_, scores, items, material = drawn
    analysis = judge(settings_, scores, items, material)

    for claim in analysis.claims:
        few_seeds = min(len(settings_.arms.get(arm, ())) for arm in claim.compare if arm != "base") < 2
        if claim.kind == "recipe" and (len(items) < 10 or few_seeds):
            assert claim.verdict == "not testable"


def test_the_arms_are_ordered_and_summed_up():
    """Over all criteria: the order of the simulated truth, every mean within its interval, a second interval for checkpoints."""
    analysis = sample_analysis()

    assert [row.arm for row in analysis.order] == ["sft_dpo", "sft", "dpo_only", "base"]
    assert all(row.low < row.strength < row.high for row in analysis.order)
    assert {row.arm for row in analysis.aggregates} == set(analysis.arms)
    assert all(row.low < row.mean < row.high for row in analysis.aggregates)


def test_two_checkpoints_have_both_intervals():
    """The difference of two single checkpoints comes with Tango's and with Newcombe's interval, and Cliff's delta only where
    there are more than two values.
    """
    told = experiment({"a": [1], "b": [1]}, "greater", "checkpoint")
    items = [Item(id=f"i{i}", kind="qa", instruction=f"Ask {i}?") for i in range(30)]
    scores = {
        (arm, 1): [ItemScore(item_id=item.id, criteria=dict.fromkeys(CRITERIA, i < passed)) for i, item in enumerate(items)]
        for arm, passed in (("a", 22), ("b", 15))
    }
    contrast = judge(told, scores, items).claims[0].contrasts[0]

    assert (contrast.effect, contrast.cliffs_delta) == (7 / 30, None)
    assert newcombe_paired(15, 7, 0, 8) == (contrast.newcombe_low, contrast.newcombe_high)
    assert (contrast.low, contrast.high) == tango(7, 0, 30)
