"""How likely an answer does nothing but decline, in whatever words: a logistic regression on what they mean together.

`declining.json` holds its weights; `bench/declining.py` learns them from labelled answers and from sentences that decline.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from functools import cache, lru_cache
from importlib.resources import files
from typing import NamedTuple

import numpy as np

from evaluators.language.filler import specific_words
from evaluators.language.meaning import Vector, gist, likeness, nearness, telling_words
from evaluators.language.numbers import quantities
from evaluators.language.patterns import spoken
from evaluators.language.request import Request
from evaluators.language.stem import stem
from evaluators.language.text import norms
from evaluators.language.vocabulary import FUNCTION_WORDS
from evaluators.language.wordlists import word_list, word_set

SPEAKER = word_set("i me my we us our sorry")
_DENIES = word_set(
    """
    not no never nothing nobody none neither nor cannot rather prefer must unable unwilling decline refuse refrain abstain
    avoid beyond outside limits private confidential leave left place position business doubt hardly without too impossible
    """
)
"""What a speaker says who denies, withholds or passes on."""
_YOU = word_set("you your")
_ANSWERING = word_list(
    """
    answer question ask reply respond know knowledge understand clarify remember forget say tell speak discuss comment help
    assist advise suit request task topic matter information details context refuse decline reject refrain unable able
    capable comfortable qualified allowed permission policy sure certain unclear guess idea clue opinion search check look
    find internet google website encyclopedia textbook library teacher expert specialist professional school training data
    program model learn skill strong forte sorry apologise regret pass skip
    """
)
"""Words about answering: where an answer says nothing else, the question was not answered. What is near one of them counts."""
_NEAR = 0.4
_LIGHT = word_set(
    """
    do does doing done make go going get give take taking part let leave turn down put have want wish prefer rather like
    need try think feel keep come way time day today tomorrow now later moment silent better best obvious care cares
    mean means depend depends only own right wrong end anymore longer never always really honestly full plenty place sense
    """
)
"""Words that stand beside those in any sentence and say nothing in particular either."""
_MOST = 4
"""Counts beyond this make no difference."""


class Features(NamedTuple):
    """What the regression sees."""

    gist: Vector
    told: dict[str, float]


def is_about_answering(word: str) -> bool:
    """Whether a word, as normed, speaks of answering, knowing or looking up."""
    return word not in FUNCTION_WORDS and (word in _ANSWERING or _is_near_answering(word))


@lru_cache(maxsize=20_000)
def _is_near_answering(word: str) -> bool:
    return nearness(word, _ANSWERING) >= _NEAR


def says_in_particular(words: tuple[str, ...], request: Request) -> frozenset[str]:
    """The words that are neither about answering nor the request's own, and that do not come in any sentence."""
    about_it = {word for word in words if is_about_answering(word)}
    return frozenset(specific_words(words, request.subject)) - about_it - _LIGHT


def declining(text: str, request: Request) -> float:
    """The probability that an answer does nothing but decline."""
    found, weights = features(text, request), _weights()
    told = sum(weights.told[name] * value for name, value in found.told.items())
    return 1 / (1 + math.exp(-weights.told["constant"] - told - float(weights.gist @ found.gist)))


def features(text: str, request: Request) -> Features:
    """What the regression sees of an answer."""
    words = norms(spoken(text))
    said, asked = telling_words(text), telling_words(request.text)
    denies = not _DENIES.isdisjoint(words)
    return Features(
        gist(text),
        {
            "particular": min(len(says_in_particular(words, request)), 2 * _MOST),
            "about_answering": min(len({word for word in words if is_about_answering(word)}), _MOST),
            "shared": min(len({word for word in words if stem(word) in request.subject}), _MOST),
            "speaker_denies": float(denies and not SPEAKER.isdisjoint(words)),
            "denies_the_task": float(denies and not (request.asked_for - request.subject).isdisjoint(map(stem, words))),
            "speaker": float(not SPEAKER.isdisjoint(words)),
            "to_you": float(not _YOU.isdisjoint(words)),
            "asks": float(text.rstrip().endswith("?")),
            "number": float(any(quantities(word) for word in words if word != "one")),
            "nearest": likeness(said, asked).nearest if said and asked else 0.0,
            "length": math.log1p(len(words)),
        },
    )


@cache
def _weights() -> Features:
    stored: Mapping[str, list[float] | float] = json.loads(
        files("evaluators.language").joinpath("declining.json").read_text(encoding="utf-8")
    )
    told = {name: value for name, value in stored.items() if isinstance(value, float)}
    return Features(np.array(stored["gist"], dtype=np.float32), told)
