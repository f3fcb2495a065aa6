"""Criterion 4: the answer does the task, right or wrong."""

from __future__ import annotations

from evaluators.criteria.base import Criterion
from evaluators.criteria.forms import has_form
from evaluators.criteria.kind_of_answer import is_kind_asked_for
from evaluators.criteria.turning import turns_at
from evaluators.criteria.whole_task import does_the_whole_task
from evaluators.language.text import counted_words
from evaluators.view import AnswerView

_LITTLE = 5


def judge(view: AnswerView) -> bool:
    """Whether the task asked is done, before another turn opens. An empty response does nothing."""
    view = view.before_next_turn
    if view.is_empty or view.is_gibberish or view.is_salad or view.is_looped:
        return False
    if view.is_nonsense and not view.gives_reference:
        return False
    if view.stance != "answers" or view.is_echo or view.is_filler:
        return False
    if _is_unfilled(view) or not has_form(view) or (not view.gives_reference and not does_the_whole_task(view)):
        return False
    return bool(view.gives_reference) or (is_kind_asked_for(view) and turns_at(view) != 0)


def _is_unfilled(view: AnswerView) -> bool:
    """Whether gaps stand where the answer should: "The answer is: {answer}"."""
    if "template" in view.request.allows or not view.placeholders or view.gives_reference:
        return False
    left = view.prose
    for slot in view.placeholders:
        left = left.replace(slot, " ")
    return len(counted_words(left)) <= _LITTLE


CRITERION = Criterion(
    name="addresses_instruction",
    definition=(
        "Does the task asked (kind of answer, number of items, constraint), whether or not the facts are right; "
        "a refusal, an echo, a question back or vague filler fails."
    ),
    sees=(
        "the text before the first marker",
        "the instruction",
        "the kind",
        "the constraint",
        "the kind of the reference answers",
    ),
    blind_to=(
        "whether a poem is a poem or a translation a translation: the form is judged by lines, words and marks",
        "whether the items of a list are of the kind asked for, where their words have something to do with it",
        "vagueness in particular words",
    ),
    judge=judge,
)
