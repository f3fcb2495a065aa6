"""Criterion 9: the answer stays on the subject."""

from __future__ import annotations

from functools import lru_cache

from evaluators.criteria.base import Criterion
from evaluators.criteria.forms import is_factual
from evaluators.language.stem import stem
from evaluators.language.subject import leaves_subject
from evaluators.language.text import norms
from evaluators.language.vocabulary import content_words
from evaluators.language.wordlists import word_set
from evaluators.view import AnswerView

_STORIES = word_set("story tale poem song dialogue conversation haiku limerick")

_TO_A_PERSON = frozenset({"social", "emotions"})


@lru_cache(maxsize=64)
def judge(view: AnswerView) -> bool:
    """Whether it stays on the instruction's subject. Nothing, or noise, is on no subject; a refusal or an echo has left none."""
    if view.is_empty or view.is_gibberish:
        return False
    anchors = _anchors(view)
    if view.is_salad:
        return not anchors.isdisjoint(stem(word) for word in norms(view.prose))
    if view.stance != "answers" or view.is_echo:
        return True
    return not leaves_subject(
        view.sentences,
        anchors,
        besides=_TO_A_PERSON if view.kind == "response" else frozenset(),
        factual=_is_certain(view),
        tells_story=_tells_story(view),
        ranges_widely=_ranges_widely(view),
    )


def _anchors(view: AnswerView) -> frozenset[str]:
    """Stems of what instruction and reference answers speak of; a word that the answer must use is not its subject."""
    words = [word for answer in view.answers or () for word in content_words(norms(answer))]
    demanded = norms(view.constraint.text) if view.constraint is not None and view.constraint.text else ()
    return (view.request.subject | {stem(word) for word in words}) - {stem(word) for word in demanded}


def _is_certain(view: AnswerView) -> bool:
    return view.kind == "qa" and is_factual(view) and not view.gives_reference


def _ranges_widely(view: AnswerView) -> bool:
    return view.request.prose_items or view.kind == "response"


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
