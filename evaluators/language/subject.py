"""Whether a text stays on the subject of an instruction, sentence by sentence."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from evaluators.language.filler import specific_words
from evaluators.language.patterns import says
from evaluators.language.stem import stem
from evaluators.language.text import norms
from evaluators.language.topics import Told, tell, topics_of
from evaluators.language.vocabulary import AUXILIARIES, content_words
from evaluators.language.wordlists import word_set

_STRONG = 3
"""Words of one other field from which a sentence in a text that is otherwise on its subject has left it."""


_REFERRING = word_set("it its they them their he him his she her")
_POINTING = word_set("this that these those here there one both neither i we you")
_DEFINITION = re.compile(r"^\W*(?:an?|the) ((?:[\w'-]+ ){1,3}?)(?:is|are) (?:an?|the) ", re.IGNORECASE)


class Weight(NamedTuple):
    """How a text or sentence bears on the subject."""

    words: int
    shared: int
    """Words that instruction or reference answers have too; one more where it opens with such a word."""
    inside: int
    """Other words of the subject's own field."""
    near: float
    """How much links it: 1 for a word of the subject, 1 for another of its field, 1/2 for one of a neighbouring field."""
    foreign: float
    """How many of its words speak of one other field, where that outweighs what links it; else 0."""
    drifts: bool
    """It opens by changing the subject."""


def weigh(text: str, anchors: frozenset[str], besides: frozenset[str]) -> Weight:
    """Weigh a text against the stems of what instruction and references speak of, and topics that are always in place."""
    words = norms(text)
    content = [stem(word) for word in content_words(words)]
    topics = topics_of(anchors)
    told = tell(set(content) - anchors, topics | besides) if topics else Told(0, 0, 0)
    shared = len(anchors.intersection(content)) + (bool(content) and content[0] in anchors)
    near = shared + told.inside + told.beside / 2
    outweighs = (told.elsewhere >= 2 and told.elsewhere >= 3 * near) or (
        near == 0 and told.elsewhere >= 1 and len(content) <= 2
    )
    foreign = told.elsewhere if outweighs else 0.0
    return Weight(len(words), shared, told.inside, near, foreign, drifts=says(text, "replies", "drift"))


def leaves_subject(
    sentences: Sequence[str],
    anchors: frozenset[str],
    *,
    besides: frozenset[str] = frozenset(),
    enough: float = 2,
    factual: bool = False,
    tells_story: bool = False,
) -> bool:
    """Whether a text is about something else, or turns to something else.

    Args:
        sentences: the sentences of the text.
        anchors: stems of what the instruction and its reference answers speak of; without any, nothing can be told.
        besides: topics that are in place whatever the subject, such as sympathy in a reply to a person.
        enough: how many words of one other field put a text off its subject that shares nothing with it.
        factual: whether a short, certain answer is wanted: then a sentence that shares nothing with the question is off it.
        tells_story: whether stories and poems are told, which wander by right as long as they touch the subject once.
    """
    if not anchors or not sentences:
        return False
    whole = weigh(" ".join(sentences), anchors, besides)
    opening = sentences[0]
    if not whole.shared and (whole.drifts or (factual and not whole.inside and _stands_apart(opening, anchors))):
        return True
    if whole.near < 1:
        return whole.foreign >= enough or (not tells_story and _defines_other(opening, anchors))
    if tells_story:
        return whole.foreign >= _STRONG
    weights = [weigh(sentence, anchors, besides) for sentence in sentences]
    away = sum(weight.words for weight in weights if weight.foreign >= _STRONG)
    return away * 5 >= 2 * whole.words or any(weight.drifts and weight.foreign for weight in weights)


def _stands_apart(sentence: str, anchors: frozenset[str]) -> bool:
    """Whether a whole sentence shares no word with the question and has no pronoun that could refer to it."""
    words = norms(sentence)
    whole = len(words) >= 5 or (len(words) == 4 and not AUXILIARIES.isdisjoint(words))
    return (
        whole
        and len(specific_words(words, anchors)) >= 2
        and _REFERRING.isdisjoint(words[:3] if len(words) > 6 else words)
        and words[0] not in _POINTING
    )


def _defines_other(sentence: str, anchors: frozenset[str]) -> bool:
    """Whether a sentence says what something else is: "A magnet is an object that attracts iron"."""
    match = _DEFINITION.match(sentence)
    return match is not None and anchors.isdisjoint(stem(word) for word in norms(match[1]))
