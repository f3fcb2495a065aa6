"""Whether a text has nothing to do with another: no word in common, none of the same field, and words of other fields."""

from __future__ import annotations

from evaluators.language.stem import stem
from evaluators.language.text import norms
from evaluators.language.topics import bearing, topics_of
from evaluators.language.vocabulary import FUNCTION_WORDS, GENERIC_WORDS
from evaluators.language.wordlists import word_set

_ANY = 0.25
"""What an answer must weigh in other fields to be off a question of fact: any word will do."""
_REFERRING = word_set("it its they them their he him his she her this that these those one ones both neither such there")


def matter(text: str) -> frozenset[str]:
    """Stems of the words that say what a text is about."""
    words = (word for word in norms(text) if word not in FUNCTION_WORDS and word not in GENERIC_WORDS and not word.isdigit())
    return frozenset(stem(word) for word in words)


def is_detached(text: str, context: frozenset[str], *, strict: bool, besides: frozenset[str] = frozenset()) -> bool:
    """Whether a text is about something else than its context. One that opens with a pronoun, which may refer, must say more.

    Args:
        text: a sentence or several.
        context: stems of what was asked and said before.
        strict: whether any word of another field counts, as where a short fact is wanted, or only those of one field together.
        besides: topics that are in place whatever the context, such as sympathy in a reply to a person.
    """
    said, topics = matter(text), topics_of(context)
    if not topics or not said.isdisjoint(context):
        return False
    found = bearing(said, topics | besides)
    refers = not _REFERRING.isdisjoint(norms(text)[:4])
    if found.inside:
        return False
    if strict:
        return found.foreign >= _ANY + refers / 2
    if len(besides) > 1:
        return found.together >= 1 + refers / 2 and found.telling >= 2
    return found.together >= 1 + refers / 2 or found.telling >= 2 + refers
