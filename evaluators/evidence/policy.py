"""Row 6: whose words are the pairs? Their log-probability under the model that each DPO arm starts from."""

from __future__ import annotations

from itertools import combinations

import numpy as np

from evaluators.analysis.words import decimal
from evaluators.evidence.material import Training
from evaluators.evidence.subject import Looked, Subject, not_done
from evaluators.results import Finding, PolicyGap

_FOREIGN = 0.1
"""Nats per token by which the chosen answers may be less likely for one arm than for the other."""


def policy_gaps(subject: Subject) -> tuple[PolicyGap, ...]:
    """Every DPO arm, and how likely its pairs are under its own reference."""
    return tuple(found for arm in subject.outcomes.seeds if (found := _gap(arm, subject.material.trainings(arm))) is not None)


def _gap(arm: str, trainings: list[Training]) -> PolicyGap | None:
    rows = [row for training in trainings for row in training.reference if row.chosen_tokens and row.rejected_tokens]
    if not rows:
        return None
    return PolicyGap(
        arm=arm,
        chosen=float(np.mean([row.chosen / row.chosen_tokens for row in rows])),
        rejected=float(np.mean([row.rejected / row.rejected_tokens for row in rows])),
        pairs=len(rows),
    )


def check_policies(subject: Subject, gaps: tuple[PolicyGap, ...]) -> Looked:
    """Whether the pairs of two DPO arms that are compared are as likely for one as for the other.

    Shuffled labels make rejected answers chosen ones, whose likelihood says nothing about whose words they are.
    """
    if not gaps:
        return not_done("no arm was trained on pairs")
    by_arm = {gap.arm: gap for gap in gaps if all(t.labels == "true" for t in subject.material.trainings(gap.arm))}
    findings = []
    for claim in subject.settings.claims:
        for first, second in combinations([by_arm[arm] for arm in claim.compare if arm in by_arm], 2):
            if abs(first.chosen - second.chosen) >= _FOREIGN:
                findings.append(_foreign(claim.name, first, second))
    told = ", ".join(f"{gap.arm} {decimal(gap.chosen)}" for gap in gaps)
    return Looked(f"chosen answers under each reference, nats per token: {told}", tuple(findings))


def _foreign(claim: str, first: PolicyGap, second: PolicyGap) -> Finding:
    own, foreign = (first, second) if first.chosen > second.chosen else (second, first)
    return Finding(
        code="M006",
        subject="off-policy gap",
        weight="weakens",
        claims=(claim,),
        message=f"the chosen answers are {own.chosen - foreign.chosen:.2f} nats per token likelier under the reference of "
        f"{own.arm} ({decimal(own.chosen)}) than under that of {foreign.arm} ({decimal(foreign.chosen)}), for which they are "
        "off-policy",
        numbers={
            "gap": own.chosen - foreign.chosen, "own_chosen": own.chosen, "foreign_chosen": foreign.chosen,
            "own_rejected": own.rejected, "foreign_rejected": foreign.rejected,
        },
        remedy="add an arm on pairs of its own policy, or claim only something about these pairs",
    )  # fmt: skip
