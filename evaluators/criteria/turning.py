"""Where an answer turns to something else: the first sentence that has nothing to do with the instruction or what went before."""

from __future__ import annotations

import re
from functools import lru_cache

from evaluators.criteria.forms import is_factual
from evaluators.language.detached import is_detached, matter
from evaluators.language.stem import stem
from evaluators.language.text import counted_words, norms
from evaluators.language.vocabulary import FUNCTION_WORDS, TASK_WORDS
from evaluators.view import AnswerView

_ABOUT_WORDS = frozenset({"spelling", "transform", "foreign"})
"""Tasks about words, which may be words of anything."""
_LIKENESS = re.compile(
    r"\b(?:like|as \w+ as|simile|metaphor)\W*$|\b(?:simile|metaphor|rhym\w+|words? (?:for|that|which|with|starting|beginning|meaning))\b",
    re.IGNORECASE,
)
_MADE_UP = re.compile(
    r"\b(?:stor(?:y|ies)|tale|fable|poem|song|haiku|limerick|couplet|verse|riddle|joke|dialogue)\b", re.IGNORECASE
)
_TO_A_PERSON = frozenset({"social", "emotions"})
_FEELINGS = frozenset({"emotions"})
_IN_A_STORY = frozenset({"stories", "emotions", "home"})
_SHORTEST = 4
"""Words from which a later sentence says enough to be about something."""


@lru_cache(maxsize=64)
def turns_at(view: AnswerView) -> int | None:
    """The number of the first sentence that is about something else; 0 where the whole answer is, None where none is."""
    asked = _asked(view)
    strict, besides = is_factual(view), _besides(view)  # a short fact needs no other field
    if not strict and (view.request.allows & _ABOUT_WORDS or _LIKENESS.search(view.request.stem)):
        return None
    if not view.gives_reference and is_detached(view.prose, asked, strict=strict, besides=besides):
        return 0
    said = set(asked)
    for place, sentence in enumerate(view.sentences):
        long_enough = len(counted_words(sentence)) >= _SHORTEST
        if place and long_enough and is_detached(sentence, frozenset(said), strict=strict, besides=besides):
            return place
        said.update(matter(sentence))
    return None


def _asked(view: AnswerView) -> frozenset[str]:
    """Stems of what instruction and references speak of."""
    words = (word for word in norms(view.instruction) if word not in FUNCTION_WORDS and word not in TASK_WORDS)
    return frozenset(stem(word) for word in words).union(*(matter(answer) for answer in view.answers or ()))


def _besides(view: AnswerView) -> frozenset[str]:
    """What a reply to a person, and what a story or poem may speak of whatever the subject."""
    if is_factual(view):
        return frozenset()
    if view.kind == "response" or "dialogue" in view.request.allows:
        return _TO_A_PERSON
    return _IN_A_STORY if view.kind == "completion" or _MADE_UP.search(view.instruction) else _FEELINGS
