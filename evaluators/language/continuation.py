"""Going on after the answer is done: the next prompt without a label, the same statement about the next thing."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rapidfuzz import fuzz

from evaluators.language.request import Request
from evaluators.language.text import norms
from evaluators.language.vocabulary import ARTICLES, FUNCTION_WORDS, NEGATIONS
from evaluators.language.wordlists import word_set

_LIST_NUMBER = re.compile(r"^\W*\d{1,3}[.)]\s+")
_CONTRAST = NEGATIONS | word_set("while whereas unlike but instead however")
_LIKE_THE_PROMPT = 65
"""Similarity (rapidfuzz ratio, 0-100) from which a later question is the instruction with another filling."""
_IMPERATIVES = word_set(
    """
    list name write give complete tell what who which when where how why explain describe is are can does do finish
    """
)


def asks_anew(sentences: Sequence[str], instruction: str) -> bool:
    """Whether a later sentence is a prompt of the same make: "What is the capital of Spain?" after one about France."""
    asked = norms(instruction)
    if not asked:
        return False
    for sentence in sentences[1:]:
        words = norms(_LIST_NUMBER.sub("", sentence))
        prompts = sentence.rstrip().endswith("?") or (words[:1] and words[0] in _IMPERATIVES and words[0] == asked[0])
        if (
            prompts
            and len(words) >= 3
            and words[0] == asked[0]
            and fuzz.ratio(" ".join(words), " ".join(asked)) >= _LIKE_THE_PROMPT
        ):
            return True
    return False


def goes_on_to_others(sentences: Sequence[str], request: Request, references: Sequence[str]) -> bool:
    """Whether later sentences say of other things what was asked of one: "The capital of Spain is Madrid. ..."."""
    known = {word for reference in references for word in norms(reference)} | request.words
    frames = _frames(norms(request.stem))
    for sentence in sentences[1:]:
        words = norms(sentence)
        if not _CONTRAST.isdisjoint(words):
            continue
        for place in range(2, len(words)):
            other = words[place]
            if words[place - 2 : place] in frames and other not in known and other not in FUNCTION_WORDS:
                return True
    return False


def _frames(words: tuple[str, ...]) -> set[tuple[str, ...]]:
    """The pairs of words before each thing the prompt speaks of, such as `capital of` before France; articles do not count."""
    plain = tuple(word for word in words if word not in ARTICLES)
    return {
        plain[place - 2 : place]
        for place in range(2, len(plain))
        if plain[place] not in FUNCTION_WORDS and plain[place - 1] in FUNCTION_WORDS and plain[place - 2] not in FUNCTION_WORDS
    }
