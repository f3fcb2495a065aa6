"""Whether a text stays on the subject of an instruction, sentence by sentence."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from evaluators.language.filler import specific_words
from evaluators.language.stem import stem
from evaluators.language.text import norms
from evaluators.language.topics import Told, lexicon, tell, topics_of
from evaluators.language.vocabulary import PRONOUNS, content_words

_DRIFT = re.compile(
    r"^\W*(?:by the way|speaking of|on another note|on a different note|in other news|that reminds me|anyway|unrelated|incidentally|"
    r"changing the subject|as an aside|off topic|meanwhile|fun fact|did you know)\b",
    re.IGNORECASE,
)


_STRONG = 3
"""Words of one other field from which a sentence in a text that is otherwise on its subject has left it."""


class Weight(NamedTuple):
    """How a text or sentence bears on the subject."""

    words: int
    near: float
    """How much links it: 1 for a word of the subject, 1 for another of its field, 1/2 for one of a neighbouring field."""
    foreign: float
    """How many of its words speak of one other field, where that outweighs what links it; else 0."""
    drifts: bool
    """It opens by changing the subject."""


def weigh(text: str, anchors: frozenset[str], besides: frozenset[str]) -> Weight:
    """Weigh a text against the stems of what instruction and reference answers speak of, and topics that are always in place."""
    words = norms(text)
    content = [stem(word) for word in content_words(words)]
    topics = topics_of(anchors)
    told = tell(set(content) - anchors, topics | besides) if topics else Told(0, 0)
    near = told.inside + (not anchors.isdisjoint(content))
    outweighs = (told.elsewhere >= 2 and told.elsewhere >= 3 * near) or (
        near == 0 and told.elsewhere >= 1 and len(content) <= 2
    )
    return Weight(len(words), near, told.elsewhere if outweighs else 0.0, drifts=bool(_DRIFT.match(text)))


def leaves_subject(
    sentences: Sequence[str],
    anchors: frozenset[str],
    *,
    besides: frozenset[str] = frozenset(),
    factual: bool = False,
    tells_story: bool = False,
    ranges_widely: bool = False,
) -> bool:
    """Whether a text is about something else, or turns to something else.

    Args:
        sentences: the sentences of the text.
        anchors: stems of what the instruction and its reference answers speak of; without any, nothing can be told.
        besides: topics that are in place whatever the subject, such as sympathy in a reply to a person.
        factual: whether a short, certain answer is wanted: then one foreign word, or a long sentence that shares nothing with the
            question, is off it.
        tells_story: whether stories and poems are told, which wander by right as long as they touch the subject once.
        ranges_widely: whether tips, reasons or advice are given, each of which may come from another field.
    """
    if not anchors or not sentences:
        return False
    whole = weigh(" ".join(sentences), anchors, besides)
    if whole.near < 1:
        enough = 1 if factual else 3 if ranges_widely and len(sentences) > 1 else 2
        return whole.foreign >= enough or (factual and whole.near == 0 and _speaks_at_length(sentences, anchors))
    if tells_story:
        return whole.foreign >= _STRONG
    weights = [weigh(sentence, anchors, besides) for sentence in sentences]
    away = sum(weight.words for weight in weights if weight.foreign >= _STRONG)
    return away * 5 >= 2 * whole.words or any(weight.drifts and weight.foreign for weight in weights)


def _speaks_at_length(sentences: Sequence[str], anchors: frozenset[str]) -> bool:
    """Whether a first sentence of five or more specific, known-to-be-English words stands without a pronoun that could refer back."""
    words = norms(sentences[0]) if sentences else ()
    specific = specific_words(words, anchors)
    return len(specific) >= 5 and words[0] not in PRONOUNS and any(stem(word) in lexicon().topics_of for word in specific)
