"""What can only be known from data or results: declared before the run, checked after it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from compiler.checks.method.design import Design, is_dpo


@dataclass(frozen=True, slots=True)
class Later:
    """A check that waits for data or results."""

    row: int
    what: str
    needs: str
    """The kind of step whose artifact it reads."""


def _has_dpo(design: Design) -> bool:
    return any(is_dpo(arm) for arm in design.arms.values())


def _always(_: Design) -> bool:
    return True


_LATER: tuple[tuple[Later, Callable[[Design], bool]], ...] = (
    (Later(3, "trained tokens per arm", "train"), _always),
    (Later(4, "overlap of demonstrations and chosen answers", "preferences"), _has_dpo),
    (Later(6, "log-probability of the pairs under each reference", "reference"), _has_dpo),
    (Later(9, "versions of the rules that build and that grade", "preferences"), _has_dpo),
    (Later(10, "length gap in pairs and answers, truncation", "respond"), _always),
    (Later(12, "base rate: room left to improve", "score"), _always),
    (Later(14, "correlation of the criteria", "score"), _always),
    (Later(16, "near-duplicates across the split", "instructions"), _always),
    (Later(17, "no-END and parse-fail rates", "respond"), _always),
    (
        Later(18, "fingerprints of the rendered prompts; isolation: an arm answers alike whatever ran before it", "respond"),
        _always,
    ),
    (Later(20, "chosen log-probability, margins", "train"), _has_dpo),
    (Later(22, "items missing in one arm", "score"), _always),
)


def checked_after(design: Design) -> tuple[Later, ...]:
    """The checks that wait, in the order of their rows; none without claims."""
    return tuple(later for later, applies in _LATER if applies(design)) if design.spec.claims else ()


NOT_APPLICABLE = (("M021", "no model judges: all criteria are rules"),)
"""Codes of mistakes that cannot be made here, and why."""
