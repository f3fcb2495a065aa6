"""Row 22: items without an answer, counted as failed; and whether that decides anything."""

from __future__ import annotations

import numpy as np

from evaluators.analysis.outcomes import Outcomes
from evaluators.analysis.settings import ClaimSettings
from evaluators.analysis.words import counted, joined
from evaluators.evidence.subject import DECIDED, Looked, Subject, verdicts_on
from evaluators.results import Finding


def check_missing(subject: Subject) -> Looked:
    """Bounds: the items that one arm lacks counted as passed, once for either arm."""
    lacking = {arm: int(mask.sum()) for arm, mask in subject.outcomes.missing.items() if mask.any()}
    if not lacking:
        return Looked("every arm and seed has a score for every item")
    claims = [claim for claim in subject.settings.claims if set(claim.compare) & lacking.keys()]
    findings = tuple(_finding(subject, claim, lacking) for claim in claims)
    told = joined([f"{arm} {counted(count, 'answer')}" for arm, count in lacking.items()])
    return Looked(f"missing and counted as failed: {told}", findings)


def _finding(subject: Subject, claim: ClaimSettings, lacking: dict[str, int]) -> Finding:
    arms = [arm for arm in claim.compare if arm in lacking]
    decided = subject.verdicts[claim.name] in DECIDED
    flips = decided and any(
        verdicts_on(subject.settings, as_passed(subject.outcomes, arm))[claim.name] != subject.verdicts[claim.name]
        for arm in arms
    )
    told = joined([f"{counted(lacking[arm], 'answer')} of {arm}" for arm in arms])
    outcome = "counted as passed instead they change the outcome" if flips else "counted as passed instead they change nothing"
    return Finding(
        code="M022",
        subject="items missing",
        weight="weakens",
        claims=(claim.name,),
        message=f"missing are {told}, counted as failed; {outcome if decided else 'nothing was decided anyway'}",
        numbers={f"missing_{arm}": lacking[arm] for arm in arms},
        remedy="let the arm answer the items that it lacks",
        changes={claim.name: "inconclusive"} if flips else {},
    )


def as_passed(outcomes: Outcomes, arm: str) -> Outcomes:
    """The same outcomes with an arm's missing answers passed instead of failed, wherever the endpoint applies to them."""
    missing = outcomes.missing[arm]
    tables = {
        endpoint: {**arms, arm: np.where(missing & ~np.isnan(arms[arm]), 1.0, arms[arm])} if arm in arms else arms
        for endpoint, arms in outcomes.tables.items()
    }
    return Outcomes(outcomes.items, outcomes.families, outcomes.seeds, tables, missing=outcomes.missing)
