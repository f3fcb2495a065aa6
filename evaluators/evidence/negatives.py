"""Rows 9 and 20: are the rejected answers bad in the way they should be, different enough, and many?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from rapidfuzz.distance import Levenshtein

from compiler.records import Item, PreferencePair
from evaluators.analysis.words import counted
from evaluators.evidence.subject import Looked, Subject, not_done
from evaluators.results import Finding
from evaluators.scoring import score_answer
from evaluators.view import AnswerView

_SAMPLE = 20
"""Pairs of each negative type that are graded, from one seed: enough to see a type that does not do its work."""
_TINY = 0.1
"""Edits per character below which chosen and rejected are nearly the same text."""
_WORKING = 0.9
"""Share of a type's rejected answers that must fail a criterion: others are bad in no way that is measured."""
_WRONG = 0.25
"""Share of chosen answers failing a criterion from which on it is told."""


def check_negatives(subject: Subject) -> Looked:
    """Grade a sample of every DPO arm's rejected answers, measure their distance and count them."""
    items = {item.id: item for item in subject.material.train}
    findings: list[Finding] = []
    seen: set[int] = set()
    graded = 0
    for arm in subject.outcomes.seeds:
        pairs = _training_pairs(subject, arm)
        if not pairs or id(pairs[0]) in seen:  # arms that share their pairs have them graded once
            continue
        seen.add(id(pairs[0]))
        found, count = _failing(subject, arm, pairs, items)
        findings += [*found, *_too_close(subject, arm, pairs), *_too_few(subject, arm, pairs)]
        graded += count
    if not seen:
        return not_done("no arm was trained on pairs with true labels")
    return Looked(
        f"{counted(graded, 'rejected answer')} graded by the criteria, all compared with the chosen ones", tuple(findings)
    )


def _training_pairs(subject: Subject, arm: str) -> list[PreferencePair]:
    """The training pairs of the arm's first seed, labels true."""
    for training in subject.material.trainings(arm):
        if training.pairs and training.labels == "true":
            return [pair for pair in training.pairs if pair.split == "train"]
    return []


def _failing(
    subject: Subject, arm: str, pairs: Sequence[PreferencePair], items: Mapping[str, Item]
) -> tuple[list[Finding], int]:
    """Findings on a sample of every type, and how many answers were graded."""
    by_type: dict[str, list[PreferencePair]] = defaultdict(list)
    for pair in pairs:
        if pair.item_id in items and len(by_type[pair.negative_type]) < _SAMPLE:
            by_type[pair.negative_type].append(pair)
    findings = []
    for kind, sample in by_type.items():
        failing = sum(_fails(items[pair.item_id], pair.rejected) for pair in sample)
        if failing < _WORKING * len(sample):
            findings.append(_idle(subject, arm, kind, len(sample) - failing, len(sample)))
    sampled = [pair for sample in by_type.values() for pair in sample]
    wrong = sum(_fails(items[pair.item_id], pair.chosen) for pair in sampled)
    if wrong > _WRONG * len(sampled):
        findings.append(_poor(subject, arm, wrong, len(sampled)))
    return findings, 2 * len(sampled)


def _fails(item: Item, response: str) -> bool:
    """Whether an answer, properly closed, fails any criterion."""
    view = AnswerView(item.instruction, item.kind, f" {response}\nEND", False, item.answers, item.constraint)
    return False in score_answer(view).values()


def _idle(subject: Subject, arm: str, kind: str, passing: int, graded: int) -> Finding:
    return Finding(
        code="M009",
        subject="negatives",
        weight="notes",
        claims=subject.touched([arm]),
        message=f"{passing} of {graded} sampled rejected answers of type {kind} of {arm} pass every criterion: no grader here "
        "finds them bad",
        numbers={"passing": passing, "graded": graded},
        remedy="read some of them: DPO learns from them what the scores do not see",
    )


def _poor(subject: Subject, arm: str, wrong: int, graded: int) -> Finding:
    return Finding(
        code="M009",
        subject="chosen answers",
        weight="notes",
        claims=subject.touched([arm]),
        message=f"{wrong} of {graded} sampled chosen answers of {arm} fail a criterion, and DPO is taught to prefer them",
        numbers={"failing": wrong, "graded": graded},
        remedy="let a better arm write the chosen answers, or clean them by the criteria",
    )


def _too_close(subject: Subject, arm: str, pairs: Sequence[PreferencePair]) -> list[Finding]:
    close = sum(Levenshtein.normalized_distance(pair.chosen, pair.rejected) < _TINY for pair in pairs)
    if close * 10 < len(pairs):
        return []
    return [
        Finding(
            code="M020",
            subject="edit distance",
            weight="notes",
            claims=subject.touched([arm]),
            message=f"{close} of {counted(len(pairs), 'pair')} of {arm} differ in less than a tenth of their characters: DPO "
            "on such pairs tends to make both sides less likely",
            numbers={"close": close, "pairs": len(pairs)},
            remedy="look at the chosen log-probability, or build rejected answers that differ more",
        )
    ]


def _too_few(subject: Subject, arm: str, pairs: Sequence[PreferencePair]) -> list[Finding]:
    distinct = len({pair.rejected for pair in pairs})
    if distinct * 2 >= len(pairs):
        return []
    return [
        Finding(
            code="M009",
            subject="distinct negatives",
            weight="notes",
            claims=subject.touched([arm]),
            message=f"the {len(pairs)} pairs of {arm} have only {distinct} different rejected answers: few to learn by heart",
            numbers={"distinct": distinct, "pairs": len(pairs)},
            remedy="use more items, or more templates",
        )
    ]
