"""Letters that make no words: judged by how likely their sequences are in English, so that names and rare words pass."""

from __future__ import annotations

import math
import re
from collections import Counter
from functools import cache, lru_cache

from evaluators.language.text import plain
from evaluators.language.topics import lexicon
from evaluators.language.vocabulary import FUNCTION_WORDS, GENERIC_WORDS, TASK_WORDS

_WORD = re.compile(r"[A-Za-z]+(?:'[A-Za-z]+)?")
_VOWELS = frozenset("aeiouy")
_CONSONANT_RUN = re.compile(r"[bcdfghjklmnpqrstvwxz]{6,}")
_LETTERS = 27
_UNLIKELY = -4.0
"""Mean natural log-probability of a letter given the two before it, at and below which a word looks like no word."""
_KEYBOARD_RUN = re.compile("asdf|sdfg|dfgh|fghj|ghjk|hjkl|qwer|zxcv|xcvb|cvbn|vbnm|lkjh|kjhg|jhgf|poiu|mnbv|nbvc|fdsa")
_SCRAP, _FEW_SCRAPS = 3, 3
"""So many words of three consonants are no words."""
_LONGEST_WORD = 46


@cache
def _counts() -> tuple[Counter[str], Counter[str]]:
    triples: Counter[str] = Counter()
    pairs: Counter[str] = Counter()
    for word in {*lexicon().words, *FUNCTION_WORDS, *GENERIC_WORDS, *TASK_WORDS}:
        padded = f"^^{word}$"
        for place in range(2, len(padded)):
            triples[padded[place - 2 : place + 1]] += 1
            pairs[padded[place - 2 : place]] += 1
    return triples, pairs


@lru_cache(maxsize=50_000)
def likelihood(word: str) -> float:
    """Mean log-probability per letter of a folded word, under letter trigrams of ordinary English words."""
    triples, pairs = _counts()
    padded = f"^^{word}$"
    total = sum(
        math.log((triples[padded[place - 2 : place + 1]] + 0.05) / (pairs[padded[place - 2 : place]] + 0.05 * _LETTERS))
        for place in range(2, len(padded))
    )
    return total / (len(padded) - 2)


def is_gibberish(text: str) -> bool:
    """Whether the text is keyboard noise: two unlikely words or more, two in five of all, and one that no word could be.

    Names are unlikely words too, so capitalised words count only where nothing else is there, and one or two words alone must
    have no vowel, six consonants in a row or a run of neighbouring keys. Short words, numbers and other scripts are not judged.
    """
    words = [word for word in _WORD.findall(plain(text)) if len(word) >= 4 and "'" not in word]
    if any(len(word) > _LONGEST_WORD for word in words):
        return True
    scraps = [word for word in _WORD.findall(text) if len(word) == _SCRAP and word.islower() and _VOWELS.isdisjoint(word)]
    if len(scraps) >= _FEW_SCRAPS:
        return True
    words = [word for word in words if word[0].islower()] or words
    folded = [word.casefold() for word in words]
    if len(folded) < 3:
        return any(_is_noise(word) and len(word) > 4 for word in folded)
    if not any(map(_is_noise, folded)):
        return False
    unlikely = sum(_is_noise(word) or likelihood(word) <= _UNLIKELY for word in folded)
    return unlikely >= 2 and unlikely * 5 >= len(folded) * 2


@lru_cache(maxsize=50_000)
def _is_noise(word: str) -> bool:
    return _VOWELS.isdisjoint(word) or bool(_CONSONANT_RUN.search(word) or _KEYBOARD_RUN.search(word))
