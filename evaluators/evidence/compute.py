"""Rows 3 and 4: how much each arm was trained, in tokens counted while it was, and on how much of the same items.

The definition is the plan's: everything that the trainings of an arm's lineage read, and the reference's reading of the
pairs. The plan counts sequences, taking all to be of one length; here their tokens are counted, an answer that pairs of a
step share once.
"""

from __future__ import annotations

import numpy as np

from compiler.checks.method.controls import AMOUNTS, MOST
from evaluators.analysis.settings import ClaimSettings
from evaluators.analysis.words import percent
from evaluators.evidence.subject import Looked, Subject, not_done
from evaluators.results import Finding

_SHOWN = 3
"""Ratios told in a note, the largest."""


def tokens_of(subject: Subject, arm: str) -> float:
    """Tokens passed forward in all trainings that made an arm, averaged over seeds; 0 for an untrained one."""
    trainings = subject.material.trainings(arm)
    return float(np.mean([training.tokens for training in trainings])) if trainings else 0.0


def check_compute(subject: Subject) -> Looked:
    """Whether both arms of a recipe claim were trained as much, or a third arm shows what as much training does."""
    trained = {arm: tokens_of(subject, arm) for arm in subject.outcomes.seeds if subject.material.trainings(arm)}
    if not trained:
        return not_done("no arm was trained here")
    comparable = [c for c in subject.settings.claims if c.kind == "recipe" and set(c.compare) <= trained.keys()]
    findings = tuple(_unequal(subject, claim, trained) for claim in comparable if _is_unequal(subject, claim, trained))
    least, most = (f(trained, key=lambda arm: trained[arm]) for f in (min, max))
    pairs = dict.fromkeys(_ahead_and_behind(claim) for claim in comparable)
    ratios = [
        _told_ratio(trained, *pair) for pair in sorted(pairs, key=lambda pair: -trained[pair[0]] / max(trained[pair[1]], 1))
    ]
    note = f"from {trained[least]:,.0f} tokens read in training ({least}) to {trained[most]:,.0f} ({most})"
    others = f" and {len(ratios) - _SHOWN} less" if len(ratios) > _SHOWN else ""
    unit = "the review before the run counts sequences instead, as if all were equally long"
    measured = f"; {', '.join(ratios[:_SHOWN])}{others}; {unit}"
    return Looked(note + (measured if ratios else ""), findings)


def _ahead_and_behind(claim: ClaimSettings) -> tuple[str, str]:
    first, second = claim.compare
    return (second, first) if claim.expect == "less" else (first, second)


def _told_ratio(trained: dict[str, float], ahead: str, behind: str) -> str:
    return f"{ahead} {trained[ahead] / max(trained[behind], 1):.2f} times as many as {behind}"


def _is_unequal(subject: Subject, claim: ClaimSettings, trained: dict[str, float]) -> bool:
    ahead, behind = _ahead_and_behind(claim)
    if AMOUNTS & set(claim.isolates):
        return False
    if trained[ahead] <= MOST * trained[behind]:
        return False
    return not any(trained[ahead] <= MOST * trained.get(rival, 0.0) for rival in _rivals(subject, claim, ahead))


def _rivals(subject: Subject, claim: ClaimSettings, ahead: str) -> set[str]:
    """The arms that other claims on the same endpoints set against the arm ahead: its controls are among them."""
    near = [other for other in subject.settings.claims if ahead in other.compare and set(other.on) & set(claim.on)]
    return {arm for other in near for arm in other.compare} - {ahead}


def _unequal(subject: Subject, claim: ClaimSettings, trained: dict[str, float]) -> Finding:
    ahead, behind = _ahead_and_behind(claim)
    ratio = trained[ahead] / trained[behind] if trained[behind] else None
    verdict = subject.verdicts[claim.name]
    times = f"{ratio:.1f} times as many tokens as" if ratio is not None else "and not"
    return Finding(
        code="M003",
        subject="compute",
        weight="blocks",
        claims=(claim.name,),
        message=f"{ahead} was trained on {times} {behind} ({trained[ahead]:,.0f} and {trained[behind]:,.0f} read, the "
        "reference's readings included), and no arm shows what as much training does by itself",
        numbers={"ahead": trained[ahead], "behind": trained[behind], "ratio": ratio},
        remedy="add an arm trained as much: `train: {use: ..., match: {tokens: ...}}`",
        changes={claim.name: "confounded"} if verdict not in ("not testable", "confounded") else {},
    )


def check_exposure(subject: Subject) -> Looked:
    """How many of the items whose chosen answers DPO sees were demonstrated before."""
    overlaps = {arm: found for arm in subject.outcomes.seeds if (found := _overlap(subject, arm)) is not None}
    if not overlaps:
        return not_done("no arm was trained on pairs")
    told = ", ".join(f"{arm} {percent(share)}" for arm, share in overlaps.items())
    findings = tuple(_exposed(subject, arm, share) for arm, share in overlaps.items() if share > 0)
    return Looked(f"items of the pairs that were demonstrated before: {told}", findings)


def _overlap(subject: Subject, arm: str) -> float | None:
    shares = []
    for training in subject.material.trainings(arm):
        items = {pair.item_id for pair in training.pairs if pair.split == "train"}
        if items:
            shares.append(len(items & training.demonstrated) / len(items))
    return float(np.mean(shares)) if shares else None


def _exposed(subject: Subject, arm: str, share: float) -> Finding:
    return Finding(
        code="M004",
        subject="exposure",
        weight="notes",
        claims=subject.touched([arm]),
        message=f"{arm} saw good answers to {percent(share)} of the items of its pairs already as demonstrations",
        numbers={"share": share},
        remedy="compare with SFT on the chosen answers",
    )
