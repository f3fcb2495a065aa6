"""Criterion 3: the response stops when the answer is done."""

from __future__ import annotations

import re

from rapidfuzz import fuzz

from evaluators.criteria.base import Criterion
from evaluators.criteria.forms import exceeds_demand, is_factual
from evaluators.criteria.turning import turns_at
from evaluators.language.continuation import asks_anew, goes_on_to_others
from evaluators.language.loops import has_loop, repeated_sentences
from evaluators.language.text import fold, has_words
from evaluators.view import AnswerView

_TURN_TOKEN = re.compile(
    r"\w\W*(?:</?s>\W*)*(?:\[INST\]|<\|(?:user|im_start|start_header_id)[^\n]{0,20}\|?>)\s*\w", re.IGNORECASE
)
_ANNOUNCED_AGAIN = re.compile(r"\w\W*\n\W*(?:response|answer|output)\W{0,3}:\W*\w", re.IGNORECASE)
_SAME_PROMPT = 85


def judge(view: AnswerView) -> bool:
    """Whether there is no new prompt, no loop and no drift into a continuation. An empty response does not ramble."""
    return not (
        view.marked.after
        or _new_prompt(view)
        or ("repetition" not in view.request.allows and has_loop(view.content))
        or _drifts_on(view)
        or _ran_away(view)
    )


def _new_prompt(view: AnswerView) -> bool:
    """Whether a label opens another turn after the answer, or opens the response with another prompt than the one given.

    So does the token of a chat template that another text follows, and an answer that is announced again.
    """
    announces = "dialogue" in view.request.allows or "answer" in view.request.words
    if _TURN_TOKEN.search(view.response) or (not announces and _ANNOUNCED_AGAIN.search(view.response)):
        return True
    turns = [label for label in view.labels if label.opens_turn]
    if "dialogue" in view.request.allows:
        turns = [label for label in turns if label.name == "instruction"]
    for label in turns:
        line = view.response[label.end :].strip().split("\n", 1)[0]
        if has_words(view.response[: label.start]) or fuzz.ratio(fold(line), fold(view.instruction)) < _SAME_PROMPT:
            return True
    return False


def _drifts_on(view: AnswerView) -> bool:
    if turns_at(view) and view.stance == "answers":
        return True
    if view.request.explains or view.wants_list or view.request.allows & {"dialogue", "question"}:
        return False
    if asks_anew(view.sentences, view.instruction):
        return True
    return view.kind in {"qa", "completion"} and goes_on_to_others(view.sentences, view.request, view.answers or ())


def _ran_away(view: AnswerView) -> bool:
    """Whether the token limit had to stop it when the answer was long done. An essay in full flow is not done."""
    if not view.hit_token_limit or view.marked.found:
        return False
    if exceeds_demand(view) or repeated_sentences(view.content):
        return True
    if is_factual(view):
        return len(view.words) > 30 or len(view.sentences) > 3
    return view.kind in {"qa", "completion"} and not view.request.explains and len(view.sentences) > 4


CRITERION = Criterion(
    name="no_rambling",
    definition="Stops when the answer is done: no new prompt, no loops, no drift into a continuation; not a length cap.",
    sees=("the raw response", "the instruction", "the constraint", "the reference answers", "whether the token limit was hit"),
    blind_to=(
        "padding that neither repeats itself nor changes the subject",
        "a continuation in other words that stays on the subject",
        "loops longer than twelve words that are no whole sentences",
    ),
    judge=judge,
)
