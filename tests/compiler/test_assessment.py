"""The method review of the shipped specs: what a reviewer must be told, and when it is go."""

from __future__ import annotations

import json

import pytest

from compiler.assessment import assess
from compiler.assessment.render import render_assessment
from compiler.checks.method import run_method_checks
from compiler.checks.method.power import Chance, Needs
from compiler.render import render_text

QUESTIONS = [
    "baseline completeness", "fair comparison", "control variables", "statistical power", "evaluation robustness", "ablation",
    "metrics", "reproducibility",
]  # fmt: skip


def review(root, compiled, name, *flags):
    """The assessment of a shipped spec."""
    found = compiled((root / "specs" / f"{name}.yaml").read_text(), *flags)
    return assess(found.design, found.findings)


def test_the_experiment_as_requested(root, compiled):
    """Two claims have no arm, two are confounded by compute, policy and reference, one seed, too little power, 54 tests; trial only."""
    found = review(root, compiled, "as_requested")
    states = {claim.claim: (claim.state, set(claim.codes)) for claim in found.claims}
    text = render_assessment(found)

    assert states["diverse_negatives_beat_random"] == ("not testable", {"M001"})
    assert states["masking_prevents_contamination"] == ("not testable", {"M001"})
    assert states["sft_is_a_better_start"][1] >= {"M003", "M006", "M007", "M011", "M013", "M024"}
    assert states["two_stages_beat_one"][1] >= {"M003", "M011", "M013", "M024"}
    assert [decision.go for decision in found.decisions] == [True, False]
    assert "54 uncorrected tests without a primary endpoint" in text
    assert "5 of 9 criteria mirrored" in text
    assert "isolation" in text
    assert len(text.splitlines()) <= 78
    assert max(map(len, text.splitlines())) <= 120


@pytest.mark.parametrize("name", ["as_requested", "quickstart"])
def test_what_is_to_be_pasted_is_a_spec_that_answers_the_findings(name, root, compiled):
    """The additions extend the spec as they stand in the text; nothing that blocked a claim blocks it any more."""
    text = (root / "specs" / f"{name}.yaml").read_text()
    found = compiled(text)
    shown = render_assessment(assess(found.design, found.findings), f"specs/{name}.yaml")
    pasted = shown[shown.index("extends:") : shown.index("\n\nchecked after")]

    then = compiled(pasted, files={f"{name}.yaml": text})

    before = {(f.code, claim) for f in found.findings if f.weight == "blocks" for claim in f.claims}
    after = {(f.code, claim) for f in then.findings if f.weight == "blocks" for claim in f.claims}
    assert then.ok, then.diagnostics
    assert before
    assert not before & after


def test_a_remedy_is_told_as_lines_that_can_be_pasted(root, compiled):
    """The help of a diagnostic says what to do, then YAML, a line for each arm."""
    found = compiled((root / "specs" / "quickstart.yaml").read_text())
    (told,) = [d for d in found.diagnostics if d.code == "M017"]

    assert told.help.split("\n")[:3] == [
        "add the base model with worked examples in its prompt:",
        "arms:",
        "  base_few_shot: {from: base, prompt: few-shot}",
    ]
    assert "\n       arms:\n         base_few_shot: {from: base, prompt: few-shot}\n" in render_text([told], color=False)


def test_nothing_is_left_out_of_the_whole_review(root, compiled):
    """A review of many claims is cut with a count, and told in full when asked."""
    text = (root / "specs" / "quickstart.yaml").read_text()
    claim = "{says: it helps, compare: [sft, base], expect: greater, on: [coherent], isolates: [train]}"
    found = compiled(text, *(f"claims.more_{number}={claim}" for number in range(40)))
    review = assess(found.design, found.findings)

    assert "28 more: --verbose" in render_assessment(review)
    assert "--verbose" not in render_assessment(review, whole=True)
    assert "more_39" in render_assessment(review, whole=True)


@pytest.mark.parametrize("name", ["stage1", "full"])
def test_the_strengthened_designs_are_a_go_for_publication(name, root, compiled):
    """No finding at all, every claim testable, and at least 80% power by the estimate."""
    found = review(root, compiled, name)

    assert found.level == "publication"
    assert found.go
    assert not found.recommendations
    assert {claim.state for claim in found.claims} == {"testable"}


@pytest.mark.parametrize("name", ["as_requested", "quickstart", "stage1", "full"])
def test_eight_questions_are_answered_by_name(name, root, compiled):
    """Each question has its verdict and its evidence, and the whole review is plain data."""
    found = review(root, compiled, name)

    assert [answer.question for answer in found.answers] == QUESTIONS
    assert all(answer.evidence and answer.verdict in ("ok", "weak", "missing") for answer in found.answers)
    assert json.loads(json.dumps(found.to_json()))["go"] == found.go


def test_a_spec_that_mixes_factors_by_mistake_is_no_go_even_for_a_trial(root, compiled):
    """Settings that drifted between two arms are repaired before anything is run."""
    assert not review(root, compiled, "quickstart", "arms.dpo_only.train={use: dpo, epochs: 2}").go


def test_another_power_can_be_handed_in(root, compiled):
    """The estimate comes through a port: what is handed in is believed."""

    class Certain:
        def chance(self, question):
            return Chance(power=0.973, error=0.0, simulations=0)

        def needs(self, question, target, least_seeds):
            return Needs(detectable=0.01, items=10, seeds=least_seeds)

        def pilot(self, experiment):
            return None

    found = compiled((root / "specs" / "quickstart.yaml").read_text())
    design = type(found.design)(found.design.subject, found.design.contrasts, Certain())
    review = assess(design, run_method_checks(design))

    assert "97%" in review.power
    assert "M013" not in {recommendation.code for recommendation in review.recommendations}


def metrics(found):
    """The answer about the criteria."""
    return next(answer for answer in found.answers if answer.question == "metrics")


def test_claims_that_rest_on_rehearsed_criteria_make_the_metrics_weak(root, compiled):
    """Named are the mirrored criteria, the claims on nothing else, and the criteria that can show more."""
    answer = metrics(review(root, compiled, "quickstart"))

    assert answer.verdict == "weak"
    assert answer.evidence.startswith(
        "5 of 9 criteria mirrored by negatives; 2 of 4 claims rest on what only one arm rehearsed:"
    )
    assert "dpo_aligns_after_sft, dpo_aligns_by_itself;" in answer.evidence
    assert answer.evidence.endswith("only ends_with_end, proper_structure, no_rambling, coherent can show more")


def test_a_control_on_a_criterion_that_was_not_rehearsed_answers_for_the_metrics(root, compiled):
    """DPO from the same start, set against no DPO on a criterion that mirrors nothing: its claims no longer rest on rehearsal."""
    claim = "{says: it reads well, compare: [%s], expect: greater, on: [coherent], isolates: [train]}"
    after, alone = (f"claims.more_{i}={claim % arms}" for i, arms in enumerate(("sft_dpo, sft", "dpo_only, base")))

    assert "1 of 5 claims rests" in metrics(review(root, compiled, "quickstart", after)).evidence
    both = metrics(review(root, compiled, "quickstart", after, alone))
    assert (both.verdict, both.evidence[:60]) == ("ok", "5 of 9 criteria mirrored by negatives; 0 of 6 claims rest on")


def test_random_negatives_mirror_no_criterion(root, compiled):
    """Another item's answer is no negative type: nothing is rehearsed."""
    answer = metrics(review(root, compiled, "quickstart", "data.preferences.rejected=random"))

    assert (answer.verdict, answer.evidence) == ("ok", "0 of 9 criteria mirrored by negatives")


def test_how_answers_made_elsewhere_came_about_is_not_known(root, compiled):
    """Fairness cannot be vouched for where an arm's answers are read from a file."""
    text = "experiment: e\narms: {mine: {responses: a.jsonl}, base: {}}\n"
    found = compiled(text, files={"a.jsonl": '{"id": "capital/1/romania", "response": "y"}\n'})
    answer = next(a for a in assess(found.design, found.findings).answers if a.question == "fair comparison")

    assert answer.verdict == "weak"
    assert "how the answers of mine were made is not known here" in answer.evidence
