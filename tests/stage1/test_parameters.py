"""What is told apart in a comparison of runs: the settings in which the arms of a plan differ."""

from __future__ import annotations

from compiler import compile_spec
from stage1.parameters import what_varies
from stage1.world import DiskWorld

SPEC = """
experiment: demo
seeds: [1]
data: {preferences: {chosen: {from: sft}}}
recipes: {sft: {objective: sft}, dpo: {objective: dpo}}
arms:
  base: {}
  sft: {train: sft}
  sft_dpo: {from: sft, train: dpo}
  sft_dpo_trl: {from: sft, train: {use: dpo, engine: trl, sft_weight: 0.5}}
"""


def test_a_setting_that_was_left_alone_has_its_value() -> None:
    """Beside an arm that sets it, another trained arm shows what it was trained with; an untrained one shows none."""
    plan = compile_spec("spec.yaml", SPEC, (), DiskWorld()).plan
    assert plan is not None

    varies = what_varies(plan)

    assert {arm: varies[arm]["engine"] for arm in varies} == {
        "base": "none", "sft/1": "stage1", "sft_dpo/1": "stage1", "sft_dpo_trl/1": "trl",
    }  # fmt: skip
    assert varies["sft_dpo/1"]["sft_weight"] == "0.0"
    assert "loss" not in varies["sft_dpo/1"]


def test_what_all_trained_arms_share_is_no_column() -> None:
    """An untrained arm has no batch size; that alone makes it no difference worth showing. Where an arm comes from always is."""
    plan = compile_spec("spec.yaml", SPEC, (), DiskWorld()).plan
    assert plan is not None

    varies = what_varies(plan)

    assert not varies["sft/1"].keys() & {"batch_size", "max_length", "schedule", "weight_decay", "micro_batch_size"}
    assert [varies[arm]["from"] for arm in ("base", "sft/1", "sft_dpo/1")] == ["none", "base model", "sft"]
    assert [varies[arm]["objective"] for arm in ("base", "sft/1", "sft_dpo/1")] == ["none", "sft", "dpo"]
    assert [varies[arm]["beta"] for arm in ("base", "sft/1", "sft_dpo/1")] == ["none", "none", "0.1"]
