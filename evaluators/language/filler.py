"""Vague filler: sentences that would fit under any question."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from evaluators.language.patterns import says
from evaluators.language.sentences import sentences
from evaluators.language.stem import stem
from evaluators.language.text import counted_words, norms
from evaluators.language.vocabulary import FUNCTION_WORDS, GENERIC_WORDS, VAGUE_WORDS

_SHORT = 6
"""Words below which only the stock phrases count: short answers are specific by being short."""


def is_filler(text: str, subject: frozenset[str]) -> bool:
    """Whether a text says nothing in particular, however often it names its subject.

    Args:
        text: the answer.
        subject: stems of what the instruction is about; to name it again is nothing particular.
    """
    if len(counted_words(text)) < _SHORT:
        return says(text, "filler", "short")
    words, parts = norms(text), sentences(text)
    specific = len(set(specific_words(words, subject)))
    if specific * 4 > len(words):
        return False
    stock = sum(count for part, count in Counter(parts).items() if says(part, "filler", "phrases"))
    if specific * 12 <= len(words):
        return stock > 0 or sum(word in VAGUE_WORDS for word in words) >= 3 or says(text, "filler", "short")
    return stock * 2 >= len(parts)


def specific_words(words: Sequence[str], subject: frozenset[str]) -> list[str]:
    """The words that say something in particular: neither function words, nor generic, nor the subject itself."""
    return [word for word in words if word not in FUNCTION_WORDS and word not in GENERIC_WORDS and stem(word) not in subject]
