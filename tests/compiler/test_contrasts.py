"""The contrast table: exactly the settings in which the two arms of a claim differ, along their whole lineage."""

from __future__ import annotations

import pytest

HEAD = """
experiment: demo
data: {preferences: {chosen: {from: sft}}}
recipes:
  sft: {objective: sft}
  sft_long: {objective: sft, epochs: 9}
  dpo: {objective: dpo}
arms:
  base: {}
  few_shot: {from: base, prompt: few-shot}
  few_shot_two: {from: base, prompt: few-shot, data: {demonstrations: {few_shot: 2}}}
  sft: {from: base, train: sft}
  sft_raw: {from: sft, prompt: raw}
  sft_again: {from: sft, train: sft}
  sft_long: {from: base, train: sft_long}
  sft_chosen: {from: base, train: sft, data: {demonstrations: {from: chosen}}}
  sft_dpo: {from: sft, train: dpo}
  sft_long_dpo: {from: sft_long, train: dpo}
  dpo_only: {from: base, train: dpo}
  dpo_direct: {train: dpo}
  sft_dpo_hard: {from: sft, train: {use: dpo, beta: 0.5}}
  sft_dpo_uniform: {from: sft, train: dpo, data: {preferences: {rejected: uniform, labels: shuffled}}}
  sft_dpo_named: {from: sft, train: dpo, data: {preferences: {rejected: original}}}
  sft_continued: {from: sft, train: {use: sft, match: {tokens: sft_dpo}}}
  dpo_continued: {from: sft_dpo, train: sft}
  sft_trl: {from: base, train: {use: sft, engine: trl}}
  sft_dpo_trl: {from: sft, train: {use: dpo, engine: trl}}
  trl_dpo: {from: sft_trl, train: dpo}
  trl_dpo_trl: {from: sft_trl, train: {use: dpo, engine: trl}}
  trl_dpo_hard: {from: sft_trl, train: {use: dpo, engine: trl, beta: 0.5}}
  trl_continued: {from: sft_trl, train: {use: sft, engine: trl}}
  ipo: {from: sft, train: {use: dpo, loss: ipo}}
  rpo: {from: sft, train: {use: dpo, sft_weight: 1, label_smoothing: 0.1}}
  by_token: {from: sft, train: {use: dpo, length_normalised: true}}
"""


def contrast(compiled, first, second, isolates=""):
    """The contrast of two of the arms above."""
    claim = (
        f"claims: {{c: {{says: x, compare: [{first}, {second}], expect: greater, on: [on_topic], isolates: [{isolates}]}}}}\n"
    )
    found = compiled(HEAD + claim)
    assert found.ok, found.diagnostics
    (table,) = found.contrasts
    return table


def factors(table) -> set[str]:
    """The names of what differs."""
    return {factor.name for factor in table.factors}


@pytest.mark.parametrize(
    ("first", "second", "differ"),
    [
        ("sft_dpo", "dpo_only", "from"),
        ("sft_dpo", "sft_long_dpo", "from"),
        ("sft", "base", "train"),
        ("sft_dpo", "sft", "train"),
        ("sft_dpo", "base", "train"),
        ("sft_again", "sft", "train"),
        ("dpo_continued", "sft", "train"),
        ("dpo_only", "dpo_direct", ""),
        ("sft_dpo", "sft_dpo_named", ""),
        ("sft_dpo_hard", "sft_dpo", "train.beta"),
        ("sft_dpo_hard", "dpo_only", "from train.beta"),
        ("sft_dpo_uniform", "sft_dpo", "data.preferences.rejected data.preferences.labels"),
        ("sft_long", "sft", "train.epochs"),
        ("few_shot", "base", "prompt"),
        ("few_shot", "few_shot_two", "data.demonstrations.few_shot"),
        ("sft_raw", "sft", "prompt"),
        ("sft", "few_shot", "train prompt"),
        ("sft_chosen", "sft", "data.demonstrations.from"),
        ("sft_continued", "sft_again", "train.match"),
        ("sft_dpo_trl", "sft_dpo", "engine"),
        ("trl_dpo_trl", "sft_dpo", "engine"),
        ("trl_dpo_trl", "sft_dpo_trl", "engine"),
        ("trl_dpo", "sft_dpo_trl", "engine"),
        ("trl_dpo_hard", "sft_dpo", "engine train.beta"),
        ("trl_dpo_trl", "dpo_only", "engine from"),
        ("sft_dpo_trl", "sft", "engine train"),
        ("trl_dpo_trl", "sft_trl", "train"),
        ("trl_continued", "sft_trl", "train"),
        ("sft_trl", "base", "train"),
        ("ipo", "sft_dpo", "train.loss"),
        ("rpo", "sft_dpo", "train.sft_weight train.label_smoothing"),
        ("by_token", "ipo", "train.loss train.length_normalised"),
        ("sft_continued", "sft_dpo", "train.objective train.epochs train.learning_rate train.match"),
    ],
)
def test_factors_are_exactly_what_differs(first, second, differ, compiled):
    """Compared stage by stage: what only one objective knows is part of the objective, an added stage is one factor."""
    assert factors(contrast(compiled, first, second)) == set(differ.split())
    assert factors(contrast(compiled, second, first)) == set(differ.split())


def test_values_are_those_of_the_two_arms(compiled):
    """Each factor has both values, in the order of the claim."""
    (factor,) = contrast(compiled, "sft_dpo_hard", "sft_dpo", "train.beta").factors

    assert (factor.name, factor.first, factor.second, factor.claimed) == ("train.beta", 0.5, 0.1, True)


def test_the_engine_is_told_stage_by_stage(compiled):
    """Where an arm's stages had several engines, all are named in order."""
    (factor,) = contrast(compiled, "trl_dpo", "sft_dpo", "engine").factors

    assert (factor.first, factor.second, factor.claimed) == ("trl, then stage1", "stage1", True)
    assert not contrast(compiled, "trl_dpo_trl", "sft_dpo", "engine").leftover
    assert {f.name for f in contrast(compiled, "trl_dpo_hard", "sft_dpo", "train").leftover} == {"engine"}


def test_an_added_stage_is_told_by_its_objectives(compiled):
    """Where one arm was trained on from the other, the factor is what came on top."""
    (factor,) = contrast(compiled, "sft_dpo", "base").factors

    assert (factor.first, factor.second) == ("sft, then dpo", "no further training")


def test_a_group_of_factors_claims_all_in_it(compiled):
    """`data.preferences` isolates everything about the pairs, and nothing else."""
    table = contrast(compiled, "sft_dpo_uniform", "sft_dpo", "data.preferences")
    assert not table.leftover
    assert not table.idle

    assert {f.name for f in contrast(compiled, "sft_dpo_uniform", "sft_dpo", "data.preferences.rejected").leftover} == {
        "data.preferences.labels"
    }


def test_what_is_not_claimed_is_left_over(compiled):
    """A factor beside the claimed one is a confound."""
    table = contrast(compiled, "sft_dpo_hard", "dpo_only", "from")

    assert {factor.name for factor in table.leftover} == {"train.beta"}


def test_what_is_isolated_and_equal_is_idle(compiled):
    """A factor that the claim isolates and that does not differ is told apart."""
    assert contrast(compiled, "sft_dpo", "dpo_only", "from, prompt").idle == ("prompt",)
