"""Row 16: held-out items that training has nearly seen, and templates that it knows."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from evaluators.analysis.words import counted, joined
from evaluators.evidence.subject import DECIDED, Looked, Subject, kept, not_done
from evaluators.results import Finding, Verdict

FEWEST = 10
"""Items without which there is nothing left to decide by."""


def check_leakage(subject: Subject) -> Looked:
    """Whether any verdict rests on held-out items that nearly repeat a training instruction."""
    pairs = subject.material.near_duplicates
    if pairs is None:
        return not_done("training instructions were not compared with held-out ones")
    leaked = np.array([item in pairs for item in subject.outcomes.items])
    findings = (*_near_duplicates(subject, leaked), *_families(subject))
    return Looked(f"{int(leaked.sum())} of {len(leaked)} held-out items nearly repeat a training instruction", findings)


def _near_duplicates(subject: Subject, leaked: np.ndarray) -> tuple[Finding, ...]:
    count, total = int(leaked.sum()), len(leaked)
    if not count:
        return ()
    flipped: dict[str, Verdict] = {name: "not testable" for name, verdict in subject.verdicts.items() if verdict in DECIDED}
    if total - count >= FEWEST:
        flipped = subject.flipped(kept(subject.outcomes, ~leaked))
    repeat = f"{count} of {counted(total, 'held-out item')} nearly repeat a training instruction"
    return (
        Finding(
            code="M016",
            subject="leakage",
            weight="blocks" if flipped else "notes",
            claims=tuple(flipped) or tuple(subject.verdicts),
            message=f"{repeat}; {_told(subject, flipped)}",
            numbers={"leaked": count, "items": total, "share": count / total, "flipped": len(flipped)},
            remedy="draw another split, or take the near-duplicates out of the instruction file",
            changes=dict.fromkeys(flipped, "confounded"),
        ),
    )


def _told(subject: Subject, flipped: Mapping[str, Verdict]) -> str:
    if not flipped:
        return "without them every verdict is the same"
    told = [f"{name} ({subject.verdicts[name]} with them, {verdict} without)" for name, verdict in flipped.items()]
    return f"without them the outcome is another for {joined(told)}"


def _families(subject: Subject) -> tuple[Finding, ...]:
    trained = {item.family for item in subject.material.train if item.family}
    shared = sum(item.family in trained for item in subject.items)
    if not shared:
        return ()
    total = len(subject.items)
    return (
        Finding(
            code="M016",
            subject="leakage",
            weight="notes",
            claims=tuple(subject.verdicts),
            message=f"{shared} of {counted(total, 'held-out item')} fill a template that training items fill, too: the results "
            "are about new items of known kinds; standard errors are clustered by template family",
            numbers={"shared": shared, "items": total},
            remedy="hold whole template families out to claim more",
        ),
    )
