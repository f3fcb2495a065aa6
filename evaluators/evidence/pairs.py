"""Row 9: were the pairs made that were asked for?"""

from __future__ import annotations

from collections.abc import Sequence

from evaluators.analysis.words import joined, percent
from evaluators.evidence.subject import Looked, Subject, not_done
from evaluators.results import Finding

ENOUGH = 0.9
"""Share of the training pairs asked for below which an arm was trained on other data than its spec says."""
_Counts = tuple[tuple[int, int], ...]
"""Per seed: pairs made, pairs asked for."""


def too_few(made: int, asked: int) -> bool:
    """Whether so many pairs are missing that it is told."""
    return made < ENOUGH * asked


def check_pairs_made(subject: Subject) -> Looked:
    """Whether every arm that was trained on pairs had about as many as were asked for."""
    counts = {arm: found for arm in subject.outcomes.seeds if (found := _counts(subject, arm))}
    if not counts:
        return not_done("no arm was trained on pairs whose number asked for is recorded")
    short: dict[_Counts, list[str]] = {}
    for arm, found in counts.items():
        if any(too_few(made, asked) for made, asked in found):
            short.setdefault(found, []).append(arm)  # arms that share their pairs are told together
    told = ", ".join(f"{arm} {_told(found)}" for arm, found in counts.items())
    return Looked(f"training pairs made: {told}", tuple(_short(subject, arms, found) for found, arms in short.items()))


def _counts(subject: Subject, arm: str) -> _Counts:
    return tuple(
        (sum(pair.split == "train" for pair in training.pairs), training.pairs_asked)
        for training in subject.material.trainings(arm)
        if training.pairs_asked
    )


def _told(counts: _Counts) -> str:
    """`4 to 7 of 40`."""
    made, asked = zip(*counts, strict=True)
    return f"{_span(made)} of {_span(asked)}"


def _span(values: Sequence[int]) -> str:
    return " to ".join(dict.fromkeys(f"{value:,}" for value in (min(values), max(values))))


def _short(subject: Subject, arms: Sequence[str], counts: _Counts) -> Finding:
    made, asked = min(counts, key=lambda each: each[0] / each[1])
    fewest = f"{percent(made / asked)} of them in the worst seed" if len(set(counts)) > 1 else percent(made / asked)
    return Finding(
        code="M009",
        subject="pairs made",
        weight="weakens",
        claims=subject.touched(subject.built_on(arms)),
        message=f"{_told(counts)} preference pairs asked for could be made ({fewest}), and {joined(list(arms))} learned from "
        "these alone",
        numbers={"made": made, "asked": asked},
        remedy="mend the arm that writes the chosen answers, take more training instructions, or ask for fewer pairs",
    )
