"""Count which classes of words follow which in prose, into `evaluators/language/word_orders.txt`.

`uv run python bench/word_orders.py` reads the docstrings of Python's own and of the installed libraries (a lot of prose about
software) and `everyday.txt` (sentences of stories, advice, facts and courtesies, each counted `EVERYDAY` times). Only counts of
classes go into the table, never words.
"""

from __future__ import annotations

import math
import re
import sysconfig
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import evaluators.language
from evaluators.language.word_classes import word_classes
from evaluators.language.word_order import TABLE

EVERYDAY = 300
_DOCSTRING = re.compile(r'"""(.*?)"""', re.DOTALL)
_PARAGRAPH = re.compile(r"\n\s*\n")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")
_WORD = re.compile(r"[\"'(]?[A-Za-z]+(?:'[a-z]+)?[\"')]?[.,;:!?]?[\")]?")
_LARGEST = 400_000
_PRIOR = 2.0
_LOWEST = -40
"""Tenths: what was never seen may still be said."""


def docstrings() -> Iterator[str]:
    """The text of every docstring of the standard library and of the installed packages."""
    paths = sysconfig.get_paths()
    for root in sorted({paths["stdlib"], paths["purelib"]}):
        for path in sorted(Path(root).rglob("*.py")):
            if path.stat().st_size <= _LARGEST:
                yield from _DOCSTRING.findall(path.read_text(encoding="utf-8", errors="ignore"))


def prose(text: str) -> Iterator[str]:
    """The sentences of a text that are prose: 4 to 40 words, nearly all of them plain, from a capital to a full stop."""
    for paragraph in _PARAGRAPH.split(text):
        for sentence in _SENTENCE_END.split(" ".join(paragraph.split())):
            words = sentence.split()
            if not 4 <= len(words) <= 40 or not sentence[0].isupper() or sentence[-1] not in ".!?":
                continue
            plain = sum(_WORD.fullmatch(word) is not None for word in words)
            names = sum(word[0].isupper() for word in words[1:])
            if plain >= 0.95 * len(words) and names <= 0.4 * len(words):
                yield sentence


def table(sentences: Counter[str]) -> str:
    """The log-odds of every two classes, in tenths, with a prior of two pairs at the odds of chance."""
    pairs: Counter[tuple[str, str]] = Counter()
    for sentence, weight in sentences.items():
        for pair in pairwise(word_classes(sentence)):
            pairs[pair] += weight
    first, second = Counter[str](), Counter[str]()
    for (one, other), count in pairs.items():
        first[one] += count
        second[other] += count
    names = sorted(first.keys() | second.keys())
    total = sum(pairs.values())
    lines = [f"# Log-odds, in tenths, of one class of words before another, counted over {len(sentences):,} sentences."]
    for one in names:
        odds = []
        for other in names:
            by_chance = (second[other] + 1) / (total + len(names))
            share = (pairs[one, other] + _PRIOR * by_chance) / (first[one] + _PRIOR)
            odds.append(max(_LOWEST, round(10 * math.log(share / by_chance))))
        lines.append(" ".join([one, *map(str, odds)]))
    return "\n".join(lines) + "\n"


def main() -> None:
    """Count and write."""
    sentences = Counter(dict.fromkeys((each for text in docstrings() for each in prose(text)), 1))
    for line in Path(__file__).with_name("everyday.txt").read_text(encoding="utf-8").splitlines():
        sentences[line] += EVERYDAY
    Path(next(iter(evaluators.language.__path__)), TABLE).write_text(table(sentences), encoding="utf-8")


if __name__ == "__main__":
    main()
