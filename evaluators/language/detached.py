"""Whether a text has nothing to do with another: no word in common, none of the same field, and words of other fields."""

from __future__ import annotations

from dataclasses import dataclass

from evaluators.language.stem import stem
from evaluators.language.text import norms, tokens
from evaluators.language.topics import bearing, topics_of
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
    besides: frozenset[str] = frozenset()
    """Topics that are in place whatever the context, such as sympathy in a reply to a person."""


def is_detached(text: str, context: frozenset[str], expected: Expectation) -> bool:
    """Whether a text is about something else than its context. One that opens with a pronoun, which may refer, must say more.

    Args:
        text: a sentence or several.
        context: stems of what was asked and said before.
        expected: how it must hang together.
    """
    said, topics = matter(text), topics_of(context)
    if not said.isdisjoint(context):
        return False
    refers = not _REFERRING.isdisjoint(norms(text)[:4])
    found = bearing(said, topics | expected.besides)
    if found.inside:
        return False
    if expected.linked and not refers and _says(text) >= (_SOMETHING if expected.strict else _MUCH):
        return True
    if not topics:
        return False
    if expected.strict:
        return found.foreign >= _ANY + refers / 2
    if len(expected.besides) > 1:
        return found.together >= 1 + refers / 2 and found.telling >= 2
    return found.together >= 1 + refers / 2 or found.telling >= 2 + refers


def _says(text: str) -> int:
    """How many words say something and are no names."""
    plain = {token.norm for token in tokens(text) if token.raw[0].islower()}
    return len(plain - FUNCTION_WORDS - GENERIC_WORDS)
