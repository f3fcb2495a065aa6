"""Row 22: items without an outcome, counted as failed; and whether that decides anything."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from evaluators.analysis.outcomes import Mask, Outcomes
from evaluators.analysis.settings import ClaimSettings
from evaluators.analysis.words import counted, joined
from evaluators.evidence.subject import DECIDED, Looked, Subject, verdicts_on
from evaluators.results import Finding


def check_missing(subject: Subject) -> Looked:
    """Bounds: the items that one arm lacks counted as passed, once for either arm."""
    lacking = {arm: int(mask.sum()) for arm, mask in subject.outcomes.missing.items() if mask.any()}
    if not lacking:
        return Looked("every arm and seed has a score for every item")
    told = joined([f"{arm} {counted(count, 'answer')}" for arm, count in lacking.items()])
    findings = (_finding(subject, claim, lacking, _MISSING) for claim in subject.settings.claims)
    return Looked(f"missing and counted as failed: {told}", tuple(found for found in findings if found))


def check_judged(subject: Subject) -> Looked:
    """The same for answers that a claim's criterion broke on."""
    unjudged = subject.outcomes.unjudged
    if not unjudged:
        return Looked("no criterion broke on an answer")
    broke = {
        claim.name: {
            arm: sum(int(unjudged[e][arm].sum()) for e in claim.on if arm in unjudged.get(e, {})) for arm in claim.compare
        }
        for claim in subject.settings.claims
    }
    findings = (_finding(subject, claim, broke[claim.name], _UNJUDGED) for claim in subject.settings.claims)
    told = joined([f"{endpoint} on {counted(_total(arms), 'answer')}" for endpoint, arms in unjudged.items()])
    return Looked(f"broke, and counted as failed: {told}", tuple(found for found in findings if found))


@dataclass(frozen=True, slots=True)
class _Gap:
    """One way for an outcome not to be there."""

    subject: str
    told: str
    name: str
    """Of the counts, before the arm."""
    remedy: str
    passed: Callable[[Outcomes, str], Outcomes]
    """The same outcomes with those of an arm counted as passed."""


def _finding(subject: Subject, claim: ClaimSettings, lacking: Mapping[str, int], gap: _Gap) -> Finding | None:
    arms = [arm for arm in claim.compare if lacking.get(arm)]
    if not arms:
        return None
    decided = subject.verdicts[claim.name] in DECIDED
    flips = decided and any(
        verdicts_on(subject.settings, gap.passed(subject.outcomes, arm))[claim.name] != subject.verdicts[claim.name]
        for arm in arms
    )
    told = joined([f"{counted(lacking[arm], 'answer')} of {arm}" for arm in arms])
    outcome = "counted as passed instead they change the outcome" if flips else "counted as passed instead they change nothing"
    return Finding(
        code="M022",
        subject=gap.subject,
        weight="weakens",
        claims=(claim.name,),
        message=f"{gap.told} {told}, counted as failed; {outcome if decided else 'nothing was decided anyway'}",
        numbers={f"{gap.name}_{arm}": lacking[arm] for arm in arms},
        remedy=gap.remedy,
        changes={claim.name: "inconclusive"} if flips else {},
    )


def as_passed(outcomes: Outcomes, arm: str) -> Outcomes:
    """The same outcomes with an arm's missing answers passed instead of failed, wherever the endpoint applies to them."""
    return _passing(outcomes, arm, lambda _: outcomes.missing[arm])


def judged_passed(outcomes: Outcomes, arm: str) -> Outcomes:
    """Likewise with the answers that a criterion broke on."""
    nowhere = np.zeros_like(outcomes.missing[arm])
    return _passing(outcomes, arm, lambda endpoint: outcomes.unjudged.get(endpoint, {}).get(arm, nowhere))


def _passing(outcomes: Outcomes, arm: str, which: Callable[[str], Mask]) -> Outcomes:
    tables = {
        endpoint: {**arms, arm: np.where(which(endpoint) & ~np.isnan(arms[arm]), 1.0, arms[arm])} if arm in arms else arms
        for endpoint, arms in outcomes.tables.items()
    }
    return replace(outcomes, tables=tables, warnings=[])


def _total(masks: Mapping[str, Mask]) -> int:
    return sum(int(mask.sum()) for mask in masks.values())


_MISSING = _Gap("items missing", "missing are", "missing", "let the arm answer the items that it lacks", as_passed)
_UNJUDGED = _Gap("answers not judged", "the criterion broke on", "broke", "let the criterion judge every answer", judged_passed)
