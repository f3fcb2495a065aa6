"""`compile_spec` as a whole: all mistakes at once, no cascades, and a world that is only asked what is needed."""

from __future__ import annotations

import subprocess
import sys

import pytest

from compiler import compile_spec
from compiler.language.base import overlaid
from compiler.language.data import Preferences


class CountingWorld:
    """Answers like a laptop, and remembers what it was asked."""

    def __init__(self):
        self.asked = []

    def read_text(self, path):
        self.asked.append(("read_text", path))
        raise FileNotFoundError(2, "No such file or directory")

    digest_file = read_text

    def digest_model(self, base):
        self.asked.append(("digest_model", base))
        return "weights"

    def installed_criteria(self):
        self.asked.append(("installed_criteria",))
        return ()

    def held_out(self, instructions):
        self.asked.append(("held_out", instructions))


def test_the_world_is_asked_only_what_is_needed(four_arms):
    """The bank needs no file, and large weights are hashed once."""
    world = CountingWorld()

    assert compile_spec("spec.yaml", four_arms, [], world).ok
    assert world.asked == [("digest_model", "tiny-base")]


def test_mistakes_of_all_families_come_at_once(compiled):
    """Reading, shape, names, files, flags: one round of repairs, not five."""
    text = """
experiment: demo
seeds: [1, 1]
seeds: [2]
model: {base: ./nowhere, adaptor: null}
data: {instructions: {source: gone.jsonl}, preferences: {rejected: {off_topic: 0.4}}}
recipes: {sft: {objective: sft, epochs: 0}}
arms:
  base: {}
  sft: {from: bsae, train: sfft}
  other: {from: sft}
claims:
  c: {says: x, compare: [sft, base], expect: better, isolates: [form]}
"""
    codes = [d.code for d in compiled(text, "level=high", "x").diagnostics]

    assert sorted(codes) == sorted(
        [
            "S005",
            "S108",
            "S305",
            "S104",
            "S301",
            "S107",
            "S103",
            "S214",
            "S201",
            "S202",
            "S208",
            "S105",
            "S205",
            "S206",
            "S105",
            "S401",
        ]
    )


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("experiment: demo\nrecipes: {sft: {objective: stf}}\narms: {base: {}, sft: {from: base, train: sft}}\n", ["S105"]),
        ("experiment: demo\nrecipes: {sft: {objective: sft}}\narms: {base: {}, sft: {from: base, trian: sft}}\n", ["S104"]),
        ("experiment: demo\nrecipes: {dpo: {objective: dpo}}\narms: {dpo: {train: dpo}}\ndata: {preferences: {chosen: {form: dpo}}}\n", ["S104"]),
        ("experiment: demo\narms: {base: [], raw: {from: base, prompt: raw}}\n", ["S102"]),
        ("experiment: demo\narms: {base: {}, raw: {from: base, prompt: rwa}}\n", ["S105"]),
        ("experiment: demo\narms: 3\nclaims: {c: {says: x, compare: [a, b], expect: less, on: [on_topic]}}\n", ["S102"]),
        ("experiment: demo\nevaluation: {primary: [topic]}\narms: {a: {}, b: {prompt: raw}}\n"
         "claims: {c: {says: x, compare: [a, b], expect: less, isolates: [prompt]}}\n", ["S105"]),
    ],
)  # fmt: skip
def test_a_mistake_is_told_once_and_not_by_what_follows_from_it(text, codes, compiled):
    """What was written wrongly is not reported again as missing, unused or unknown."""
    assert sorted(d.code for d in compiled(text).diagnostics) == sorted(codes)


def test_an_alias_with_a_mistake_is_told_at_its_origin_once_each(compiled):
    """A wrong key in something repeated is shown where it was written."""
    found = compiled(
        "experiment: demo\nrecipes:\n  a: &a {objective: sft, x: 1}\n  b: *a\narms: {one: {train: a}, two: {train: b}}\n"
    )

    assert {(d.code, str(d.place)) for d in found.diagnostics if d.severity == "error"} == {("S104", "spec.yaml:3:26")}


def test_a_flag_that_overrides_a_mistake_repairs_it(compiled):
    """Flags replace what the file says before it is checked."""
    text = "experiment: demo\nlevel: hihg\narms: {base: {}}\n"

    assert [d.code for d in compiled(text).diagnostics] == ["S105"]
    assert compiled(text, "level=mvp").ok


def test_a_flag_changes_only_what_it_names(compiled):
    """Setting a value under an alias leaves the other places of that alias alone."""
    text = (
        "experiment: demo\nseeds: [1]\nrecipes:\n  a: &a {objective: sft}\n  b: *a\narms: {one: {train: a}, two: {train: b}}\n"
    )

    plan = compiled(text, "recipes.b.epochs=9").plan

    assert [plan.step(f"train/{arm}/seed-1").settings["recipe"]["epochs"] for arm in ("one", "two")] == [3.0, 9.0]


def test_mistakes_are_told_in_the_order_of_the_text(compiled):
    """The file from top to bottom, then the flags one by one."""
    found = compiled("arms: {base: {x: 1}}\nexperiment: demo\nlevel: x\n", *[f"a{i}=1" for i in range(12)])

    places = [
        (d.source != "spec.yaml", int(d.source[6:-1]) if d.source != "spec.yaml" else 0, d.span) for d in found.diagnostics
    ]
    assert len(places) == 14
    assert places == sorted(places)


def test_a_spec_is_there_whenever_its_shape_is_right(compiled):
    """Tools may look at a spec whose arms do not fit together, but never at half of one."""
    assert compiled("experiment: demo\narms: {a: {from: b, prompt: raw}}\n").spec is not None
    assert compiled("experiment: demo\narms: {a: {x: 1}}\n").spec is None


def test_overlaid_parts_keep_what_is_not_given():
    """Mappings are overlaid key by key, as deep as they go; mixes are replaced whole; nothing is changed in place."""
    base = Preferences.model_validate(
        {"pairs": 9, "chosen": {"from": "a", "decode": {"temperature": 0.5}}, "rejected": {"off_topic": 1.0}}
    )
    over = Preferences.model_validate({"chosen": {"decode": {"max_new_tokens": 5}}, "rejected": {"verbose_vague": 1.0}})

    found = overlaid(base, over)

    assert found.model_dump(by_alias=True) == {
        "pairs": 9,
        "chosen": {"from": "a", "decode": {"temperature": 0.5, "max_new_tokens": 5}},
        "rejected": {"verbose_vague": 1.0},
        "labels": "true",
    }
    assert base.chosen.decode.max_new_tokens == 80


def test_the_compiler_imports_nothing_heavy():
    """Compiling, explaining and showing leave training libraries and the tracker unloaded."""
    code = (
        "import sys, compiler, compiler.catalogue, compiler.render, compiler.explain_plan\n"
        "heavy = {'torch', 'lightning', 'transformers', 'mlflow', 'peft', 'numpy', 'scipy'} & set(sys.modules)\n"
        "sys.exit(', '.join(sorted(heavy)))\n"
    )

    assert subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True).stderr.strip() == ""
