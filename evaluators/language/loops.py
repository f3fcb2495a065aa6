"""Loops: words, phrases, sentences or lines that repeat themselves."""

from __future__ import annotations

import re
from collections import Counter
from functools import lru_cache
from itertools import pairwise

from evaluators.language.sentences import sentences
from evaluators.language.text import fold

_CHARACTER_RUN = re.compile(r"([^\W\d_])\1{7,}|([^\s\d.\-_=*~#])\2{15,}|((?:[^\W\d_]{2,4}))\3{5,}")
_WORD = re.compile(r"[^\W_]+(?:['-][^\W_]+)*")
_ENUMERATOR = re.compile(r"^\W*\d{1,3}[.)]\s+")
_LONGEST_PHRASE = 12
_FEWEST_TRIPLES, _CIRCLE = 12, 0.8
"""Three words in a row, of which no more than this share differ where a text runs in circles."""
_WORDS_LOOKED_AT = 4000


@lru_cache(maxsize=256)
def has_loop(text: str) -> bool:
    """Whether the text runs in circles: a word 4 times in a row, a phrase 3 times, a longer sentence twice in a row, and such.

    A refrain (a line that comes back after others) and doubling for emphasis ("very, very") are no loops.
    """
    words = _words(text)
    return bool(_CHARACTER_RUN.search(text)) or _repeated_in_a_row(words) or _runs_in_circles(words) or _sentence_loop(text)


@lru_cache(maxsize=256)
def has_phrase_loop(text: str) -> bool:
    """Whether words or phrases within a sentence repeat in a row: such text is not well-formed language either."""
    if not has_loop(text):
        return False
    return bool(_CHARACTER_RUN.search(text)) or any(_repeated_in_a_row(_words(each)) for each in dict.fromkeys(sentences(text)))


def _words(text: str) -> list[str]:
    return _WORD.findall(fold(text))[:_WORDS_LOOKED_AT]


def _repeated_in_a_row(words: list[str]) -> bool:
    for size in range(1, _LONGEST_PHRASE + 1):
        needed = size * (3 if size == 1 else 2)
        run = 0
        for place in range(size, len(words)):
            run = run + 1 if words[place] == words[place - size] else 0
            if run >= needed:
                return not _is_counting(words[place - size : place])
    return False


def _runs_in_circles(words: list[str]) -> bool:
    """Whether the same words in the same order make up most of a text, not always in a row."""
    triples = list(zip(words, words[1:], words[2:], strict=False))
    return len(triples) >= _FEWEST_TRIPLES and len(set(triples)) <= _CIRCLE * len(triples)


def _is_counting(phrase: list[str]) -> bool:
    return all(word.isdigit() for word in phrase)


def _sentence_loop(text: str) -> bool:
    units = [_ENUMERATOR.sub("", unit) for sentence in sentences(text) for unit in _units(sentence)]
    keys = [" ".join(_WORD.findall(fold(unit))) for unit in units]
    keys = [key for key in keys if key]
    twice = any(first == second and len(first.split()) >= 3 for first, second in pairwise(keys))
    return twice or _often(keys) or _often_but_for_numbers(keys) or repeated_sentences(text) * 3 >= max(len(keys), 6)


def repeated_sentences(text: str) -> int:
    """How many sentences or lines of four words or more say again what an earlier one said, word for word."""
    said = [_words(unit) for sentence in sentences(text) for unit in _units(sentence)]
    counted = Counter(" ".join(words) for words in said if len(words) >= 4)
    return sum(counted.values()) - len(counted)


def _units(sentence: str) -> list[str]:
    return [line for line in sentence.splitlines() if line.strip()]


def _often(keys: list[str]) -> bool:
    """Whether one unit comes three times and makes up more than a third of the text."""
    if not keys:
        return False
    count = Counter(keys).most_common(1)[0][1]
    return count >= 3 and count * 3 > len(keys)


def _often_but_for_numbers(keys: list[str]) -> bool:
    """Whether four units differ in nothing but their numbers, as in "Item 1 is good. Item 2 is good." """
    shapes = Counter(
        re.sub(r"\d+", "#", key) for key in keys if len(re.findall(r"[^\W\d_]{2,}", key)) >= 3 and re.search(r"\d", key)
    )
    return any(count >= 4 for count in shapes.values())
