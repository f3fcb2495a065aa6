"""`plan` says per step what becomes of it, and why."""

from __future__ import annotations

import json

import pytest

from compiler.explain_plan import explain_plan
from compiler.plan import STEP_VERSIONS


def outlook(four_arms, compiled, *flags, complete=None):
    """What becomes of each step when the spec, once carried out, is changed."""
    before, after = compiled(four_arms).plan, compiled(four_arms, *flags).plan
    known = {step.fingerprint for step in before.steps} if complete is None else complete
    return {step.id: step for step in explain_plan(after, known, before).steps}


def test_at_first_everything_is_new(four_arms, compiled):
    """With nothing in the store and no plan before, every step runs because it is new."""
    found = explain_plan(compiled(four_arms).plan, set())

    assert {(step.action, step.why) for step in found.steps} == {("run", "new")}


def test_the_second_time_nothing_runs(four_arms, compiled):
    """Everything complete is reused."""
    assert {(s.action, s.why) for s in outlook(four_arms, compiled).values()} == {("reuse", "complete")}


def test_what_was_interrupted_is_not_complete_yet(four_arms, compiled):
    """The same plan with an empty store: planned before, not finished."""
    assert {s.why for s in outlook(four_arms, compiled, complete=set()).values()} == {"not complete yet"}


@pytest.mark.parametrize(
    ("flags", "step", "why"),
    [
        (["recipes.dpo.beta=0.3"], "train/dpo_only/seed-1", "recipes.dpo.beta 0.1 -> 0.3"),
        (["recipes.dpo.beta=0.3"], "respond/dpo_only/seed-1", "train/dpo_only/seed-1 changes"),
        (["arms.dpo_only.train={use: dpo, epochs: 2}"], "train/dpo_only/seed-1", "arms.dpo_only.train.epochs 1.0 -> 2.0"),
        (["recipes.dpo.loss=ipo"], "train/dpo_only/seed-1", "recipes.dpo.loss sigmoid -> ipo"),
        (["recipes.sft.engine=trl"], "train/sft/seed-1", "recipes.sft.engine stage1 -> trl"),
        (["arms.dpo_only.prompt=raw"], "respond/dpo_only/seed-1", "arms.dpo_only.prompt instruction -> raw"),
        (["data.instructions.seed=8"], "instructions", "data.instructions.seed 7 -> 8"),
        (["data.demonstrations.few_shot=2"], "generate/base/few-shot", "data.demonstrations.few_shot 4 -> 2"),
        (["data.demonstrations.decode.temperature=0.6"], "generate/base/few-shot", "data.demonstrations.decode.temperature 0.5 -> 0.6"),
        (["data.preferences.chosen.decode.max_new_tokens=60"], "generate/sft/seed-1", "data.preferences.chosen.decode.max_new_tokens 80 -> 60"),
        (["data.preferences.pairs=400"], "preferences/seed-1", "data.preferences.pairs 500 -> 400"),
        (["data.preferences.pairs=400"], "reference/sft/seed-1", "preferences/seed-1 changes"),
        (["data.preferences.labels=shuffled"], "preferences/seed-2", "data.preferences.labels true -> shuffled"),
        (["evaluation.decode.max_new_tokens=99"], "respond/base", "evaluation.decode.max_new_tokens 150 -> 99"),
        (["model.adapter.rank=8"], "train/sft/seed-1", "model.adapter.rank 16 -> 8"),
        (["model.adapter=null"], "train/sft/seed-1", "model.adapter {rank: 16, alpha: 32.0, dropout: 0.0, targets: all-linear} -> null"),
        (["seeds=[1, 2]"], "analyze", "seeds [1, 2, 3] -> [1, 2]"),
        (["claims.dpo_aligns_by_itself.expect=less"], "analyze", "claims.dpo_aligns_by_itself.expect greater -> less"),
        (["analysis.alpha=0.01"], "analyze", "analysis.alpha 0.05 -> 0.01"),
        (["arms.other={from: base, prompt: raw}"], "respond/other", "new"),
        (["arms.other={from: base, prompt: raw}"], "analyze", "arms.other is new"),
    ],
)  # fmt: skip
def test_a_change_is_called_by_its_name_in_the_spec(flags, step, why, four_arms, compiled):
    """The setting is named as it is written in the spec, with its value before and after; further down, the step that changes."""
    assert outlook(four_arms, compiled, *flags)[step].why.startswith(why)


def test_data_of_one_arm_are_named_under_that_arm(four_arms, compiled):
    """An arm's own data are called by their path under the arm."""
    own = "arms.dpo_only.data={preferences: {rejected: uniform}}"
    before, after = compiled(four_arms, own).plan, compiled(four_arms, own.replace("uniform", "random")).plan

    found = {s.id: s.why for s in explain_plan(after, set(), before).steps}

    assert found["preferences/dpo_only/seed-1"].startswith(
        "arms.dpo_only.data.preferences.rejected {unwarranted_refusal: 0.2, "
    )
    assert found["preferences/dpo_only/seed-1"].endswith(" -> random")


def test_a_new_version_of_a_step_is_a_reason(four_arms, compiled, monkeypatch):
    """When this project's code changes what a step makes, its version says so."""
    before = compiled(four_arms).plan
    monkeypatch.setitem(STEP_VERSIONS, "score", (old := STEP_VERSIONS["score"]) + 1)
    after = compiled(four_arms).plan

    found = {s.id: s.why for s in explain_plan(after, {s.fingerprint for s in before.steps}, before).steps}

    assert found["score/base"] == f"version of `score` {old} -> {old + 1}"
    assert found["respond/base"] == "complete"


def test_the_outlook_is_plain_data(four_arms, compiled):
    """Counts per kind and all steps go through JSON unchanged."""
    before, after = compiled(four_arms).plan, compiled(four_arms, "recipes.dpo.beta=0.3").plan
    found = explain_plan(after, {s.fingerprint for s in before.steps}, before).to_json()

    assert found["counts"]["train"] == {"reuse": 3, "run": 6}
    assert json.loads(json.dumps(found))["counts"] == found["counts"]
    (train,) = [s for s in found["steps"] if s["id"] == "train/sft_dpo/seed-1"]
    assert train["changes"] == ({"name": "recipes.dpo.beta", "old": 0.1, "new": 0.3, "what": "changed"},)
