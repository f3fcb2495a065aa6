"""Echo: an answer that gives the question back and nothing with it."""

from __future__ import annotations

import re

from rapidfuzz import fuzz

from evaluators.language.request import Request
from evaluators.language.sentences import sentences
from evaluators.language.stem import stem
from evaluators.language.text import norms, plain
from evaluators.language.vocabulary import ARTICLES, AUXILIARIES, VAGUE_WORDS
from evaluators.language.wordlists import word_set

_TRIVIAL = (
    ARTICLES
    | AUXILIARIES
    | word_set(
        """
    that this it so of in you your asked asking ask question is well and to answer about
    """
    )
)
_TO_CHANGE = re.compile(r"\b(?:translate|rephrase|paraphrase|rewrite|reword|summari[sz]e)\b", re.IGNORECASE)
_QUOTED = re.compile(r'"([^"]+)"|(?<=: )([^":]+)$')
_NEAR = 92
"""Similarity (rapidfuzz ratio, 0-100) from which two texts that start alike are the same text."""


def is_echo(text: str, request: Request) -> bool:
    """Whether the text only repeats the instruction, its question, or its words.

    An answer to a yes/no question or to a choice is made of the question's words by right, and so is what sorts or corrects
    them: there only the instruction itself counts.
    """
    given = norms(text)
    if not given or "repetition" in request.allows:
        return False
    if any(_alike(given, norms(asked)) for asked in (request.text, request.stem, *_questions(request.text))):
        return True
    if _TO_CHANGE.search(request.text) and any(given == norms(match[0]) for match in _QUOTED.finditer(plain(request.text))):
        return True
    if request.answer_type == "yes_no" or request.choice or "transform" in request.allows:
        return False
    return len(given) >= 3 and _adds_nothing(given, request)


def _questions(instruction: str) -> list[str]:
    return [sentence for sentence in sentences(instruction) if sentence.endswith("?")]


def _alike(given: tuple[str, ...], asked: tuple[str, ...]) -> bool:
    if not asked or len(given) < 3 or given[0] != asked[0]:
        return False
    halves = len(given) // 2
    twice = given[:halves] == given[halves:] == asked
    return twice or fuzz.ratio(" ".join(given), " ".join(asked)) >= _NEAR


def _adds_nothing(given: tuple[str, ...], request: Request) -> bool:
    new = [word for word in given if word not in request.words and word not in _TRIVIAL and not re.fullmatch(r"s", word)]
    if any(stem(word) not in request.subject and word not in VAGUE_WORDS for word in new):
        return False
    said = {stem(word) for word in given} & request.subject
    return len(said) * 2 >= len(request.subject)
