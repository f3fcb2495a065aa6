"""Criterion 1: the answer stops by itself, with the marker last."""

from __future__ import annotations

from evaluators.criteria.base import Criterion
from evaluators.view import AnswerView


def judge(view: AnswerView) -> bool:
    """Whether a marker was written, nothing follows the first one, and the token limit did not end the response."""
    return view.marked.found and not view.marked.after and not view.hit_token_limit


CRITERION = Criterion(
    name="ends_with_end",
    definition="Stops by itself with the END marker last; not cut off by the limit; nothing after it.",
    sees=("the raw response", "whether the token limit was hit"),
    blind_to=("a marker that the decoder removed: responses must keep it",),
    judge=judge,
)
