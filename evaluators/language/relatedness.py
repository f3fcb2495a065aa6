"""How likely a text is about its context: a logistic regression on what its words have to do with those of the context.

`relatedness.json` holds its weights; `bench/relatedness.py` learns them from labelled answers and from mixtures of good ones.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

from evaluators.language.meaning import likeness, telling_words
from evaluators.language.text import norms
from evaluators.language.topics import bearing, matter, neighbourhood, topics_of
from evaluators.language.vocabulary import TASK_WORDS
from evaluators.language.wordlists import word_set

Place = Literal["opening", "later"]
"""The answer itself, or its opening; or what stands behind an answer."""

_REFERRING = word_set("it its they them their he him his she her this that these those one ones both neither such there")
_OPENING_WORDS = 4
_FEWEST = 2
"""Telling words from which a text is about something; a short, certain answer is with one."""
_TO_YOU = word_set("you your yours")


@dataclass(frozen=True)
class Context:
    """What a text should be about: what was asked and, for a later part, what was said before."""

    words: Mapping[str, str]
    """Its telling words by their stems, without those that any task may be put in."""
    stems: frozenset[str]
    """Stems of what it is about."""
    speaks_to_you: bool
    demanded: frozenset[str] = frozenset()
    """Stems of words that the answer must use: they say nothing about what it is about."""

    @classmethod
    def of(cls, text: str, demanded: frozenset[str] = frozenset()) -> Context:
        """The context that a text makes."""
        telling = {
            word: written
            for word, written in telling_words(text).items()
            if word not in demanded and written.casefold() not in TASK_WORDS
        }
        return cls(telling, matter(text) - demanded, not _TO_YOU.isdisjoint(norms(text)), demanded)

    def then(self, said: str) -> Context:
        """The context after more has been said."""
        more = Context.of(said, self.demanded)
        return Context(
            {**self.words, **more.words}, self.stems | more.stems, self.speaks_to_you or more.speaks_to_you, self.demanded
        )

    def without_demanded(self, text: str) -> Mapping[str, str]:
        """The telling words of a text but for those that it must use."""
        return {word: written for word, written in telling_words(text).items() if word not in self.demanded}


@dataclass(frozen=True)
class Expected:
    """What kind of answer is wanted: some wander by right."""

    factual: bool
    generation: bool
    response: bool
    personal: bool
    completion: bool
    invents: bool
    items: bool
    ideas: bool


def relatedness(text: str, context: Context, expected: Expected, place: Place) -> float | None:
    """The probability that a text is about its context; None where either says too little to tell."""
    found = features(text, context, expected)
    if found is None:
        return None
    weights = _weights()[place]
    return 1 / (1 + math.exp(-weights["constant"] - sum(weights[name] * value for name, value in found.items())))


def features(text: str, context: Context, expected: Expected) -> dict[str, float] | None:
    """What the regression sees, by name."""
    said, asked = context.without_demanded(text), context.words
    if not asked or len(said) < (1 if expected.factual else _FEWEST):
        return None
    near, words = likeness(said, asked), norms(text)
    topics = topics_of(context.stems)
    fields = bearing(matter(text) - context.stems - context.demanded, topics, neighbourhood(topics))
    return {
        "nearest": near.nearest,
        "together": near.together,
        "length": math.log1p(len(said)),
        "context": math.log1p(len(asked)),
        "inside": fields.inside,
        "foreign": fields.foreign,
        "field": fields.together,
        "strangers": float(fields.telling),
        "refers": float(not _REFERRING.isdisjoint(words[:_OPENING_WORDS])),
        "to_you": float(context.speaks_to_you and not _TO_YOU.isdisjoint(words)),
        **{f"expects_{name}": float(value) for name, value in vars(expected).items()},
    }


@cache
def _weights() -> Mapping[str, Mapping[str, float]]:
    weights: dict[str, dict[str, float]] = json.loads(
        files("evaluators.language").joinpath("relatedness.json").read_text(encoding="utf-8")
    )
    return weights
