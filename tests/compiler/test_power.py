"""Expected power in the review: what is asked of it, what a pilot run changes, and how it is told."""

from __future__ import annotations

import json
from dataclasses import asdict

import pytest

from compiler.assessment import assess
from compiler.assessment.power_table import power_table, render_power
from compiler.assessment.render import render_assessment
from compiler.checks.method import Design, run_method_checks
from compiler.checks.method.power import Chance, Needs, Pilot
from compiler.checks.method.sizes import question
from compiler.language.assumptions import Assumptions

FULL = ("full", "stage1")


class Fixed:
    """A power that always says the same, and remembers what it was asked."""

    def __init__(self, power: float, pilot: Pilot | None = None, why: str = "") -> None:
        self.answer, self.measured, self.asked = Chance(power, 0.01, 100, why), pilot, []

    def chance(self, question, /):
        self.asked.append(question)
        return self.answer

    def needs(self, question, target, least_seeds, /):
        return Needs(0.15, 200, max(question.seeds, least_seeds))

    def pilot(self, experiment, /):
        return self.measured


def design(root, compiled, power, name="quickstart", *flags) -> Design:
    """The design of a shipped spec, its power answered by `power`."""
    found = compiled((root / "specs" / f"{name}.yaml").read_text(), *flags, power=None).design
    return Design(found.subject, found.contrasts, power)


def questions(of: Design) -> dict[str, object]:
    """What is asked about each claim."""
    return {comparison.name: question(of, comparison) for comparison in of.comparisons}


def test_a_claim_is_asked_about_as_it_will_be_tested(root, compiled):
    """Items, seeds, tests that share alpha, trained arms, nested seeds, endpoints and their judgements come from the spec."""
    asked = questions(design(root, compiled, Fixed(1.0)))
    base, nested, aligned = (
        asked[name] for name in ("sft_follows_instructions", "two_stages_beat_dpo_only", "dpo_aligns_by_itself")
    )

    assert (base.items, base.seeds, base.effect, base.alpha, base.tests) == (130, 3, 0.1, 0.05, 5)
    assert (base.recipe, base.trained, base.nested, base.pool, len(base.endpoints)) == (True, (True, False), False, 3, 2)
    assert (nested.trained, nested.nested, nested.pool) == ((True, True), True, 3)
    assert [e.judgements for e in (*base.endpoints, *aligned.endpoints)] == [1, 1, 5]
    assert {e.assumptions for q in asked.values() for e in q.endpoints} == {Assumptions()}


def test_unrelated_arms_are_not_nested(root, compiled):
    """Two trainings from the base model that feed each other nothing share no seeds; variance is pooled over all trained arms."""
    asked = questions(design(root, compiled, Fixed(1.0), "full"))

    assert not asked["masking_keeps_the_instruction_out"].nested
    assert asked["masking_keeps_the_instruction_out"].pool == 14
    assert asked["labels_matter"].nested


def test_less_is_greater_with_the_arms_exchanged(root, compiled):
    """A claim that the first arm scores lower asks for the power of the second one scoring higher."""
    edits = ("claims.sft_follows_instructions.expect=less", "claims.sft_follows_instructions.compare=[base, sft]")
    less = questions(design(root, compiled, Fixed(1.0), "quickstart", *edits))

    assert less == questions(design(root, compiled, Fixed(1.0)))


def test_assumptions_come_from_the_spec(root, compiled):
    """What the spec assumes is what is asked, for every endpoint."""
    edits = ("analysis.assumptions={base_rate: 0.5, seed_sd: 0.03, items_per_family: 2}",)
    asked = questions(design(root, compiled, Fixed(1.0), "quickstart", *edits))

    assert {e.assumptions for q in asked.values() for e in q.endpoints} == {
        Assumptions(base_rate=0.5, seed_sd=0.03, items_per_family=2)
    }


def test_a_pilot_run_replaces_defaults_and_nothing_that_was_written(root, compiled):
    """Measured variances are taken per endpoint, the base rate of the arm behind; what the spec says itself stays."""
    endpoints = {"addresses_instruction": {"seed_sd": 0.04, "item_sd": 2.0, "applies": 0.9}}
    pilot = Pilot("run 123", endpoints, {"addresses_instruction": {"base": 0.4, "dpo_only": 0.55}})
    asked = questions(design(root, compiled, Fixed(1.0, pilot), "quickstart", "analysis.assumptions.item_sd=1.0"))
    first, second = asked["sft_follows_instructions"].endpoints
    behind = asked["two_stages_beat_dpo_only"].endpoints[0]

    assert first.assumptions == Assumptions(base_rate=0.4, seed_sd=0.04, item_sd=1.0)
    assert first.applies == 0.9
    assert behind.assumptions.base_rate == 0.55
    assert (second.assumptions, second.applies) == (Assumptions(item_sd=1.0), 1.0)
    assert "run 123" in power_table(design(root, compiled, Fixed(1.0, pilot))).source


@pytest.mark.parametrize(("level", "power", "told"), [("mvp", 0.39, True), ("mvp", 0.41, False), ("publication", 0.79, True), ("publication", 0.81, False)])  # fmt: skip
def test_too_little_power_is_a_finding(root, compiled, level, power, told):
    """A trial run may have 40%, evidence for others needs 80%; the finding names what would do, and never more than that."""
    found = [f for f in run_method_checks(design(root, compiled, Fixed(power), "full").at(level)) if f.code == "M013"]

    assert bool(found) == told
    if told:
        assert f"power {power:.0%} at 10 points" in found[0].message
        assert "200 items x 5 seeds reach 80%" in found[0].evidence
        assert found[0].remedy.settings == {"data.instructions.heldout": 420}  # 400 nearly suffice: a few more


def test_without_a_test_the_reason_is_told(root, compiled):
    """Where no valid test exists, the finding says why."""
    power = Fixed(0.0, why="one seed: no test of a way of training is valid")
    found = next(f for f in run_method_checks(design(root, compiled, power, "as_requested")) if f.code == "M013")

    assert any("no test of a way of training is valid" in line for line in found.evidence)
    assert "seeds" in found.remedy.settings


def test_too_few_seeds_are_told_with_what_more_would_bring(root, compiled):
    """The finding about seeds carries the power that the seeds it asks for would have."""
    found = next(f for f in run_method_checks(design(root, compiled, Fixed(0.6), "as_requested")) if f.code == "M011")

    assert "with 3 seeds and 130 items power 60% at 10 points" in found.evidence


def test_nothing_is_said_of_power_that_nobody_knows(root, compiled):
    """Without anyone to answer there is no finding and no table, and the review says so."""
    found = design(root, compiled, None, "as_requested")

    assert not [f for f in run_method_checks(found) if f.code == "M013"]
    assert power_table(found).rows == ()
    assert render_power(power_table(found)) == []
    assert assess(found, ()).power == "nothing to estimate"


def test_the_table_has_a_row_per_claim(root, compiled):
    """Power with its error, the detectable effect, items and seeds needed; within 120 columns; the same in JSON."""
    table = power_table(design(root, compiled, Fixed(0.63), "full"))
    lines = render_power(table)

    assert [row.claim for row in table.rows] == list(
        compiled((root / "specs" / "full.yaml").read_text(), power=None).spec.claims
    )
    assert "400 items, 5 seeds, holm over 15 tests" in lines[0]
    assert " ".join(lines[2].split()) == "sft_follows_instructions 63% ± 1.0 15 points 200 x 5 crossed item x seed t"
    assert max(map(len, lines)) <= 120
    assert json.loads(json.dumps(asdict(table)))["rows"][0]["power"] == 0.63
    assert len(render_power(table, most=3)) < len(lines)


def test_the_simulated_power_of_the_strengthened_design(root, compiled, power):
    """At publication level every claim has 80% by simulation; power and its needs agree with each other."""
    table = power_table(design(root, compiled, power, "full"))

    assert all(row.power >= 0.8 for row in table.rows)
    assert all(row.detectable <= row.effect + 0.005 for row in table.rows)
    assert all(row.items * row.seeds <= 400 * 5 for row in table.rows)
    assert all(0 < row.error < 0.012 for row in table.rows)


class Full(Fixed):
    """A power that finds no room for what it is asked about."""

    def __init__(self, room: float) -> None:
        super().__init__(0.0)
        self.answer = Chance(0.0, 0.0, 0, "no room", room)

    def needs(self, question, target, least_seeds, /):
        return Needs(0.125, None, question.seeds)


def test_an_effect_that_cannot_occur_is_told_as_that_alone(root, compiled):
    """90 points above a rate of 65%: no advice to look for more, no word of items that do not help, or of power looking better."""
    spec = design(root, compiled, Full(0.35), "full", "analysis.smallest_effect=0.9")
    (found,) = (f for f in run_method_checks(spec) if f.code == "M013")
    text = " ".join((found.message, *found.evidence, found.advice))

    assert "no room for 90 points" in found.message
    assert (
        "at the assumed rate of 65% at most 35 points fit; 400 items x 5 seeds: detectable from 12.5 points" in found.evidence
    )
    assert found.remedy.settings == {"analysis.smallest_effect": 0.1}
    for contradictory in ("larger", "look better", "would reach", "claim less"):
        assert contradictory not in text
    row = power_table(spec).rows[0]
    assert (row.room, row.detectable, row.test) == (0.35, 0.125, "crossed item x seed t")
    assert " ".join(render_power(power_table(spec))[2].split()).endswith("no room 12.5 points - crossed item x seed t")


def test_a_usual_effect_without_room_asks_for_harder_items(root, compiled):
    """At a rate of 95% ten points cannot be gained: a smaller effect is not the remedy, harder items are, and the review says so."""
    spec = design(root, compiled, Full(0.05), "full")
    (found,) = (f for f in run_method_checks(spec) if f.code == "M013")

    assert found.remedy.empty
    assert "harder items" in found.advice
    assert "way out: take harder items" in " ".join(render_assessment(assess(spec, (found,))).split())


class RoomAbove(Full):
    """A power that finds no room above the rate that it is told."""

    def chance(self, question, /):
        return Chance(0.0, 0.0, 0, "no room", 1 - max(endpoint.assumptions.base_rate for endpoint in question.endpoints))


def test_each_claim_without_room_is_told_with_its_own_rate_as_measured(root, compiled):
    """A pilot measured another rate for each arm to be beaten: two findings with arm, endpoint and run, none of them assumed."""
    rates = {"base": 0.9903, "dpo_only": 0.9333}
    pilot = Pilot("run 123", {}, dict.fromkeys(("addresses_instruction", "proper_structure"), rates))
    power = RoomAbove(0.0)
    power.measured = pilot
    found = [f for f in run_method_checks(design(root, compiled, power)) if f.code == "M013"]
    told = {claim: f.evidence[0] for f in found for claim in f.claims}

    assert told["sft_follows_instructions"].startswith(
        "at the measured rate of 99.03% (base on addresses_instruction, run 123) at most 0.97 points fit; 130 items x 3 seeds:"
    )
    assert told["two_stages_beat_dpo_only"].startswith(
        "at the measured rate of 93.33% (dpo_only on addresses_instruction, run 123) at most 6.67 points fit"
    )
    assert all("base_rate" not in f.advice for f in found if "measured" in f.evidence[0])


def test_a_rate_that_the_spec_names_is_assumed_whatever_a_pilot_measured(root, compiled):
    """What was written is what is asked about, and all claims share it: one finding."""
    power = RoomAbove(0.0)
    power.measured = Pilot("run 123", {}, {"addresses_instruction": {"base": 0.5}})
    spec = design(root, compiled, power, "quickstart", "analysis.assumptions={base_rate: 0.97}")
    (found,) = (f for f in run_method_checks(spec) if f.code == "M013")

    assert found.evidence[0].startswith("at the assumed rate of 97% at most 3 points fit")
    assert "`analysis.assumptions.base_rate`" in found.advice


class Apart(Fixed):
    """A power that falls with every claim that it is asked about."""

    def chance(self, question, /):
        self.asked.append(question)
        return Chance(0.1 if question.trained[1] else 0.2, 0.01, 100)


def test_the_numbers_of_one_claim_are_not_told_as_those_of_all(root, compiled):
    """Where claims share a finding and not their power, the claim is named to which the numbers belong."""
    (found,) = (f for f in run_method_checks(design(root, compiled, Apart(0.0))) if f.code == "M013")

    assert "power 10% to 20% at 10 points" in found.message
    assert found.evidence[0].startswith("lowest for two_stages_beat_dpo_only: 130 items x 3 seeds")
