"""Whether words come in an order that a sentence could have, told by how well each class of words goes before the next.

`word_orders.txt` holds, for every two classes, the logarithm of how much more often than by chance the second follows the
first in English prose. A sentence is held against all orders of its own words: one that fits no better is a heap of words.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from evaluators.language.text import counted_words
from evaluators.language.word_classes import word_classes

TABLE = "word_orders.txt"
_FEWEST = 6
"""Words from which an order can be told from chance."""
_LONG = 8
_WEIGHT = 4.0
_AS_BY_CHANCE, _IN_FEW_WORDS = -0.2, -1.0
"""What a sentence of `_LONG` words and more, or a shorter one, must exceed: `_WEIGHT` times its mean and what is above chance.

Of 658 good sentences one in 160 does not, of their shuffled words seven in ten.
"""
_EXPANSE, _IN_MANY_WORDS = 18, -0.05
"""Words from which neighbours must fit on average: a long heap has some good pairs, and more of the others."""
_CANNOT_CLOSE = re.compile(
    r"\b(?:the|an|my|your|our|their|every|who|which|whose|because|and|or|but|if|than|although|whereas|unless)[.!]\W*$",
    re.IGNORECASE,
)
"""Words that call for another one, before the full stop."""
_ENUMERATOR = re.compile(r"^\W*\d{1,2}[.):]\s+")
_SYMBOLS = re.compile(r"[=+*/<>^|\\]|\d\s*[x-]\s*\d")


class Orders(NamedTuple):
    """The table."""

    place: Mapping[str, int]
    """Row and column by class."""
    odds: NDArray[np.float64]
    """Natural logarithm of p(second | first) / p(second)."""


class Fit(NamedTuple):
    """How well a sentence's words are ordered."""

    mean: float
    """Mean log-odds of its neighbours; 0: as good as chance in prose at large."""
    above_chance: float
    """By how many standard deviations it fits better than its own words in any order."""


@cache
def orders() -> Orders:
    """The table of `word_orders.txt`, read once; its numbers are tenths."""
    text = files("evaluators.language").joinpath(TABLE).read_text(encoding="utf-8")
    rows = [line.split() for line in text.splitlines() if line and not line.startswith("#")]
    return Orders(
        {row[0]: place for place, row in enumerate(rows)}, np.array([[int(value) / 10 for value in row[1:]] for row in rows])
    )


def is_disordered(sentence: str) -> bool:
    """Whether its words stand in no order that language has. Short sentences, questions, sums and lists are not judged."""
    text = _ENUMERATOR.sub("", sentence)
    if _CANNOT_CLOSE.search(text):
        return True
    if (
        len(counted_words(text)) < _FEWEST
        or _SYMBOLS.search(text)
        or text.rstrip("\"')").endswith("?")
        or text.count(",") * 4 > len(counted_words(text))
    ):
        return False
    fit = order_fit(text)
    if len(counted_words(text)) >= _EXPANSE and fit.mean < _IN_MANY_WORDS:
        return True
    least = _AS_BY_CHANCE if len(counted_words(text)) >= _LONG else _IN_FEW_WORDS
    return _WEIGHT * fit.mean + fit.above_chance < least


def order_fit(sentence: str) -> Fit:
    """How well the words of a sentence are ordered."""
    return _fit(word_classes(sentence))


def _fit(classes: Sequence[str]) -> Fit:
    place, odds = orders()
    row = np.array([place[name] for name in classes])
    inner = row[1:-1]
    n = len(inner)
    if n < 3:
        return Fit(math.inf, math.inf)
    real = float(odds[row[:-1], row[1:]].sum())
    pairs = odds[np.ix_(inner, inner)]
    same = np.diagonal(pairs)  # a word does not follow itself
    mean = float(pairs.sum() - same.sum()) / (n * (n - 1))
    variance = float((pairs * pairs).sum() - (same * same).sum()) / (n * (n - 1)) - mean * mean
    chance = float(odds[row[0], inner].sum() + odds[inner, row[-1]].sum()) / n + (n - 1) * mean
    spread = math.sqrt(max((n + 1) * variance, 0.0))
    return Fit(real / (n + 1), (real - chance) / spread if spread > 0 else math.inf)
