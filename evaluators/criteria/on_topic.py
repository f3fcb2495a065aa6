"""Criterion 9: the answer stays on the subject."""

from __future__ import annotations

from functools import lru_cache

from evaluators.criteria.base import Criterion
from evaluators.criteria.turning import declines_elsewhere, is_elsewhere, leaks_another_subject, names_no_subject, turns_at
from evaluators.view import AnswerView


@lru_cache(maxsize=64)
def judge(view: AnswerView) -> bool:
    """Whether it stays on the instruction's subject. Nothing, or noise, is on none; refusal, echo and filler leave none."""
    if view.is_empty or view.is_gibberish:
        return False
    if leaks_another_subject(view):
        return False
    if view.is_salad:
        return not (is_elsewhere(view) or turns_at(view))
    if view.stance != "answers" or view.is_echo or view.is_filler:
        return not turns_at(view) and not declines_elsewhere(view)
    return names_no_subject(view) or turns_at(view) is None


CRITERION = Criterion(
    name="on_topic",
    definition="Stays on the instruction's subject; a wrong fact about it is still on topic.",
    sees=("the text before the first marker", "the instruction", "the constraint", "the words of the reference answers"),
    blind_to=(
        "what sentences mean: it sees what their words have to do with those of the instruction",
        "another sense of a shared word, such as the capital of a company",
        "languages other than English",
    ),
    judge=judge,
)
