"""The nine criteria, in the order of the contract; each lives in the module of its name."""

from __future__ import annotations

from evaluators.criteria import (
    addresses_instruction,
    appropriate_length,
    coherent,
    ends_with_end,
    factually_correct,
    no_rambling,
    no_unwarranted_refusal,
    on_topic,
    proper_structure,
)
from evaluators.criteria.base import Criterion

CRITERIA: tuple[Criterion, ...] = (
    ends_with_end.CRITERION,
    proper_structure.CRITERION,
    no_rambling.CRITERION,
    addresses_instruction.CRITERION,
    appropriate_length.CRITERION,
    no_unwarranted_refusal.CRITERION,
    factually_correct.CRITERION,
    coherent.CRITERION,
    on_topic.CRITERION,
)

__all__ = ["CRITERIA", "Criterion"]
