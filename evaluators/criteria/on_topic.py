"""Criterion 9: the answer stays on the subject."""

from __future__ import annotations

import re
from functools import lru_cache

from evaluators.criteria.base import Criterion
from evaluators.criteria.forms import is_factual
from evaluators.criteria.turning import names_no_subject, turns_at
from evaluators.language.detached import matter
from evaluators.language.patterns import spoken
from evaluators.language.stem import stem
from evaluators.language.subject import Subject, leaves_subject
from evaluators.language.text import counted_words, norms
from evaluators.language.topics import bearing, neighbourhood, topics_of
from evaluators.language.vocabulary import content_words
from evaluators.language.wordlists import word_set
from evaluators.view import AnswerView

_STORIES = word_set("story tale poem song dialogue conversation haiku limerick")

_MUST_USE = re.compile(r"\b(?:contain\w*|includ\w*|us(?:e|es|ing)|with|start\w*|begin\w*)((?: [\w'\"-]+){1,6})")
_REPLY = re.compile(r"\b(?:repl(?:y|ies)|respond\w*|says?|said|polite\w*|dialogue)\b", re.IGNORECASE)
_ADVICE = re.compile(r"\b(?:advice|advise|suggest\w*|recommend\w*|what (?:can|could|should) i|ideas?)\b", re.IGNORECASE)
_TO_A_PERSON = frozenset({"social", "emotions"})


@lru_cache(maxsize=64)
def judge(view: AnswerView) -> bool:
    """Whether it stays on the instruction's subject. Nothing, or noise, is on none; refusal, echo and filler leave none."""
    if view.is_empty or view.is_gibberish:
        return False
    anchors = _anchors(view)
    if view.is_salad:
        return not anchors.isdisjoint(stem(word) for word in norms(view.prose)) or _holds_the_field(view, anchors)
    if view.stance != "answers" or view.is_echo or view.is_filler:
        return True
    if names_no_subject(view):
        return True
    if turns_at(view) is not None:
        return False
    subject = Subject(
        anchors,
        named=view.request.asked_for,
        besides=_TO_A_PERSON if _replies(view) and not _is_impersonal(view) else frozenset(),
        enough=_enough(view),
        factual=_is_certain(view),
        impersonal=_is_impersonal(view),
        tells_story=_tells_story(view),
    )
    return not leaves_subject(view.sentences, subject)


def _holds_the_field(view: AnswerView, anchors: frozenset[str]) -> bool:
    """Whether the nouns of a heap of words are of the subject's field."""
    topics = topics_of(anchors)
    found = bearing(matter(view.prose), topics, neighbourhood(topics))
    return found.inside > found.foreign


def _anchors(view: AnswerView) -> frozenset[str]:
    """Stems of what instruction and reference answers speak of; a word that the answer must use is not its subject for that."""
    words = [word for answer in view.answers or () for word in content_words(norms(answer))]
    stated = view.request.subject | {stem(word) for word in words}
    if view.constraint is None or not view.constraint.text:
        return stated
    demanded = norms(view.constraint.text)
    must_use = _MUST_USE.search(spoken(view.instruction))
    return stated - {stem(word) for word in demanded} if must_use and demanded and demanded[0] in norms(must_use[1]) else stated


def _replies(view: AnswerView) -> bool:
    return view.kind == "response" or "dialogue" in view.request.allows or bool(_REPLY.search(view.instruction))


def _enough(view: AnswerView) -> float:
    """How much must be foreign: one word where a name is wanted, more where advice or ideas may come from any field."""
    if _is_certain(view):
        names = all(answer[:1].isupper() and len(answer) > 2 for answer in view.answers or ())
        return 1 if names and not any(word.raw[0].isupper() for word in view.discourse.words[1:]) else 2
    several = len(view.sentences) > 1 and (view.request.prose_items or view.kind == "response")
    return 3 if several or _ADVICE.search(view.instruction) else 2


def _is_certain(view: AnswerView) -> bool:
    """Whether there is a short right answer, and it was not given."""
    return (
        bool(view.answers)
        and view.gives_reference is False
        and all(len(counted_words(answer)) <= 6 for answer in view.answers or ())
    )


def _is_impersonal(view: AnswerView) -> bool:
    """Whether a fact or an explanation is wanted, and no word to a person."""
    if is_factual(view):
        return True
    asks = view.kind == "qa" or (view.request.explains and view.kind != "response")
    return asks and not view.request.allows & {"dialogue", "apology"}


def _tells_story(view: AnswerView) -> bool:
    return view.limits.implied in _STORIES or "story" in view.instruction.casefold()


CRITERION = Criterion(
    name="on_topic",
    definition="Stays on the instruction's subject; a wrong fact about it is still on topic.",
    sees=("the text before the first marker", "the instruction", "the words of the reference answers"),
    blind_to=(
        "subjects whose words the topic lexicon does not hold, where no word is shared with the instruction",
        "another sense of a shared word, such as the capital of a company",
        "languages other than English",
    ),
    judge=judge,
)
