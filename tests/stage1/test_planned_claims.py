"""Claims made after their answers are told apart from planned ones."""

from __future__ import annotations

from typing import Any

import pytest
from report_samples import QUICKSTART

from compiler import compile_spec
from compiler.plan import Plan
from stage1.planned_claims import KINDS, RECORDED, late_claims, marks
from stage1.world import DiskWorld


def planned(*overrides: str) -> Plan:
    """The quickstart's plan with these overrides."""
    plan = compile_spec(str(QUICKSTART), QUICKSTART.read_text(), overrides, DiskWorld()).plan
    assert plan is not None
    return plan


def manifests(plan: Plan, made_under: dict[str, Plan], default: Plan | None) -> dict[str, Any]:
    """What answering each arm left: the claims of the plan that it was made under; no record where there is none."""
    found: dict[str, Any] = {}
    for entry in plan.arms:
        under = made_under.get(entry.arm, default)
        for step in (entry.respond, entry.prefer):
            if step is not None:
                found[step] = {"provenance": {} if under is None else {RECORDED: sorted(marks(under).values())}}
    return found


LATER = "claims.later={says: DPO helps, compare: [sft_dpo, sft], expect: greater, on: [coherent], isolates: [train]}"


def test_a_claim_that_was_there_before_the_answers_is_planned() -> None:
    """Every answer made under the plan itself, or recorded nothing: no claim is late."""
    plan = planned()

    assert late_claims(plan, manifests(plan, {}, plan)) == frozenset()
    assert late_claims(plan, manifests(plan, {}, None)) == frozenset()


def test_a_claim_added_after_the_answers_is_late_and_no_other() -> None:
    """All answers were made without it; those of one arm made again with it would have made it planned."""
    before, after = planned(), planned(LATER)

    assert late_claims(after, manifests(after, {}, before)) == {"later"}
    assert late_claims(after, manifests(after, {"sft_dpo": after}, before)) == frozenset()
    assert late_claims(after, manifests(after, {"dpo_only": after}, before)) == {"later"}


@pytest.mark.parametrize(
    ("edit", "late"),
    [
        ("claims.dpo_aligns_by_itself.expect=different", {"dpo_aligns_by_itself"}),
        ("claims.dpo_aligns_by_itself.says=in other words", set()),
        ("analysis.alpha=0.04", set(marks(planned()))),
        ("analysis.power=0.7", set()),
    ],
)
def test_what_is_tested_makes_a_claim_and_not_its_wording(edit: str, late: set[str]) -> None:
    """Another expectation is another claim, another level makes all claims others; words and planned power do not."""
    after = planned(edit)

    assert late_claims(after, manifests(after, {}, planned())) == late


def test_the_steps_that_answer_are_those_that_record() -> None:
    """Every arm's answers and preferences are steps of the kinds whose manifests carry the record."""
    plan = planned()
    kinds = {plan.step(step).kind for entry in plan.arms for step in (entry.respond, entry.prefer) if step is not None}

    assert kinds == KINDS
