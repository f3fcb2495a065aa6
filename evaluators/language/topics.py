"""Which subjects a text speaks of, by a lexicon of telling words (`topics.txt`); words it does not hold tell nothing."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from typing import NamedTuple

from evaluators.language.stem import stem
from evaluators.language.text import norms
from evaluators.language.vocabulary import FUNCTION_WORDS, GENERIC_WORDS

_EVERYDAY = "everyday"
_TELLS_LITTLE = 0.25
"""What an everyday word weighs against one that tells its field."""


@dataclass(frozen=True)
class Lexicon:
    """Words by topic, and which topics are neighbours."""

    topics_of: Mapping[str, frozenset[str]]
    """Topics by the stem of a word."""
    near: Mapping[str, frozenset[str]]
    """A topic and its neighbours, both ways."""
    everyday: frozenset[str]
    """Stems of words so common that they turn up whatever is spoken of."""
    words: frozenset[str]
    """All words of the lexicon, as written."""


@cache
def lexicon() -> Lexicon:
    """The lexicon of `topics.txt`, read once."""
    topics_of: dict[str, set[str]] = {}
    near: dict[str, set[str]] = {}
    written: set[str] = set()
    everyday: set[str] = set()
    for line in files("evaluators.language").joinpath("topics.txt").read_text(encoding="utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        head, _, words = line.partition(":")
        topic, _, neighbours = head.partition("~")
        topic = topic.strip()
        if topic == _EVERYDAY:
            everyday.update(map(stem, words.split()))
            continue
        for neighbour in (topic, *neighbours.split()):
            near.setdefault(topic, set()).add(neighbour)
            near.setdefault(neighbour, set()).add(topic)
        for word in words.split():
            written.add(word)
            topics_of.setdefault(stem(word), set()).add(topic)
    return Lexicon(
        {word: frozenset(topics) for word, topics in topics_of.items()},
        {topic: frozenset(neighbours) for topic, neighbours in near.items()},
        frozenset(everyday),
        frozenset(written),
    )


def matter(text: str) -> frozenset[str]:
    """Stems of the words that say what a text is about."""
    words = (word for word in norms(text) if word not in FUNCTION_WORDS and word not in GENERIC_WORDS and not word.isdigit())
    return frozenset(stem(word) for word in words)


@lru_cache(maxsize=4096)
def topics_of(stems: frozenset[str]) -> frozenset[str]:
    """The topics that these words belong to."""
    return frozenset(topic for word in stems for topic in lexicon().topics_of.get(word, ()))


@lru_cache(maxsize=4096)
def neighbourhood(topics: frozenset[str]) -> frozenset[str]:
    """These topics and those next to them."""
    return frozenset(neighbour for topic in topics for neighbour in lexicon().near[topic])


@lru_cache(maxsize=4096)
def _tells(word: str) -> float:
    """What a word of the lexicon, given by its stem, weighs: everyday words little."""
    book = lexicon()
    return _TELLS_LITTLE if word in book.everyday else _weight(book.topics_of[word])


@lru_cache(maxsize=4096)
def _weight(topics: frozenset[str]) -> float:
    """1 where a word's topics are all neighbours of one of them, so that it tells its field; else 1/2."""
    return 1.0 if any(topics <= lexicon().near[topic] for topic in topics) else 0.5


class Bearing(NamedTuple):
    """How a text bears on given topics."""

    inside: float
    """Words of these topics; everyday words weigh little."""
    foreign: float
    """Words of topics that are neither these nor next to them."""
    together: float
    """The same, of one such field and those next to it."""
    telling: int
    """How many words are foreign at all."""


def bearing(stems: Collection[str], topics: frozenset[str], near: frozenset[str]) -> Bearing:
    """Weigh words, given by their stems; those that the lexicon does not hold bear on nothing.

    Args:
        stems: the words.
        topics: what they should be about.
        near: topics that are not foreign, besides.
    """
    book, near = lexicon(), near | topics
    known = [(word, found) for word in stems if (found := book.topics_of.get(word))]
    fields: dict[str, float] = {}
    inside, foreign, telling = 0.0, 0.0, 0
    for word, found in known:
        weight = _tells(word)
        inside += weight if not found.isdisjoint(topics) else 0.0
        if found.isdisjoint(near):
            telling += 1
            foreign += weight
            fields.update((field, fields.get(field, 0.0) + weight) for field in neighbourhood(found))
    return Bearing(inside, foreign, max(fields.values(), default=0.0), telling)
