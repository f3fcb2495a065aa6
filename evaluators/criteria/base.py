"""What a criterion is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from evaluators.view import AnswerView


@dataclass(frozen=True)
class Criterion:
    """One thing that an answer does or does not do."""

    name: str
    definition: str
    """One sentence, by which a person can label answers."""
    sees: tuple[str, ...]
    """What it may look at."""
    blind_to: tuple[str, ...]
    """What it cannot see, so that nobody trusts it further than it goes."""
    judge: Callable[[AnswerView], bool | float | None]
    """True: it does; False: it does not; None: the criterion does not apply to this answer. Criteria of one's own may give a
    number from 0 (worst) to 1 (best) on an ordinal scale."""
