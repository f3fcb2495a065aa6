"""Where an answer turns to something else: the first sentence that has nothing to do with what was asked or said before."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache

from evaluators.criteria.forms import is_factual
from evaluators.language.detached import Expectation, is_detached, matter
from evaluators.language.numbers import quantities
from evaluators.language.patterns import says
from evaluators.language.stem import stem
from evaluators.language.text import counted_words, fold, norms
from evaluators.language.vocabulary import FUNCTION_WORDS, TASK_WORDS
from evaluators.language.word_classes import word_classes
from evaluators.language.wordlists import word_set
from evaluators.view import AnswerView

_ABOUT_WORDS = frozenset({"spelling", "transform"})
"""Tasks about words, which may be words of anything."""
_LIKENESS = re.compile(
    r"\b(?:like|as \w+ as)\W*$|\b(?:simile|metaphor|rhym\w+|translat\w+)\b|"
    r"\bwords? (?:for|that|which|with|starting|beginning|meaning)\b",
    re.IGNORECASE,
)
_ABOUT = re.compile(r"\b(?:about|on the (?:subject|topic) of)\b", re.IGNORECASE)
_OF_SOMETHING = re.compile(
    r"\b(?:about|for|of|on|with|to|from|between|in which|where|who|that|describ\w+)\b|:|\"", re.IGNORECASE
)
_HOW_TO = re.compile(r"\bhow (?:to|would|should)\b|\btips?\b|\bways?\b", re.IGNORECASE)
_TO_SEND = re.compile(
    r"\b(?:notes?|messages?|letters?|e-?mails?|invitations?|cards?|wish\w*|toasts?|apolog\w+)\b", re.IGNORECASE
)
_OF_THE_WORLD = re.compile(
    r"\W*(?:is|are|does|do|did|was|were|can|what|which|why|when|where|who|how|explain|describe|give|list|name|tell|define|write)\b",
    re.IGNORECASE,
)
_PERSONAL = re.compile(r"\b(?:I|I'm|my|we|our|you|your|reply|says?|friend|polite\w*)\b", re.IGNORECASE)
_IDEAS = re.compile(
    r"\b(?:tips?|ideas?|advice|advise|suggest\w*|recommend\w*|should i|(?:can|could|do|would) i|what to|gifts?|presents?)\b",
    re.IGNORECASE,
)
_SPOKEN_TO = word_set("i you your we me my us our please thanks thank sorry let")
_WHAT_WAS_SAID = word_set("that this it")
_TO_A_PERSON = frozenset({"social", "emotions"})
_FEELINGS = frozenset({"emotions"})
_GOOD_FOR = frozenset({"emotions", "mind", "health"})
_IN_A_STORY = frozenset({"stories", "emotions", "home"})
_CLAUSE = re.compile(
    r",?\s+(?:and|but|so),?\s+(?=(?:well|then|so|i|we|he|she|they|the|my|our|in|a)\b)|;\s+|\s+[-–—]\s+", re.IGNORECASE
)
_LATER = 7
"""How many words of another field outweigh one of the context's own in a later sentence, which has the answer behind it."""
_FEW = 2
_SHORTEST = 4
"""Words from which a later sentence says enough to be about something."""


@lru_cache(maxsize=64)
def turns_at(view: AnswerView) -> int | None:
    """The number of the first sentence that is about something else; 0 where the whole answer is, None where none is."""
    if _may_say_anything(view):
        return None
    asked, besides = _asked(view), _besides(view)
    expected = Expectation(is_factual(view), _needs_a_link(view), _is_loose(view, besides), besides=besides)
    elsewhere = not view.gives_reference and is_detached(view.prose, asked, expected)
    opening = view.sentences[0] if view.sentences else ""
    if (elsewhere and is_detached(opening, asked, expected)) or (expected.strict and _is_another_kind(view)):
        return 0
    said, begun = set(asked), False
    wanders = 2.5 if view.request.invents else expected.enough
    later = replace(expected, linked=expected.linked and view.kind != "generation", outweighs=_LATER, enough=wanders)
    for place, sentence in enumerate(view.sentences):
        for part in _CLAUSE.split(sentence) if view.gives_reference or view.wants_list else [sentence]:
            if begun and _is_elsewhere(part, asked, frozenset(said), later):
                return max(place, 1)
            said |= matter(part)
            begun = True
    return 0 if elsewhere else None


def names_no_subject(view: AnswerView) -> bool:
    """Whether a story, a joke or a title is wanted, and not of what."""
    return view.kind == "generation" and view.request.invents and not _OF_SOMETHING.search(view.instruction)


def _may_say_anything(view: AnswerView) -> bool:
    """Whether words of any field may come: in tasks about words, likenesses, riddles, wrong guesses that end a sentence."""
    if "riddle" in view.instruction.casefold():
        return True
    if len(view.words) == 1 and any(word.startswith(fold(view.words[0]).strip(".")) for word in norms(view.instruction)):
        return True  # a guess made from the question's own word
    if names_no_subject(view):
        return True
    named = any(each[:1].isupper() for each in view.answers or ())
    if view.kind == "completion" and len(view.words) <= _FEW and not named:
        return True
    about_words = view.request.allows & _ABOUT_WORDS or _LIKENESS.search(view.request.stem)
    return not is_factual(view) and bool(about_words)


def _is_elsewhere(sentence: str, asked: frozenset[str], said: frozenset[str], expected: Expectation) -> bool:
    """Whether a later sentence has left, by what it says or by saying so ("by the way")."""
    if says(sentence, "replies", "drift") and matter(sentence).isdisjoint(asked):
        return True
    return len(counted_words(sentence)) >= _SHORTEST and is_detached(sentence, said, expected)


def _is_another_kind(view: AnswerView) -> bool:
    """Whether a bare number, or a year, stands where none was wanted."""
    numeric = view.request.answer_type in {"number", "time"} or any(quantities(answer) for answer in view.answers or ())
    bare = all(word in FUNCTION_WORDS or quantities(word) for word in norms(view.prose))
    return not numeric and len(view.words) <= _FEW and bare and bool(quantities(view.prose))


def _asked(view: AnswerView) -> frozenset[str]:
    """Stems of what instruction and references speak of."""
    words = (word for word in norms(view.instruction) if word not in FUNCTION_WORDS and word not in TASK_WORDS)
    return frozenset(stem(word) for word in words).union(*(matter(answer) for answer in view.answers or ()))


def _needs_a_link(view: AnswerView) -> bool:
    """Whether a good answer cannot but speak of what was asked: a question about the world, a text about something."""
    if is_factual(view) or (view.kind == "generation" and _ABOUT.search(view.instruction) and not view.request.invents):
        return True
    return (
        view.kind == "qa"
        and not _PERSONAL.search(view.instruction)
        and not view.request.invents
        and not _HOW_TO.search(view.instruction)
    )


def _is_loose(view: AnswerView, besides: frozenset[str]) -> bool:
    """Whether a story is told, ideas are given, or a person is spoken to."""
    if besides == _TO_A_PERSON:
        words = norms(view.prose)
        spoken_to = not _SPOKEN_TO.isdisjoint(words) or not _WHAT_WAS_SAID.isdisjoint(words[:3])
        return spoken_to or _suggests(view) or _IDEAS.search(view.instruction) is not None
    return not is_factual(view) and (
        besides == _IN_A_STORY or view.request.prose_items or view.wants_list or _IDEAS.search(view.instruction) is not None
    )


def _is_personal(instruction: str) -> bool:
    """Whether one person speaks to another, and no question about the world is put."""
    return _PERSONAL.search(instruction) is not None or not _OF_THE_WORLD.match(instruction)


def _suggests(view: AnswerView) -> bool:
    """Whether it opens as a suggestion does: with a verb, or with "how about"."""
    return word_classes(view.sentences[0])[1] in {"go", "where"} if view.sentences else False


def _besides(view: AnswerView) -> frozenset[str]:
    """What a reply to a person, a story or a reason may speak of whatever the subject."""
    if is_factual(view):
        return frozenset()
    if "dialogue" in view.request.allows or _TO_SEND.search(view.instruction):
        return _TO_A_PERSON
    if view.kind == "response" and _is_personal(view.instruction):
        return _TO_A_PERSON
    if view.request.prose_items:
        return _GOOD_FOR
    return _IN_A_STORY if view.kind == "completion" or view.request.invents else _FEELINGS
