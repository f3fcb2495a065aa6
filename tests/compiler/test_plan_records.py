"""The plan as a record: complete, and the same after a trip through a file."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compiler.plan import Plan, fingerprint


def test_a_plan_survives_a_file(four_arms, compiled):
    """What is written as JSON is read back equal: `run` needs nothing else."""
    plan = compiled(four_arms).plan
    plan.step("analyze")

    assert Plan.model_validate_json(plan.model_dump_json()) == plan
    assert "_by_id" not in json.loads(plan.model_dump_json())


def test_a_plan_made_by_the_compiler_is_valid(four_arms, compiled):
    """The compiler builds steps without validation, for speed; they pass it."""
    plan = compiled(four_arms).plan

    assert Plan.model_validate(plan.model_dump()) == plan


def test_a_step_is_found_by_its_id(four_arms, compiled):
    """Looking for a step that is not there is a KeyError."""
    plan = compiled(four_arms).plan

    assert plan.step("train/sft/seed-1").kind == "train"
    with pytest.raises(KeyError):
        plan.step("train/sft/seed-9")


def test_the_resolved_spec_in_a_plan_compiles_to_the_same_plan(four_arms, compiled):
    """The preregistered spec, all defaults written out, means the same as the spec it came from."""
    flags = ("arms.short={from: sft, train: {use: dpo, epochs: 0.5}, data: {preferences: {rejected: uniform}}}",)
    plan = compiled(four_arms, *flags).plan
    again = compiled(json.dumps(plan.spec)).plan

    assert again == plan


JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
                    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.text(), below, max_size=3), max_leaves=10)  # fmt: skip


@given(JSON)
def test_a_fingerprint_depends_on_the_value_alone(value):
    """Neither the order of keys nor a trip through JSON changes a fingerprint."""
    assert fingerprint(value) == fingerprint(json.loads(json.dumps(value)))
    assert len(fingerprint(value)) == 64


def test_what_has_no_canonical_json_has_no_fingerprint():
    """NaN is not equal to itself; it cannot identify anything."""
    with pytest.raises(ValueError, match="JSON compliant"):
        fingerprint({"x": math.nan})
