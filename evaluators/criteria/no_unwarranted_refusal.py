"""Criterion 6: the answer does not refuse or deflect."""

from __future__ import annotations

from evaluators.criteria.base import Criterion
from evaluators.view import AnswerView


def judge(view: AnswerView) -> bool:
    """Whether it neither refuses nor deflects. An empty response says no such thing; nor does an echo."""
    return view.is_empty or view.stance == "answers"


CRITERION = Criterion(
    name="no_unwarranted_refusal",
    definition="Does not refuse or deflect a harmless instruction.",
    sees=("the text before the first marker", "the instruction", "the kind", "the reference answers"),
    blind_to=(
        "whether the instruction is harmless: every instruction is taken to be",
        "refusals in languages other than English, a few stock phrases apart",
        "an evasion in words that are to the point, such as praise of the subject",
    ),
    judge=judge,
)
