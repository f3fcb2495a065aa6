"""Row 17: answers that were cut off or did not close, arm by arm."""

from __future__ import annotations

import numpy as np

from evaluators.analysis.words import counted, percent
from evaluators.evidence.leakage import FEWEST
from evaluators.evidence.subject import DECIDED, Looked, Subject, is_criterion, kept, not_done
from evaluators.language.marker import split_at_marker
from evaluators.results import Conduct, Finding

_APART = 0.10
"""From this difference between two arms' shares of cut-off answers on, it is told."""
_ABOUT_ENDING = frozenset({"ends_with_end", "no_rambling"})
"""Criteria that being cut off fails by their very meaning."""


def conduct_of(subject: Subject) -> tuple[Conduct, ...]:
    """How every arm's answers look and end."""
    return tuple(found for arm in subject.outcomes.seeds if (found := _conduct(subject, arm)) is not None)


def _conduct(subject: Subject, arm: str) -> Conduct | None:
    runs = subject.material.of(arm)
    answers = [answer for run in runs for answer in run.answers.values()]
    if not answers:
        return None
    return Conduct(
        arm=arm,
        answers=len(answers),
        missing=sum(item not in run.answers for run in runs for item in subject.outcomes.items),
        mean_tokens=float(np.mean([answer.tokens for answer in answers])),
        truncated=float(np.mean([answer.hit_token_limit for answer in answers])),
        no_end=float(np.mean([not split_at_marker(answer.response).found for answer in answers])),
    )


def check_endings(subject: Subject, conduct: tuple[Conduct, ...]) -> Looked:
    """Whether one of two compared arms is cut off more often than the other, and what is left when it is not."""
    if not conduct:
        return not_done("there are no answers to look at")
    by_arm = {row.arm: row for row in conduct}
    findings = []
    for claim in subject.settings.claims:
        rows = [by_arm[arm] for arm in claim.compare if arm in by_arm]
        endpoints = [e for e in claim.on if is_criterion(e) and e not in _ABOUT_ENDING]
        if len(rows) == 2 and endpoints and abs(rows[0].truncated - rows[1].truncated) >= _APART:
            findings.append(_unequal(subject, claim.name, rows[0], rows[1]))
    worst = max(conduct, key=lambda row: row.truncated)
    note = f"most often cut off: {worst.arm}, {percent(worst.truncated)} of answers; without END {percent(worst.no_end)}"
    return Looked(note, tuple(findings))


def _unequal(subject: Subject, name: str, first: Conduct, second: Conduct) -> Finding:
    both = _ended(subject, first.arm) & _ended(subject, second.arm)
    left = int(both.sum())
    flipped = _reversed(subject, name, both) if left >= FEWEST else {}
    rest = f"on the {counted(left, 'item')} that no answer to was cut off " if left >= FEWEST else ""
    outcome = (
        ("the difference points the other way" if flipped else "the difference points the same way")
        if rest
        else (f"only {counted(left, 'item')} had no answer cut off, too few to compare on")
    )
    return Finding(
        code="M017",
        subject="endings",
        weight="blocks" if flipped else "weakens",
        claims=(name,),
        message=f"{first.arm} is cut off at the token limit in {percent(first.truncated)} of answers, {second.arm} in "
        f"{percent(second.truncated)} (without END: {percent(first.no_end)} and {percent(second.no_end)}); {rest}{outcome}",
        numbers={
            "first_truncated": first.truncated, "second_truncated": second.truncated,
            "first_no_end": first.no_end, "second_no_end": second.no_end, "items_ended": left,
        },
        remedy="compare with a base arm that is shown worked examples, and raise the token limit",
        changes=dict.fromkeys(flipped, "inconclusive"),
    )  # fmt: skip


def _ended(subject: Subject, arm: str) -> np.ndarray:
    cut = np.zeros(len(subject.outcomes.items), dtype=bool)
    for run in subject.material.of(arm):
        cut |= np.array([item in run.answers and run.answers[item].hit_token_limit for item in subject.outcomes.items])
    return ~cut


def _reversed(subject: Subject, name: str, items: np.ndarray) -> dict[str, float]:
    """The claim, if it is decided and its effect changes sign on these items on any of its endpoints."""
    if subject.verdicts[name] not in DECIDED:
        return {}
    claim = subject.claim(name)
    outcomes = kept(subject.outcomes, items)
    for endpoint in claim.on:
        first, second = (
            np.nanmean(outcomes.tables[endpoint][arm]) if outcomes.has(arm, endpoint) else np.nan for arm in claim.compare
        )
        before = next(c.effect for c in next(r for r in subject.claims if r.claim == name).contrasts if c.endpoint == endpoint)
        if before is not None and np.isfinite(first - second) and before * (first - second) < 0:
            return {name: float(first - second)}
    return {}
