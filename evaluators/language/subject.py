"""Whether a text stays on the subject of an instruction, sentence by sentence."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from evaluators.language.filler import specific_words
from evaluators.language.patterns import says
from evaluators.language.stem import stem
from evaluators.language.text import norms
from evaluators.language.topics import Told, lexicon, tell, topics_of
from evaluators.language.vocabulary import AUXILIARIES, FUNCTION_WORDS, GENERIC_WORDS, content_words
from evaluators.language.wordlists import word_set

_STRONG = 3
"""Words of one other field from which a sentence in a text that is otherwise on its subject has left it."""


_FEW = 4
"""Of so many particular words, one of the subject's field is an accident."""
_REFERRING = word_set("it its they them their he him his she her")
_POSSESSIVE = word_set("its their his")
_SPEAKERS = word_set("i we you there")
_DEMONSTRATIVE = word_set("this that these those")
_POINTING = word_set("this that these those here there one both neither i we you")


@dataclass(frozen=True)
class Subject:
    """What a text should be about, and how strictly."""

    anchors: frozenset[str]
    """Stems of what the instruction and its reference answers speak of."""
    named: frozenset[str] = frozenset()
    """Stems of all words of the instruction, its task words too."""
    besides: frozenset[str] = frozenset()
    """Topics that are in place whatever the subject, such as sympathy in a reply to a person."""
    enough: float = 2
    """How many words of one other field put a text off a subject that it shares nothing with."""
    factual: bool = False
    """A short, certain answer is wanted: a sentence that shares nothing with the question is off it."""
    impersonal: bool = False
    """The question is about the world: what one says to a person is no part of an answer."""
    tells_story: bool = False
    """Stories and poems wander by right, as long as they touch their subject once."""


class Weight(NamedTuple):
    """How a text or sentence bears on the subject."""

    words: int
    shared: int
    """Words that instruction or reference answers have too; one more where it opens with such a word."""
    inside: int
    """Other words of the subject's own field."""
    near: float
    """How much links it: 1 for a word of the subject, 1 for another of its field, 1/2 for one of a neighbouring field."""
    elsewhere: float
    """How many of its words speak of one other field."""
    foreign: float
    """The same where that outweighs what links it, else 0."""


def weigh(text: str, subject: Subject) -> Weight:
    """Weigh a text against its subject."""
    words = norms(text)
    content = [stem(word) for word in content_words(words)]
    topics = topics_of(subject.anchors)
    told = tell(set(content) - subject.anchors, topics | subject.besides) if topics else Told(0, 0, 0)
    shared = len(subject.anchors.intersection(content)) + (bool(content) and content[0] in subject.anchors)
    near = shared + told.inside + told.beside / 2
    alone = near == 0 and told.elsewhere >= 1 and len(content) <= 2 and not lexicon().everyday.issuperset(content)
    outweighs = alone or (told.elsewhere >= 2 and told.elsewhere >= 3 * near)
    return Weight(len(words), shared, told.inside, near, told.elsewhere, told.elsewhere if outweighs else 0.0)


def leaves_subject(sentences: Sequence[str], subject: Subject) -> bool:
    """Whether a text, given by its sentences, is about something else, or turns to something else."""
    if not subject.anchors or not sentences:
        return False
    whole, opening = weigh(" ".join(sentences), subject), sentences[0]
    if not whole.shared and (_turns_away(opening) or (subject.impersonal and whole.near < 1 and _is_courtesy(opening))):
        return True
    if subject.factual and not whole.shared and (_states_another_matter(opening, subject) or _is_catalogue(sentences, whole)):
        return True
    if not subject.tells_story and _defines_other(opening, subject, "an?|the" if whole.near < 1 else "an?"):
        return True
    if whole.near < 1:
        return whole.foreign >= subject.enough
    return whole.foreign >= _STRONG if subject.tells_story else _drifts(sentences, whole, subject)


def _drifts(sentences: Sequence[str], whole: Weight, subject: Subject) -> bool:
    """Whether two fifths of a text that touches its subject are on another, or a sentence turns to another in so many words."""
    turning = [sentence for sentence in sentences if _turns_away(sentence)]
    if any(weigh(sentence, subject).foreign for sentence in turning):
        return True
    if whole.elsewhere < _STRONG:
        return False
    weights = [weigh(sentence, subject) for sentence in sentences]
    return sum(weight.words for weight in weights if weight.foreign >= _STRONG) * 5 >= 2 * whole.words


def _turns_away(sentence: str) -> bool:
    return says(sentence, "replies", "drift")


def _states_another_matter(opening: str, subject: Subject) -> bool:
    """Whether a sentence that shares no word with a question of fact is on something else.

    A single word of the same field among many others does not tie it to the question; nor does a reason that nobody asked for.
    """
    words = norms(opening)
    tied = weigh(opening, subject).inside * _FEW > len(specific_words(words, subject.anchors))
    return not tied and ("because" in words or _stands_apart(opening, subject))


def _is_catalogue(sentences: Sequence[str], whole: Weight) -> bool:
    """Whether three words or more are listed that have nothing to do with a question of fact."""
    named = {each.casefold() for each in sentences if any(letter.isalpha() for letter in each)}
    return len(named) >= 3 and whole.near < 1 and all(len(norms(each)) <= 2 for each in sentences)


def _is_courtesy(sentence: str) -> bool:
    return says(sentence, "replies", "courtesy")


def _stands_apart(sentence: str, subject: Subject) -> bool:
    """Whether a whole sentence shares no word with the question and has no pronoun that could refer to it."""
    words = norms(sentence)
    whole = len(words) >= 5 or (len(words) == 4 and not AUXILIARIES.isdisjoint(words))
    specific = specific_words(words, subject.anchors)
    return whole and len(specific) >= 2 and not _refers(words, len(specific)) and not _hedges(sentence)


def _refers(words: Sequence[str], specific: int) -> bool:
    """Whether a pronoun may stand for what was asked about.

    "Its" and "their" do so only in front of what they could else belong to. "I", "you" and "there" open many a sentence: one
    that goes on to say much in particular is about that.
    """
    first = next((place for place, word in enumerate(words) if word not in FUNCTION_WORDS), len(words))
    bound = {word for word in words[first:] if word in _POSSESSIVE}
    referring = set(words[:3] if len(words) > 6 else words) & _REFERRING - (bound - set(words[:first]))
    if referring:
        return True
    if words[0] in _SPEAKERS:
        return specific < 3 or not _REFERRING.isdisjoint(words) or not _DEMONSTRATIVE.isdisjoint(words)
    if words[0] in _DEMONSTRATIVE and words[1] not in FUNCTION_WORDS and words[1] not in GENERIC_WORDS:
        return False  # "this soup" is no answer to a question that says nothing of soup
    return words[0] in _POINTING


def _hedges(sentence: str) -> bool:
    return says(sentence, "replies", "hedging")


def _defines_other(sentence: str, subject: Subject, articles: str) -> bool:
    """Whether a sentence says what something else is, and names nothing of the subject: "A magnet is an object of iron"."""
    opens = re.match(rf"\W*(?:{articles}) (?:[\w'-]+ ){{1,3}}?(?:is|are) (?:an?|the) ", sentence, re.IGNORECASE)
    return opens is not None and (subject.anchors | subject.named).isdisjoint(stem(word) for word in norms(sentence))
