"""`vary`: one arm becomes a grid of arms."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compiler.expand import expand
from compiler.expand.naming import LONGEST
from compiler.source.reading import read
from compiler.source.text import SourceText

HEAD = """experiment: demo
seeds: [1]
data: {preferences: {chosen: {from: sft}}}
recipes: {sft: {objective: sft}, dpo: {objective: dpo}}
arms:
  sft: {train: sft}
"""


def names(vary, arm="a"):
    """What an arm with this `vary` becomes."""
    tree, _ = read(SourceText("spec.yaml", f"arms: {{{arm}: {{train: sft, vary: {vary}}}}}"))
    return expand(tree).varied.get(arm)


@pytest.mark.parametrize(
    ("vary", "made"),
    [
        ("{train.beta: [0.05, 0.1, 3e-1]}", ("a_beta_0.05", "a_beta_0.1", "a_beta_0.3")),
        ("{train.learning_rate: [5.0e-6, 1e-4, 1]}", ("a_learning_rate_5e-6", "a_learning_rate_0.0001", "a_learning_rate_1")),
        ("{prompt: [few-shot, raw, null]}", ("a_prompt_few-shot", "a_prompt_raw", "a_prompt_null")),
        ("{train.epochs: [1, 2], train.beta: [3]}", ("a_epochs_1_beta_3", "a_epochs_2_beta_3")),
        ("{from: [x, y], data.demonstrations.from: [z]}", ("a_from_x_demonstrations_from_z", "a_from_y_demonstrations_from_z")),
        ("{train: {beta: [1]}}", ("a_beta_1",)),
        ("{data.preferences.rejected: [uniform, {off_topic: 1}]}", ("a_rejected_uniform", "a_rejected_off_topic-1")),
        ("{from: ['ä/ö', 'ü!']}", ("a_from_1", "a_from_2")),
        ("{train.beta: [-0.1, 0.1]}", ("a_beta_-0.1", "a_beta_0.1")),
    ],
)
def test_names_say_what_was_varied(vary, made):
    """Setting and value, in the order in which they were written."""
    assert names(vary) == made


SCALARS = st.one_of(
    st.integers(-(10**9), 10**9),
    st.floats(allow_nan=False, allow_infinity=False),
    st.booleans(),
    st.text("aZ_-. é/", max_size=40),
)


@settings(deadline=None, max_examples=80)
@given(st.lists(SCALARS, min_size=1, max_size=6, unique_by=repr), st.sampled_from(["a", "a" * LONGEST]))
def test_names_are_unique_and_accepted_everywhere(values, arm):
    """Whatever the values: as many names as values, of characters that file names, step ids and trackers take, never too long."""
    import json

    made = names(f"{{train.x: {json.dumps(values)}}}", arm)
    if made is None:  # 1 and 1.0 are the same value
        return
    assert len(set(made)) == len(values)
    assert all(re.fullmatch(r"[A-Za-z0-9_.\-]{1,80}", name) for name in made)


def test_a_varied_arm_is_what_it_would_be_written_out(compiled):
    """The plan of a grid is the plan of its arms written one by one."""
    varied = compiled(HEAD + "  d: {from: sft, train: {use: dpo, epochs: 2}, vary: {train.beta: [0.05, 0.2]}}\n")
    written = compiled(
        HEAD
        + "  d_beta_0.05: {from: sft, train: {use: dpo, epochs: 2, beta: 0.05}}\n"
        + "  d_beta_0.2: {from: sft, train: {use: dpo, epochs: 2, beta: 0.2}}\n"
    )

    assert varied.plan == written.plan
    assert varied.plan.spec_fingerprint == written.plan.spec_fingerprint


def test_a_setting_of_the_arm_is_replaced(compiled):
    """What is varied wins over what the arm says."""
    plan = compiled(HEAD + "  d: {from: sft, train: {use: dpo, beta: 9}, vary: {train.beta: [0.05]}}\n").plan

    assert plan.step("train/d_beta_0.05/seed-1").settings["recipe"]["beta"] == 0.05


def test_the_count_is_told(compiled):
    """The compilation notes into how many arms each varied one became."""
    found = compiled(HEAD + "  d: {from: sft, train: dpo, vary: {train.beta: [1, 2, 3], train.epochs: [1, 2, 3]}}\n")

    assert found.notes == (
        "arm `d` is varied into 9: d_beta_1_epochs_1, d_beta_1_epochs_2, d_beta_1_epochs_3, d_beta_2_epochs_1, "
        "d_beta_2_epochs_2, d_beta_2_epochs_3 and 3 more",
    )
    assert compiled(HEAD).notes == ()


def test_shared_steps_stay_shared(compiled):
    """A grid over DPO settings trains its SFT once and builds its pairs once."""
    plan = compiled(HEAD + "  d: {from: sft, train: dpo, vary: {train.beta: [1, 2, 3]}}\n").plan
    kinds = [step.kind for step in plan.steps]

    assert kinds.count("preferences") == kinds.count("reference") == 1
    assert kinds.count("train") == 4


def test_a_wrong_value_is_told_at_that_value(compiled):
    """The caret is under the one value of the list that is out of range."""
    (finding,) = compiled(HEAD + "  d: {from: sft, train: dpo, vary: {train.beta: [0.1, -2]}}\n").diagnostics

    assert finding.code == "S103"
    assert finding.place.text[finding.span.column - 1 : finding.span.end_column - 1] == "-2"


def test_an_arm_can_follow_a_varied_one(compiled):
    """The way out that the finding names works."""
    text = HEAD + "  d: {from: sft, train: dpo, vary: {train.beta: [1, 2]}}\n"
    (finding,) = compiled(text + "  e: {from: d, train: sft}\n").diagnostics

    assert (
        finding.help
        == "name one of `d_beta_1`, `d_beta_2`; or let this arm follow all of them: `vary: {from: [d_beta_1, d_beta_2]}`"
    )
    assert compiled(text + "  e: {train: sft, vary: {from: [d_beta_1, d_beta_2]}}\n").ok


def test_the_bound_is_exact_and_met_at_once(compiled):
    """2,000 arms are planned; a grid of 10^24 is refused before anything is written out."""
    fields = ", ".join(f"train.f{number}: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]" for number in range(24))
    started = time.process_time()
    (finding,) = compiled(HEAD + f"  d: {{from: sft, train: dpo, vary: {{{fields}}}}}\n").diagnostics

    assert finding.code == "S218"
    assert time.process_time() - started < 1
    assert len(names(f"{{train.x: {list(range(1, 2001))}}}")) == 2000
    assert names(f"{{train.x: {list(range(1, 2002))}}}") is None


def test_an_arm_too_large_to_be_repeated_is_refused():
    """Not only the number of arms is bounded, but all that they hold together."""
    tree, _ = read(SourceText("spec.yaml", f"arms: {{a: {{x: {list(range(9_000))}, vary: {{train.y: {list(range(200))}}}}}}}"))

    assert [finding.code for finding in expand(tree).findings] == ["S218"]
