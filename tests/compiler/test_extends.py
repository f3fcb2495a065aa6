"""`extends`: one spec laid over another, every value with its own place."""

from __future__ import annotations

import pytest

from compiler import compile_spec

BASE = """experiment: base
seeds: [1]
recipes: {sft: {objective: sft, epochs: 2}}
arms: {base: {}, sft: {from: base, train: sft}}
"""


@pytest.fixture
def planned(dict_world):
    """Compiles a spec in a folder `mine/` beside other files."""

    def planned(text, *flags, path="mine/spec.yaml", **files):
        return compile_spec(path, text, flags, dict_world({"mine/base.yaml": BASE, **files}))

    return planned


def test_a_spec_that_changes_nothing_is_the_one_it_extends(planned):
    """Only what is written differs, so nothing written is the same plan."""
    assert planned("extends: base.yaml\n").plan == planned(BASE).plan


def test_what_is_inherited_is_not_distinguished_from_what_is_written(planned):
    """Splitting a spec into two files changes no fingerprint."""
    head, tail = BASE.split("recipes:")
    split = planned("extends: head.yaml\nrecipes:" + tail, **{"mine/head.yaml": head})

    assert split.plan.fingerprint == planned(BASE).plan.fingerprint
    assert split.plan.spec_fingerprint == planned(BASE).plan.spec_fingerprint


@pytest.mark.parametrize("named", ["../shared/base.yaml", "./../shared/base.yaml"])
def test_paths_are_seen_from_the_file_that_names_them(named, planned):
    """Each file of a chain names the next one from where it lies."""
    files = {"shared/base.yaml": "extends: deep/er.yaml\nseeds: [4]\n", "shared/deep/er.yaml": BASE}

    assert planned(f"extends: {named}\n", **files).spec.seeds == (4,)


def test_lists_and_mixes_are_taken_whole(planned):
    """A list is not appended to, and shares of an inherited mix do not linger."""
    base = BASE + "data: {preferences: {rejected: {off_topic: 0.4, verbose_vague: 0.6}}}\n"
    spec = planned(
        "extends: more.yaml\nseeds: [7, 8]\ndata: {preferences: {rejected: {off_topic: 1}}}\n", **{"mine/more.yaml": base}
    ).spec

    assert spec.seeds == (7, 8)
    assert spec.data.preferences.rejected == {"off_topic": 1.0}


def test_null_leaves_out_an_arm_but_stays_a_value_elsewhere(planned):
    """`arms.sft: null` removes the arm; `model.adapter: null` means no adapter."""
    spec = planned("extends: base.yaml\narms: {sft: null}\nrecipes: {sft: null}\nmodel: {adapter: null}\n").spec

    assert set(spec.arms) == {"base"}
    assert not spec.recipes
    assert spec.model.adapter is None


def test_flags_apply_after_everything(planned):
    """`--set` wins over the spec and over what it extends."""
    plan = planned("extends: base.yaml\nrecipes: {sft: {epochs: 5}}\n", "recipes.sft.epochs=9").plan

    assert plan.step("train/sft/seed-1").settings["recipe"]["epochs"] == 9


def test_a_wrong_inherited_value_is_shown_with_both_places(planned):
    """The finding stands where the value was written; its notes lead from there to the spec that was planned."""
    files = {"mine/base.yaml": "extends: core.yaml\n" + BASE, "mine/core.yaml": "analysis: {alpha: 5}\n"}
    (finding,) = planned("# mine\nextends: base.yaml\n", **files).diagnostics

    assert str(finding.place) == "mine/core.yaml:1:19"
    assert finding.place.text == "analysis: {alpha: 5}"
    assert finding.notes[1:] == (
        "inherited through `extends` at mine/base.yaml:1:10",
        "inherited through `extends` at mine/spec.yaml:2:10",
    )


def test_mistakes_of_yaml_in_the_extended_file_stand_there(planned):
    """A file that cannot be parsed is shown at the line that is wrong."""
    (finding,) = planned("extends: base.yaml\n", **{"mine/base.yaml": "experiment: demo\nseeds: [1\n"}).diagnostics

    assert (finding.code, finding.source) == ("S001", "mine/base.yaml")


def test_a_long_chain_ends(dict_world):
    """However many files extend each other without a circle, reading them ends with one finding."""
    files = {f"s{number}.yaml": f"extends: s{number + 1}.yaml\n" for number in range(60)}
    found = compile_spec("s0.yaml", files["s0.yaml"], [], dict_world(files))

    assert [finding.code for finding in found.diagnostics] == ["S309"]


def test_a_file_is_recognized_however_its_path_is_written(planned):
    """`./x/../spec.yaml` is the spec itself."""
    found = planned("extends: ./x/../spec.yaml\n", **{"mine/spec.yaml": "extends: ./x/../spec.yaml\n"})

    assert [finding.code for finding in found.diagnostics] == ["S309"]


def test_an_anchor_of_another_file_is_unknown(planned):
    """Anchors do not reach over files, so that a file means the same wherever it is extended."""
    found = planned(
        "extends: more.yaml\nmodel: {adapter: *small}\n", **{"mine/more.yaml": "x: &small {rank: 2}\n" + BASE}
    ).diagnostics

    assert "S009" in {finding.code for finding in found}
