"""Can the criteria detect a difference? Which of them mirror a negative type, and which claims rest on those alone."""

from __future__ import annotations

from collections.abc import Iterator

from compiler.checks.method import Design
from compiler.checks.method.design import MIRRORED, Comparison, is_dpo, negatives
from compiler.checks.method.pairs import MIRRORED_BACK, shown
from compiler.diagnostics import counted
from compiler.language.evidence import PREFERENCE_ACCURACY


def mirrored(design: Design) -> tuple[str, ...]:
    """The criteria that fail what some arm is shown as bad, in the order of the negative types."""
    kinds = {kind for arm in design.arms.values() for kind in negatives(arm)}
    return tuple(MIRRORED[kind] for kind in MIRRORED if kind in kinds and MIRRORED[kind] in design.spec.evaluation.criteria)


def resting(design: Design) -> Iterator[Comparison]:
    """The claims whose every endpoint was rehearsed by the arm ahead alone, without a control on one that was not.

    The preference accuracy is measured on all five negative types, so an arm that was shown any of them rehearsed it.
    """
    fresh = [comparison for comparison in design.comparisons if _rehearsed(design, comparison) and _fresh(design, comparison)]
    for comparison in design.comparisons:
        if _rehearsed(design, comparison) and not _fresh(design, comparison):
            start = design.policy(comparison.ahead.parent)
            if not any(is_dpo(other.ahead) and design.policy(other.ahead.parent) == start for other in fresh):
                yield comparison


def _rehearsed(design: Design, comparison: Comparison) -> frozenset[str]:
    """The negative types that only the arm ahead was shown."""
    return shown(design, comparison.ahead) - shown(design, comparison.behind)


def _fresh(design: Design, comparison: Comparison) -> bool:
    kinds = _rehearsed(design, comparison)
    return any(e != PREFERENCE_ACCURACY and MIRRORED_BACK.get(e) not in kinds for e in comparison.endpoints)


def told(design: Design, resting_on: tuple[Comparison, ...]) -> str:
    """The answer: how many criteria and claims before the colon, which of them and what it means after it."""
    found, criteria = mirrored(design), design.spec.evaluation.criteria
    if not found:
        return f"0 of {len(criteria)} criteria mirrored by negatives"
    rest = [name for name in criteria if name not in found]
    claims = counted(len(design.spec.claims), "claim")
    more = f"only {', '.join(rest)} can show more" if rest else "no criterion is left to show more"
    verb = "rests" if len(resting_on) == 1 else "rest"
    return (
        f"{len(found)} of {len(criteria)} criteria mirrored by negatives; {len(resting_on)} of {claims} {verb} on what only "
        f"one arm rehearsed{_named(resting_on)} {', '.join(found)} and {PREFERENCE_ACCURACY} ask for what the negatives "
        f"lack; between an arm that was shown these as bad and one that was not they show what was rehearsed, and {more}"
    )


def _named(comparisons: tuple[Comparison, ...]) -> str:
    return f": {', '.join(comparison.name for comparison in comparisons)};" if comparisons else ":"
