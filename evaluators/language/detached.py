"""Whether a text has nothing to do with another: no word in common, none of the same field, and words of other fields."""

from __future__ import annotations

from dataclasses import dataclass

from evaluators.language.stem import stem
from evaluators.language.text import norms, tokens
from evaluators.language.topics import Bearing, bearing, lexicon, neighbourhood, topics_of
from evaluators.language.vocabulary import FUNCTION_WORDS, GENERIC_WORDS
from evaluators.language.wordlists import word_set

_ANY = 0.25
"""What an answer must weigh in other fields to be off a question of fact: any word will do."""
_SOMETHING, _MUCH = 2, 3
_REFERRING = word_set("it its they them their he him his she her this that these those one ones both neither such there")


def matter(text: str) -> frozenset[str]:
    """Stems of the words that say what a text is about."""
    words = (word for word in norms(text) if word not in FUNCTION_WORDS and word not in GENERIC_WORDS and not word.isdigit())
    return frozenset(stem(word) for word in words)


@dataclass(frozen=True)
class Expectation:
    """How a text must hang together with its context."""

    strict: bool = False
    """Any word of another field counts, as where a short fact is wanted; else it takes several, of one field together."""
    linked: bool = False
    """A text that says much and has no link to its context is about something else, whatever its words are."""
    loose: bool = False
    """Much may come from elsewhere: stories wander, and what is said to a person need not name what he said."""
    enough: float = 1.5
    """How much must be of one other field where much may come from elsewhere; a telling word is 1."""
    outweighs: float = 10
    """How many times more of one other field makes up for a word of the context's own."""
    besides: frozenset[str] = frozenset()
    """Topics that are in place whatever the context, such as sympathy in a reply to a person."""


def is_detached(text: str, context: frozenset[str], expected: Expectation) -> bool:
    """Whether a text is about something else than its context. One that opens with a pronoun, which may refer, must say more.

    Args:
        text: a sentence or several.
        context: stems of what was asked and said before.
        expected: how it must hang together.
    """
    said = matter(text)
    if not said.isdisjoint(context):
        return False
    topics = topics_of(context)
    near = neighbourhood(topics_of(_telling(context))) if expected.linked else neighbourhood(topics)
    found = bearing(said, topics, near | expected.besides)
    refers = not _REFERRING.isdisjoint(norms(text)[:4])
    if found.inside and found.together < expected.outweighs * found.inside:
        return False
    if expected.linked and not found.inside and not refers and _says(text) >= (_SOMETHING if expected.strict else _MUCH):
        return True
    return bool(topics) and _is_of_other_fields(found, refers, expected)


def _is_of_other_fields(found: Bearing, refers: bool, expected: Expectation) -> bool:
    if expected.strict:
        return found.foreign >= _ANY + refers / 2
    if expected.loose:
        return found.together >= expected.enough + refers / 2 and found.together * 2 > found.foreign
    return found.together >= 1 + refers / 2 or found.telling >= 2 + refers


def _telling(context: frozenset[str]) -> frozenset[str]:
    """The words of a context that tell its field, where there are any."""
    book = lexicon()
    known = frozenset(word for word in context if word in book.topics_of and word not in book.everyday)
    return known or context


def _says(text: str) -> int:
    """How many words say something and are no names."""
    plain = {token.norm for token in tokens(text) if token.raw[0].islower()}
    return len(plain - FUNCTION_WORDS - GENERIC_WORDS)
