"""The verdicts of a run rest on what its plan said: the analysis is told what stands against each claim."""

from __future__ import annotations

from pathlib import Path

import pytest

from compiler.assessment import assess

SPECS = Path(__file__).parents[2] / "specs"
CASES = Path(__file__).parents[1] / "cases" / "wrong"
DESIGNS = [*sorted(SPECS.glob("*.yaml")), *sorted(CASES.glob("method_*.yaml"))]


def told(plan) -> dict[str, list[dict]]:
    """Per claim, what the analysis is told."""
    return {claim["name"]: claim["confounds"] for claim in plan.step("analyze").settings["claims"]}


def files_of(text: str) -> dict[str, str]:
    """The files that a case brings along."""
    lines = [line for line in text.splitlines() if line.startswith("# |")]
    names = [line.removeprefix("# file: ").split("  #")[0] for line in text.splitlines() if line.startswith("# file: ")]
    return {names[0]: "".join(line.removeprefix("# |").strip().split("  #")[0] + "\n" for line in lines)} if names else {}


@pytest.mark.parametrize("path", DESIGNS, ids=lambda path: path.stem)
def test_plan_and_verdict_agree(path, compiled):
    """A claim is confounded in the verdict exactly if the review calls it so; one that nothing can test is told as such."""
    found = compiled(path.read_text(), files=files_of(path.read_text()))
    review = assess(found.design, found.findings)

    for claim in review.claims:
        against = told(found.plan)[claim.claim]
        codes = {confound["factor"] for confound in against if confound["severity"] == "blocks"}

        if claim.state == "not testable":
            missing = set(found.spec.claims[claim.claim].compare) - set(found.spec.arms)
            assert missing or "M001" in codes
        else:
            assert bool(codes) == (claim.state == "confounded"), claim


def test_the_quickstart_is_judged_as_its_plan_says(root, compiled):
    """Two stages against one are confounded by compute, exposure and policy; what depends on simulation is not told."""
    found = told(compiled((root / "specs" / "quickstart.yaml").read_text()).plan)

    assert [c["factor"] for c in found["two_stages_beat_dpo_only"]] == ["M003", "M004", "M006", "M007"]
    assert [c["factor"] for c in found["dpo_aligns_by_itself"]] == ["M005"]
    assert not [c for confounds in found.values() for c in confounds if c["factor"] == "M013"]


def test_a_clean_design_has_nothing_against_it(root, compiled):
    """Every claim of the full design is judged by its results alone."""
    assert not any(told(compiled((root / "specs" / "full.yaml").read_text()).plan).values())


def test_only_the_analysis_changes(root, compiled):
    """What stands against a claim is part of the analysis' identity and of no other step's."""
    text = (root / "specs" / "quickstart.yaml").read_text()
    before, after = (compiled(text, *flags).plan for flags in ((), ("claims.dpo_aligns_by_itself.isolates=[from]",)))

    assert told(before) != told(after)
    assert {s.id for s in before.steps if s.fingerprint != after.step(s.id).fingerprint} == {"analyze"}
