"""Criterion 4: the answer does the task, right or wrong."""

from __future__ import annotations

import re

from evaluators.criteria.base import Criterion
from evaluators.criteria.forms import has_form
from evaluators.criteria.kind_of_answer import is_kind_asked_for
from evaluators.criteria.turning import turns_at
from evaluators.criteria.whole_task import does_the_whole_task
from evaluators.language.text import counted_words, has_words, norms, without_speech
from evaluators.language.vocabulary import NEGATIONS
from evaluators.view import AnswerView

_LITTLE = 5
_TO_DECLINE = re.compile(r"\b(?:declin\w+|turn(?:ing|s)? down|refus(?:e|es|ing)|reject\w*|say(?:ing)? no)\b", re.IGNORECASE)
_TO_ACCEPT = re.compile(r"\b(?:accept(?:s|ing|ance)?|say(?:ing)? yes(?! or)|agree to)\b", re.IGNORECASE)
_SAYS_YES = re.compile(
    r"\W*(?:yes|yeah|sure|of course|certainly|absolutely|gladly|with pleasure|happy to|count me in|"
    r"i(?:'d|'ll| would| will) (?:love|be (?:glad|happy|delighted|there|honou?red)))\b",
    re.IGNORECASE,
)
_HOLDS_BACK = re.compile(r"\b(?:but|unfortunately|afraid|sorry|regret|pass on|busy|wish)\b", re.IGNORECASE)


def judge(view: AnswerView) -> bool:
    """Whether the task asked is done, before another turn opens. An empty response does nothing."""
    view = view.before_next_turn
    if view.is_empty or view.is_gibberish or view.is_salad or view.is_looped:
        return False
    if view.is_nonsense and not view.gives_reference:
        return False
    if view.stance != "answers" or view.is_echo or view.is_filler:
        return False
    if _takes_the_other_side(view) or _only_opens_a_turn(view):
        return False
    if _is_unfilled(view) or not has_form(view) or (not view.gives_reference and not does_the_whole_task(view)):
        return False
    return bool(view.gives_reference) or (is_kind_asked_for(view) and turns_at(view) != 0)


def _takes_the_other_side(view: AnswerView) -> bool:
    """Whether it accepts what was to be declined, or declines what was to be accepted."""
    wanted = without_speech(view.instruction)
    to_decline = _TO_DECLINE.search(wanted) is not None
    if not to_decline and not _TO_ACCEPT.search(wanted):
        return False
    said = next(iter(view.sentences), "")
    accepts = _SAYS_YES.match(said) is not None
    denies = not NEGATIONS.isdisjoint(norms(said)) or _HOLDS_BACK.search(said) is not None
    return accepts and not denies if to_decline else denies and not accepts


def _only_opens_a_turn(view: AnswerView) -> bool:
    """Whether all that there is stands behind a label of somebody who asks: "User: ..."."""
    if len(view.labels) != 1 or view.gives_reference:
        return False
    label = view.labels[0]
    return label.opens_turn and not has_words(view.response[: label.start])


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
