"""A sentence as a row of word classes: what can be said of its word order without knowing its words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache, lru_cache
from importlib.resources import files

from evaluators.language.text import plain
from evaluators.language.vocabulary import FUNCTION_WORDS

START, END = "^", "$"
_ENDINGS = (
    ("tion", "noun"), ("sion", "noun"), ("ment", "noun"), ("ness", "noun"), ("ity", "noun"), ("ance", "noun"), ("ence", "noun"),
    ("ship", "noun"), ("ism", "noun"), ("ful", "adjective"), ("ous", "adjective"), ("ive", "adjective"), ("able", "adjective"),
    ("ible", "adjective"), ("ic", "adjective"), ("ical", "adjective"), ("less", "adjective"), ("est", "adjective"),
    ("ish", "adjective"), ("ing", "ing"), ("ed", "ed"), ("ly", "ly"),
)  # fmt: skip
_CONTRACTED = {"re": "is", "m": "is", "ve": "has", "ll": "can", "d": "can"}
_OF_PRONOUN = frozenset(["it", "that", "he", "she", "what", "who", "there", "here", "let", "where", "how"])
_TOKEN = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?|\d[\d.,]*\d|\d|[,;:()—-]")


@cache
def _table() -> Mapping[str, str]:
    """Class by folded word, as `word_classes.txt` has it."""
    lines = files("evaluators.language").joinpath("word_classes.txt").read_text(encoding="utf-8").splitlines()
    classes = (line.partition(": ") for line in lines if not line.startswith("#"))
    return {word: name for name, _, words in classes for word in words.split()}


@lru_cache(maxsize=4096)
def word_classes(sentence: str) -> tuple[str, ...]:
    """The classes of the words and commas of a sentence, between `START` and `END`."""
    found = [START]
    for match in _TOKEN.finditer(plain(sentence)):
        found += _classes(match[0], len(found) == 1)
    return (*found, END)


def _classes(word: str, first: bool) -> tuple[str, ...]:
    head, apostrophe, tail = word.partition("'")
    tail = tail.casefold()
    if not apostrophe:
        return (_class(word, first),)
    if tail == "t" and head.casefold().endswith("n"):
        stem = {"can": "can", "won": "will"}.get(head.casefold(), head[:-1])
        return _class(stem, first), "not"
    if tail == "s" and head.casefold() not in _OF_PRONOUN:
        return ("possessive",)
    if tail == "s" or tail in _CONTRACTED:
        return _class(head, first), _CONTRACTED.get(tail, "is")
    return (_class(word.replace("'", ""), first),)


def _class(word: str, first: bool) -> str:
    folded = word.casefold()
    if folded in _table():
        return _table()[folded]
    if folded in FUNCTION_WORDS:
        return "other"
    if not word[0].isalpha():
        return "two" if word[0].isdigit() else ","
    if word[0].isupper() and not first:
        return "Name"
    if folded.endswith("s") and len(folded) > 3 and not folded.endswith(("ss", "us", "is")):
        return "s"
    return next((name for ending, name in _ENDINGS if folded.endswith(ending) and len(folded) > len(ending) + 2), "word")
