"""Criterion 7: the answer agrees with a reference answer."""

from __future__ import annotations

from evaluators.criteria.base import Criterion
from evaluators.view import AnswerView


def judge(view: AnswerView) -> bool | None:
    """Whether a reference answer is asserted and not taken back; None without references. An empty response asserts nothing."""
    return view.gives_reference


CRITERION = Criterion(
    name="factually_correct",
    definition=(
        "Agrees with the reference answers (case, articles, units, number words, listed synonyms); null without any; "
        "contradicting itself or negating the answer fails."
    ),
    sees=("the text before the first marker", "the instruction", "the reference answers"),
    blind_to=(
        "what is true but no reference answer says, and what is false beside a right answer",
        "synonyms, translations and misspellings that the references do not list",
        "irony, and contradictions that need knowledge of the subject",
    ),
    judge=judge,
)
