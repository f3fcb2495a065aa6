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
