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
from evaluators.language.numbers import quantities
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
_OF_ME = word_set("i me my mine we us our ours")
_ADVISES = word_set(
    """
    add ask avoid book boil bring buy call change check choose clean close cook cover cut drink dry eat fold get give go hold
    keep learn leave let look make measure mix move open pick place plan play pour press put read remember remove rest say see
    send set share start stay stop switch take talk tell thank think touch try turn use visit wait walk wash wear wipe write
    """
)
"""Words that begin advice or a recipe, which may be on anything that was asked without naming it."""
_SOON = 12
"""Words within which "it" and "them" speak of what was asked."""


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
    amount: bool = False


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
        "amounts": float(expected.amount and any(map(quantities, words[:_SOON]))),
        "begins_with_it": float(next(iter(said)) in asked),
        **_voice(words, expected),
        **{f"expects_{name}": float(value) for name, value in vars(expected).items() if name != "amount"},
    }


def _voice(words: tuple[str, ...], expected: Expected) -> dict[str, float]:
    """Who speaks to whom: a word to somebody, or advice, need not name what it is about; a statement about the world does."""
    of_me, to_you = not _OF_ME.isdisjoint(words), not _TO_YOU.isdisjoint(words)
    advises = not _ADVISES.isdisjoint(words[:1])
    return {
        "refers_soon": float(not _REFERRING.isdisjoint(words[:_SOON])),
        "advises": float(advises),
        "of_me": float(of_me and not expected.personal),
        "replies_of_me": float(of_me and expected.personal),
        "replies_to_you": float(to_you and expected.personal),
        "replies_with_a_statement": float(expected.personal and not (of_me or to_you or advises)),
        "writes_a_statement": float(expected.generation and not (of_me or to_you or advises)),
    }


@cache
def _weights() -> Mapping[str, Mapping[str, float]]:
    weights: dict[str, dict[str, float]] = json.loads(
        files("evaluators.language").joinpath("relatedness.json").read_text(encoding="utf-8")
    )
    return weights
