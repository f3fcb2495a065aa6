"""Strengthening a spec: its own text with what is missing, and nothing that stands against its claims any more."""

from __future__ import annotations

import re
from functools import partial

import pytest

from compiler.assessment import assess
from compiler.estimates import estimate
from compiler.strengthen import Costs, strengthen


@pytest.mark.parametrize("name", ["as_requested", "quickstart"])
@pytest.mark.parametrize("level", ["mvp", "publication"])
def test_a_strengthened_spec_is_a_go(name, level, root, compiled, power):
    """Planning the result shows no finding, at the level asked; each addition names a finding; comments of the original stay."""
    text = (root / "specs" / f"{name}.yaml").read_text().replace("level: mvp", f"level: {level}")

    made = strengthen(text, level, partial(compiled, power=None), power)
    found = compiled(made.text)

    assert made.added
    assert not made.left
    assert not found.diagnostics
    assert assess(found.design, found.findings).go
    comments = [line.strip() for line in text.splitlines() if line.strip().startswith("#")]
    assert all(comment in made.text for comment in comments)
    assert all(f"  {line.split('.')[1].split(' ')[0]}: " in made.text for line in made.added if line.startswith("arms."))


def test_each_addition_names_its_finding_and_what_it_costs_in_numbers(root, compiled, dict_world):
    """Beside an arm stand trainings, steps, tokens, FLOPs and time; above a flow mapping, what was changed in it."""
    text = (root / "specs" / "as_requested.yaml").read_text()

    def priced(plan):
        return Costs(plan, estimate(plan, "h200", None, None, dict_world()), "h200")

    lines = strengthen(text, "mvp", compiled, None, priced).text.splitlines()
    (arm,) = [line for line in lines if line.startswith("  sft_unmasked:")]
    (seeds,) = [line for line in lines if line.startswith("seeds:")]
    (claim,) = [line for line in lines if line.startswith("  sft_dpo_beats_sft_continued:")]

    assert re.search(
        r"# M001, for masking\w+; cost: 3 trainings \(225 steps, 90k tokens\), in all \w+ tokens, \S+ FLOPs, about .* h200", arm
    )
    assert "# M011, for " in seeds
    assert "was [1]; cost: 2" in seeds
    assert "cost: one more test (10 share alpha)" in claim
    assert lines[lines.index(next(line for line in lines if line.startswith("analysis:"))) - 1].startswith(
        "# analysis.correction: M024, for "
    )


def test_a_clean_spec_stays_as_it_is(root, compiled, power):
    """Where nothing is missing nothing is added."""
    assert not strengthen((root / "specs" / "stage1.yaml").read_text(), "publication", compiled, power).added


def test_what_cannot_be_added_is_left_to_a_person(root, compiled):
    """A confound by mistake has no addition that cures it."""
    text = (root / "specs" / "stage1.yaml").read_text().replace("isolates: [from]\n", "isolates: []\n", 1)

    assert [finding.code for finding in strengthen(text, "publication", compiled).left][:1] == ["M002"]


def test_a_spec_with_mistakes_of_language_is_refused(compiled):
    """There is nothing to strengthen before the language is right."""
    with pytest.raises(ValueError, match="language"):
        strengthen("experiment: demo\narmz: {}\n", "mvp", compiled)
