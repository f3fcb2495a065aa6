"""Steps: what is shared, what a change touches, and that settings hold only what changes a result."""

from __future__ import annotations

import itertools
import json
import random
from io import StringIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML
from ruamel.yaml.scalarstring import DoubleQuotedScalarString, SingleQuotedScalarString

from compiler import compile_spec
from compiler.plan import STEP_VERSIONS, fingerprint


def plan_of(text, *flags, compiled):
    """The plan of a text that is right."""
    found = compiled(text, *flags)
    assert found.ok, found.diagnostics
    return found.plan


def changed(before, after) -> set[str]:
    """The ids of the steps of `after` whose results `before` does not have."""
    known = {step.fingerprint for step in before.steps}
    return {step.id for step in after.steps if step.fingerprint not in known}


def test_a_fingerprint_is_the_hash_of_kind_version_settings_and_inputs(four_arms, compiled):
    """Nothing else goes into a step's identity: not its id, its arm, or the order in which it was made."""
    plan = plan_of(four_arms, compiled=compiled)

    for step in plan.steps:
        inputs = {role: plan.step(source).fingerprint for role, source in step.inputs.items()}
        identity = {"kind": step.kind, "version": STEP_VERSIONS[step.kind], "settings": step.settings, "inputs": inputs}
        assert step.fingerprint == fingerprint(identity)


def test_settings_that_came_later_leave_older_plans_alone(four_arms, compiled):
    """Written at the value that changes nothing, or left out: the same steps as before recipes knew of them."""
    plan = plan_of(four_arms, compiled=compiled)
    neutral = ("loss=sigmoid", "label_smoothing=0.0", "length_normalised=false", "sft_weight=0.0", "engine=stage1")

    again = plan_of(four_arms, *(f"recipes.dpo.{setting}" for setting in neutral), compiled=compiled)

    assert again.fingerprint == plan.fingerprint
    assert again.spec_fingerprint == plan.spec_fingerprint
    keys = set(plan.step("train/dpo_only/seed-1").settings["recipe"])
    assert not keys & {setting.partition("=")[0] for setting in neutral}


@pytest.mark.parametrize(
    "setting", ["loss=ipo", "label_smoothing=0.1", "length_normalised=true", "sft_weight=0.5", "engine=trl"]
)
def test_a_variant_trains_again_and_shares_its_data(setting, four_arms, compiled):
    """Only the arms of that recipe are trained and judged again; their pairs and reference stay."""
    plan = plan_of(four_arms, compiled=compiled)

    again = changed(plan, plan_of(four_arms, f"recipes.dpo.{setting}", compiled=compiled))

    assert {name.split("/")[0] for name in again} == {"train", "respond", "prefer", "score", "analyze"}
    assert {name.split("/")[1] for name in again if name.startswith("train/")} == {"sft_dpo", "dpo_only"}


def test_inputs_come_first_and_ids_are_unique(four_arms, compiled):
    """The order of a plan is one in which it can be carried out."""
    done = set()
    for step in plan_of(four_arms, compiled=compiled).steps:
        assert set(step.inputs.values()) <= done
        assert step.id not in done
        done.add(step.id)


def test_every_arm_and_seed_leads_to_its_steps(four_arms, compiled):
    """An untrained arm has one row without a seed; a trained one has a row per seed, with the checkpoint that answers."""
    plan = plan_of(four_arms, compiled=compiled)

    assert [(a.arm, a.seed) for a in plan.arms] == [
        ("base", None), *itertools.product(("sft", "sft_dpo", "dpo_only"), (1, 2, 3)),
    ]  # fmt: skip
    for entry in plan.arms:
        score = plan.step(entry.score)
        assert (score.inputs["answers"], score.inputs["logprobs"]) == (entry.respond, entry.prefer)
        assert plan.step(entry.respond).inputs.get("checkpoint") == entry.train
        assert plan.step(plan.analyze).inputs[f"score:{entry.arm}" + (f":{entry.seed}" if entry.seed else "")] == entry.score


def test_both_dpo_arms_of_a_seed_train_on_the_same_pairs(four_arms, compiled):
    """Seeds are nested and paired: the pairs of seed k are written by `sft` seed k and serve every DPO arm of seed k."""
    plan = plan_of(four_arms, compiled=compiled)

    for seed in (1, 2, 3):
        two, one = (plan.step(f"train/{arm}/seed-{seed}") for arm in ("sft_dpo", "dpo_only"))
        assert two.inputs["pairs"] == one.inputs["pairs"] == f"preferences/seed-{seed}"
        chosen = plan.step(f"preferences/seed-{seed}").inputs["chosen"]
        assert plan.step(chosen).inputs["checkpoint"] == f"train/sft/seed-{seed}"


def test_the_reference_is_the_parent_when_training_starts(four_arms, compiled):
    """After SFT the reference is the SFT model, never silently the base model."""
    plan = plan_of(four_arms, compiled=compiled)

    after_sft = plan.step(plan.step("train/sft_dpo/seed-1").inputs["reference"])
    from_base = plan.step(plan.step("train/dpo_only/seed-1").inputs["reference"])
    assert after_sft.inputs == {"pairs": "preferences/seed-1", "checkpoint": "train/sft/seed-1"}
    assert from_base.inputs == {"pairs": "preferences/seed-1"}


def test_a_seed_offset_trains_an_arm_again_with_other_seeds(four_arms, compiled):
    """Everything but the trainer's seed stays the same, so that the difference of two such arms is chance."""
    plan = plan_of(four_arms, "arms.again={from: base, train: {use: sft, seed_offset: 1000}}", compiled=compiled)

    for seed in (1, 2, 3):
        first, again = (plan.step(f"train/{arm}/seed-{seed}") for arm in ("sft", "again"))
        assert again.settings == first.settings | {"seed": 1000 + seed}
        assert again.inputs == first.inputs


def test_nothing_is_trained_before_the_gate(four_arms, compiled):
    """Trainings and the answers they learn from wait for the untrained arms' scores, which are no part of their identity."""
    plan = plan_of(four_arms, compiled=compiled)

    gate = plan.step("gate")
    assert gate.inputs == {"instructions": "instructions", "score:base": "score/base"}
    assert all(step.after == (("gate",) if step.kind in ("train", "generate") else ()) for step in plan.steps)
    order = [step.id for step in plan.steps]
    assert all(order.index("gate") < order.index(step.id) for step in plan.steps if step.after)


def test_without_an_untrained_arm_there_is_no_gate(four_arms, compiled):
    """Where no base rate is measured, nothing could be said before training, and nothing waits."""
    text = four_arms.replace("base: {}", "other: {train: sft}").replace("from: base", "from: null")
    plan = plan_of(text.replace(", base]", ", other]"), compiled=compiled)

    assert all(step.kind != "gate" and step.after == () for step in plan.steps)


DPO = {
    f"{kind}/{arm}/seed-{seed}"
    for kind in ("train", "respond", "prefer", "score")
    for arm in ("sft_dpo", "dpo_only")
    for seed in (1, 2, 3)
}


@pytest.mark.parametrize(
    ("flag", "touched"),
    [
        ("recipes.dpo.beta=0.3", DPO | {"analyze"}),
        ("evaluation.criteria=[addresses_instruction, proper_structure]", "score gate analyze"),
        ("evaluation.decode.max_new_tokens=100", "respond score gate analyze"),
        ("analysis.alpha=0.01", {"gate", "analyze"}),
        ("claims.dpo_aligns_after_sft.expect=different", {"gate", "analyze"}),
        ("evaluation.gate=stop", {"gate"}),
        ("claims.dpo_aligns_after_sft.says=something else", {"analyze"}),
        ("arms.base_raw={from: base, prompt: raw}", {"respond/base_raw", "score/base_raw", "gate", "analyze"}),
        ("data.preferences.pairs=400", "preferences reference dpo analyze"),
        ("runtime.generation_batch_size=4", set()),
        ("tracking.uri=sqlite:///elsewhere.db", set()),
        ("description=another", set()),
        ("experiment=another", set()),
        ("data.preferences.rejected=original", set()),
        ("seeds=[3, 1]", {"analyze"}),
    ],
)  # fmt: skip
def test_a_change_touches_exactly_what_depends_on_it(flag, touched, four_arms, compiled):
    """Edit one thing, and the steps to run again are those downstream of it, no more and no fewer."""
    before = plan_of(four_arms, compiled=compiled)
    after = plan_of(four_arms, flag, compiled=compiled)
    if isinstance(touched, str):
        kinds = set(touched.split())
        touched = {s.id for s in after.steps if s.kind in kinds} | (DPO if "dpo" in kinds else set())

    assert changed(before, after) == touched


def test_the_level_touches_the_analysis_alone(four_arms, compiled):
    """How strictly the method is judged changes no data, weights or answers. (Without claims, since theirs block publication.)"""
    before = plan_of(four_arms, "claims={}", compiled=compiled)
    after = plan_of(four_arms, "claims={}", "level=publication", compiled=compiled)

    assert changed(before, after) == {"analyze"}


@pytest.mark.parametrize(
    "flag",
    ["model.adapter.rank=8", "model.dtype=bfloat16", "data.instructions.seed=8", "data.instructions.train=100", "data.instructions.validation=5",
     "data.instructions.stratify=null", "data.demonstrations.few_shot=2", "data.demonstrations.decode.temperature=0.6",
     "data.preferences.chosen.decode.max_new_tokens=60", "data.preferences.rejected=uniform", "data.preferences.labels=shuffled",
     "recipes.sft.loss_on=all", "recipes.sft.epochs=3.5", "recipes.dpo.schedule=cosine", "recipes.dpo.warmup_ratio=0.2",
     "recipes.dpo.weight_decay=0.1", "recipes.dpo.max_grad_norm=0.5", "recipes.dpo.max_length=256", "recipes.sft.micro_batch_size=4",
     "arms.dpo_only.prompt=raw", "arms.sft_dpo.train={use: dpo, epochs: 2}", "evaluation.primary=[on_topic]", "analysis.smallest_effect=0.05",
     "claims.dpo_aligns_by_itself.kind=checkpoint", "seeds=[1, 2, 4]"],
)  # fmt: skip
def test_any_change_of_meaning_changes_the_plan(flag, four_arms, compiled):
    """Whatever changes a result changes the fingerprints of the plan and of the spec."""
    before, after = plan_of(four_arms, compiled=compiled), plan_of(four_arms, flag, compiled=compiled)

    assert before.fingerprint != after.fingerprint
    assert before.spec_fingerprint != after.spec_fingerprint


@pytest.mark.parametrize(
    "flag", ["runtime.generation_batch_size=4", "tracking.uri=sqlite:///elsewhere.db", "description=another"]
)
def test_what_changes_no_result_is_not_in_the_identity_of_a_spec(flag, four_arms, compiled):
    """How fast it runs, where it is recorded and what people call it are not preregistered."""
    before, after = plan_of(four_arms, compiled=compiled), plan_of(four_arms, flag, compiled=compiled)

    assert (before.fingerprint, before.spec_fingerprint) == (after.fingerprint, after.spec_fingerprint)


def shuffled(value, order: random.Random):
    """The same mapping with its keys in another order, all the way down."""
    if isinstance(value, dict):
        keys = list(value)
        order.shuffle(keys)
        return {requoted(key, order): shuffled(value[key], order) for key in keys}
    return [shuffled(item, order) for item in value] if isinstance(value, list) else requoted(value, order)


def requoted(value, order: random.Random):
    """The same text in other quotes."""
    return order.choice((str, SingleQuotedScalarString, DoubleQuotedScalarString))(value) if isinstance(value, str) else value


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 10**6), flow=st.booleans(), indent=st.integers(2, 7))
def test_formatting_never_changes_a_fingerprint(seed, flow, indent, four_arms, compiled):
    """Order of keys, quotes, block or flow style, indentation and comments mean nothing."""
    order, yaml, out = random.Random(seed), YAML(), StringIO()
    yaml.default_flow_style, yaml.width = flow, 10_000
    yaml.indent(mapping=indent, sequence=indent + 2, offset=indent)
    yaml.dump(shuffled(json.loads(json.dumps(YAML(typ="safe", pure=True).load(four_arms))), order), out)
    before, after = plan_of(four_arms, compiled=compiled), plan_of("# a comment\n" + out.getvalue(), compiled=compiled)

    assert {s.id: s.fingerprint for s in before.steps} == {s.id: s.fingerprint for s in after.steps}
    assert (before.fingerprint, before.spec_fingerprint) == (after.fingerprint, after.spec_fingerprint)


@pytest.mark.parametrize("ending", ["\r\n", "\r"])
def test_line_ends_and_a_byte_order_mark_mean_nothing(ending, four_arms, compiled):
    """Files saved on another system are the same spec."""
    before, after = (
        plan_of(four_arms, compiled=compiled),
        plan_of("\ufeff" + four_arms.replace("\n", ending), compiled=compiled),
    )

    assert before == after


def test_numbers_of_equal_value_are_equal(four_arms, compiled):
    """`3`, `3.0` and `30e-1` are the same number of epochs."""
    plans = [plan_of(four_arms, f"recipes.sft.epochs={n}", compiled=compiled) for n in ("3", "3.0", "30e-1")]

    assert plans[0] == plans[1] == plans[2]


def test_an_override_equal_to_the_recipe_changes_no_step(four_arms, compiled):
    """An arm that repeats what its recipe says anyway needs nothing of its own."""
    before = plan_of(four_arms, compiled=compiled)
    after = plan_of(
        four_arms,
        "arms.sft_dpo.train={use: dpo, beta: 0.1}",
        "arms.sft_dpo.data={preferences: {pairs: 500}}",
        compiled=compiled,
    )

    assert changed(before, after) == set()


def test_other_weights_or_instructions_under_the_same_name_are_other_steps(four_arms, compiled, dict_world):
    """What a spec refers to is identified by its contents."""
    other = compile_spec("spec.yaml", four_arms, (), dict_world(models={"tiny-base": "retrained"})).plan
    assert changed(plan_of(four_arms, compiled=compiled), other) == {
        s.id for s in other.steps if s.kind not in ("instructions", "heldout_pairs")
    }

    text = "experiment: demo\ndata: {instructions: {source: a.jsonl, train: 1, validation: 0, heldout: 1}}\narms: {base: {}}\n"
    lines = '{"id": "a", "kind": "qa", "instruction": "A?"}\n{"id": "b", "kind": "qa", "instruction": "B?"}\n'
    one, two = (compiled(text, files={"a.jsonl": content}).plan for content in (lines, lines.replace("B?", "C?")))
    assert changed(one, two) == {s.id for s in two.steps}


def test_a_long_chain_of_arms_is_lowered(compiled):
    """Arms may start from arms for thousands of stages: nothing here depends on the stack."""
    arms = "".join(f"  a{i}: {{from: a{i - 1}, train: sft}}\n" for i in range(1, 1500))
    claim = "claims: {c: {says: more helps, compare: [a1499, a1], expect: greater, on: [on_topic], isolates: [train]}}\n"
    text = f"experiment: demo\nseeds: [1]\nrecipes: {{sft: {{objective: sft}}}}\narms:\n  a0: {{}}\n{arms}{claim}"

    plan = plan_of(text, compiled=compiled)

    assert plan.step("train/a1499/seed-1").inputs["checkpoint"] == "train/a1498/seed-1"


def test_many_arms_share_what_they_can(compiled):
    """A thousand betas need one set of pairs and one reference per seed."""
    arms = "".join(f"  a{i}: {{from: sft, train: {{use: dpo, beta: {i / 1000}}}}}\n" for i in range(1, 1001))
    text = (
        "experiment: demo\nseeds: [1, 2]\ndata: {preferences: {chosen: {from: sft}}}\n"
        f"recipes: {{sft: {{objective: sft}}, dpo: {{objective: dpo}}}}\narms:\n  sft: {{train: sft}}\n{arms}"
    )

    kinds = [step.kind for step in plan_of(text, "arms.a100.train.beta=0.0999", compiled=compiled).steps]

    assert (kinds.count("train"), kinds.count("preferences"), kinds.count("reference")) == (2002, 2, 2)


def test_the_analysis_is_told_who_builds_on_whom(four_arms, compiled):
    """Nested lineages: seed k of a DPO arm builds on seed k of the arm it starts from and of the arm that wrote its chosen answers."""
    flags = ("arms.sft_raw={from: sft, prompt: raw}", "arms.longer={from: sft, train: {use: sft, match: {tokens: sft_dpo}}}")
    analyze = plan_of(four_arms, *flags, compiled=compiled).step("analyze")

    assert analyze.settings["lineage"] == {
        "sft": [],
        "sft_dpo": ["sft"],
        "dpo_only": ["sft"],
        "sft_raw": ["sft"],
        "longer": ["sft"],
    }
    trained = {arm: [1, 2, 3] for arm in ("sft", "sft_dpo", "dpo_only", "sft_raw", "longer")}
    assert analyze.settings["arms"] == {"base": [None], **trained}


def test_the_analysis_is_told_the_confounds(four_arms, compiled):
    """What a claim does not isolate goes with it into the verdict, whether it isolates too little or says nothing about it."""
    flags = (
        "recipes.sft.epochs=3",
        "arms.dpo_only.train={use: dpo, learning_rate: 1.0e-3}",
        "claims.sft_follows_instructions.isolates=[]",
    )
    found = compiled(four_arms, *flags)
    claims = {claim["name"]: claim for claim in found.plan.step("analyze").settings["claims"]}

    assert claims["two_stages_beat_dpo_only"]["confounds"] == [
        {"factor": "train.learning_rate", "severity": "blocks", "detail": "sft_dpo `0.0005`, dpo_only `0.001`"}
    ]
    assert [c["severity"] for c in claims["sft_follows_instructions"]["confounds"]] == ["blocks"]
    assert not [c for c in claims["dpo_aligns_after_sft"]["confounds"] if not c["factor"].startswith("M")]
    assert claims["sft_follows_instructions"]["on"] == ["addresses_instruction", "proper_structure"]
    assert [d.code for d in found.diagnostics if d.code == "M002"] == ["M002", "M002"]
