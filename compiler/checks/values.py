"""Values that are right one by one and wrong together."""

from __future__ import annotations

import math
from collections.abc import Iterator

from compiler.checks.subject import Subject
from compiler.diagnostics import Diagnostic, error, quoted
from compiler.language.data import Mix
from compiler.source.tree import Path


def check_duplicates(subject: Subject) -> Iterator[Diagnostic]:
    """Lists in which nothing may stand twice."""
    spec = subject.spec
    yield from _twice(subject, ("seeds",), spec.seeds)
    yield from _twice(subject, ("evaluation", "criteria"), spec.evaluation.criteria)
    yield from _twice(subject, ("evaluation", "primary"), spec.evaluation.primary)
    for name, claim in spec.claims.items():
        yield from _twice(subject, ("claims", name, "on"), claim.on or ())
        yield from _twice(subject, ("claims", name, "compare"), claim.compare)
        yield from _twice(subject, ("claims", name, "isolates"), claim.isolates)


def _twice(subject: Subject, path: Path, values: tuple[object, ...]) -> Iterator[Diagnostic]:
    for index, value in enumerate(values):
        first = values.index(value)
        if first < index:
            message = f"{quoted(value)} is given twice in `{'.'.join(map(str, path))}`"
            finding = error("S108", subject.value(*path, index), message, label="again here", help="keep one of the two")
            yield finding.with_note(f"first given at {subject.value(*path, first)}")


def check_mixes(subject: Subject) -> Iterator[Diagnostic]:
    """The shares of a mix sum to 1."""
    yield from _mix(subject, ("data", "preferences", "rejected"), subject.spec.data.preferences.rejected)
    for name, arm in subject.spec.arms.items():
        if arm.data is not None and arm.data.preferences is not None and "rejected" in arm.data.preferences.model_fields_set:
            yield from _mix(subject, ("arms", name, "data", "preferences", "rejected"), arm.data.preferences.rejected)


def check_assumptions(subject: Subject) -> Iterator[Diagnostic]:
    """The share of discordant items is one that two arms with these rates can have."""
    path = ("analysis", "assumptions", "discordance")
    analysis = subject.spec.analysis
    share, effect, rate = analysis.assumptions.discordance, analysis.smallest_effect, analysis.assumptions.base_rate
    if share is None or rate + effect >= 1 or not subject.draft.is_whole("analysis"):
        return
    most = rate * (1 - rate - effect) + (1 - rate) * (rate + effect)
    if not effect < share <= most + 1e-9:
        rates, shares = f"{rate:.0%} and {rate + effect:.0%}", f"{effect:.0%} to {most:.1%}"
        message = f"arms that pass {rates} differ on {shares} of the items, not on {share:.1%}"
        way_out = f"give a share between {effect:g} and {most:.3g}"
        yield error("S109", subject.value(*path), message, label="out of reach", help=way_out)


def _mix(subject: Subject, path: Path, mix: Mix) -> Iterator[Diagnostic]:
    if isinstance(mix, str) or not subject.draft.is_whole(*path):
        return
    total = math.fsum(mix.values())
    if abs(total - 1) > 1e-6:
        way_out = f"{'add' if total < 1 else 'take away'} {abs(1 - total):.6g}"
        message = f"the shares of `{'.'.join(map(str, path))}` sum to {total:.6g}, not to 1"
        yield error("S107", subject.key(*path), message, label=f"sums to {total:.6g}", help=way_out)
