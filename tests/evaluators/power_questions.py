"""Questions of power as tests ask them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from compiler.checks.method.power import Believed, Question
from compiler.language.assumptions import Assumptions

ALONE = Believed(Assumptions(items_per_family=1.0))
"""The default assumptions, every item a family of its own."""


def recipe_question(items: int, seeds: int, **more: Any) -> Question:
    """Ten points between two trained arms of four, alpha .05, one test."""
    plain = Question(items, seeds, 0.1, 0.05, 1, "holm", "greater", True, (True, True), False, 4, (ALONE,))
    return replace(plain, **more)


def checkpoint_question(items: int, seeds: int = 1, **more: Any) -> Question:
    """Ten points between the checkpoints of two arms."""
    return recipe_question(items, seeds, recipe=False, **more)


def believed(judgements: int = 1, **assumptions: Any) -> Believed:
    """An endpoint under other assumptions than the defaults."""
    return Believed(Assumptions(**({"items_per_family": 1.0} | assumptions)), judgements)
