"""What words have to do with each other: vectors that lie close where words turn up in the same company.

The vectors are those of the `wordllama` package, which brings them along: static, 256 numbers per piece of a word, learned from
sentences that mean the same. How long a vector is says how much the word tells; "the" is short, "photosynthesis" is long.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from functools import cache, lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from evaluators.language.patterns import spoken
from evaluators.language.stem import stem
from evaluators.language.text import tokens
from evaluators.language.vocabulary import FUNCTION_WORDS

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_WEIGHTS = "weights/l2_supercat_256.safetensors"
_TOKENIZER = "tokenizers/l2_supercat_tokenizer_config.json"
_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)?|\?")
DIMENSIONS = 256

Vector = NDArray[np.float32]


class Likeness(NamedTuple):
    """How much of what a text says is near a context."""

    nearest: float
    """Cosine of each word to its nearest word of the context, on average; telling words weigh more. A shared word is 1."""
    together: float
    """Cosine of all words to all words of the context."""


@lru_cache(maxsize=4096)
def telling_words(text: str) -> Mapping[str, str]:
    """The words that say something, as written, by their stems."""
    found: dict[str, str] = {}
    for token in tokens(text):
        if token.norm not in FUNCTION_WORDS and (len(token.norm) > 1 or token.norm.isdigit()):
            found.setdefault(stem(token.norm), token.raw)
    return found


def likeness(text: Mapping[str, str], context: Mapping[str, str]) -> Likeness:
    """How near the telling words of a text are to those of a context; neither may be empty."""
    said, asked = _bundle(tuple(text.values())), _bundle(tuple(context.values()))
    nearest = (said.units @ asked.units.T).max(axis=1)
    nearest[[place for place, word in enumerate(text) if word in context]] = 1
    return Likeness(float(nearest @ said.lengths / said.lengths.sum()), float(said.direction @ asked.direction))


def cohesion(text: str) -> float:
    """How near each telling word is to its nearest among the others, on average; 0 where there are fewer than two."""
    words = tuple(telling_words(text).values())
    if len(words) < 2:
        return 0.0
    said = _bundle(words)
    cosines = said.units @ said.units.T
    np.fill_diagonal(cosines, -1)
    return float(cosines.max(axis=1) @ said.lengths / said.lengths.sum())


def gist(text: str) -> Vector:
    """The direction in which all words of a text point together, however little each of them tells; "?" is a word."""
    words = tuple(_WORD.findall(spoken(text)))
    if not words:
        return np.zeros(DIMENSIONS, dtype=np.float32)
    return _unit(_bundle(words).units.sum(axis=0))


def nearness(word: str, to: tuple[str, ...]) -> float:
    """Cosine of a word to the nearest of some words."""
    return float((_bundle(to).units @ _bundle((word,)).direction).max())


class _Bundle(NamedTuple):
    """The vectors of some words."""

    units: Vector
    lengths: Vector
    direction: Vector
    """Of their sum."""


@lru_cache(maxsize=1024)
def _bundle(words: tuple[str, ...]) -> _Bundle:
    known = [_word(word) for word in words]
    units, lengths = np.array([word.unit for word in known]), np.array([word.length for word in known], dtype=np.float32)
    return _Bundle(units, lengths, _unit(lengths @ units))


def _unit(vector: Vector) -> Vector:
    return vector / np.float32(math.sqrt(float(vector @ vector)))


class _Word(NamedTuple):
    """The vector of a word, as direction and length."""

    unit: Vector
    length: float


@lru_cache(maxsize=50_000)
def _word(word: str) -> _Word:
    """From the mean of the vectors of its pieces."""
    tokenizer, pieces = _space()
    vector: Vector = pieces[tokenizer.encode(word, add_special_tokens=False).ids].astype(np.float32).mean(axis=0)
    length = math.sqrt(float(vector @ vector))
    return _Word(vector / np.float32(length), length)


@cache
def _space() -> tuple[Tokenizer, NDArray[np.float16]]:
    """The tokenizer and the vectors, read once. From the package's files: importing it would set up logging for everybody."""
    from safetensors.numpy import load_file
    from tokenizers import Tokenizer

    package = find_spec("wordllama")
    if package is None or package.origin is None:
        raise ModuleNotFoundError("wordllama, whose word vectors the criteria read, is not installed", name="wordllama")
    folder = Path(package.origin).parent
    pieces: NDArray[np.float16] = load_file(folder / _WEIGHTS)["embedding.weight"]
    return Tokenizer.from_file(str(folder / _TOKENIZER)), pieces
