"""Phrases as data: files of patterns that read like the sentences they find.

A file has `[section]`s of one pattern a line. A pattern is a regular expression in which `<name>` stands for the pattern of
that name in the file's `[macros]` section (`name = pattern`). Patterns are tried on `spoken` text: folded, contractions opened
and one blank between words, so that "I can't" and "I cannot" both read "i can not".
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from importlib.resources import files
from typing import NamedTuple

from evaluators.language.text import fold

_MACRO = re.compile(r"(?<!P)<([a-z_]+)>")
_PIECE = re.compile(r"\\.|\[(?:\\.|[^\]])*\]|.")
_OPTIONAL = frozenset("?*{")
_CONTRACTIONS = tuple(
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (r"\bcan'?t\b|\bcannot\b", "can not"),
        (r"\bwon'?t\b", "will not"),
        (r"\b(do|does|did|is|are|was|were|has|have|had|could|would|should|must|need)n'?t\b", r"\1 not"),
        (r"\bi'?m\b", "i am"),
        (r"\b(you|we|they)'re\b", r"\1 are"),
        (r"\b(it|that|this|what|who|here|there|he|she)'s\b", r"\1 is"),
        (r"\b(i|you|we|they|he|she|it)'ll\b", r"\1 will"),
        (r"\b(i|you|we|they|he|she)'d\b", r"\1 would"),
        (r"\b(i|you|we|they)'ve\b", r"\1 have"),
        (r"\bhere's\b", "here is"),
    )
)


@lru_cache(maxsize=8192)
def spoken(text: str) -> str:
    """The text folded and with contractions opened, one blank between words."""
    text = " ".join(fold(text).split())
    if "'" in text or "nt" in text or "im " in text or "cannot" in text:
        for pattern, replacement in _CONTRACTIONS:
            text = pattern.sub(replacement, text)
    return text


class Phrase(NamedTuple):
    """A pattern, and the words that it cannot do without: most texts hold none of them, and looking for them is cheap."""

    literal: str
    regex: re.Pattern[str]


@cache
def phrases(name: str) -> Mapping[str, tuple[Phrase, ...]]:
    """The compiled patterns of `phrases/<name>.txt`, by section; alternatives of a line become patterns of their own.

    Raises:
        KeyError: a pattern names a macro that the file does not have.
        re.error: a pattern is no regular expression.
    """
    macros: dict[str, str] = {}
    sections: dict[str, list[Phrase]] = {}
    section = ""
    for line in files("evaluators.language").joinpath("phrases", f"{name}.txt").read_text(encoding="utf-8").splitlines():
        pattern = line.strip()
        if not pattern or pattern.startswith("#"):
            continue
        if pattern.startswith("[") and pattern.endswith("]") and pattern[1:-1].isidentifier():
            section = pattern[1:-1]
        elif section == "macros":
            key, _, value = pattern.partition(" = ")
            macros[key.strip()] = _expand(value.strip(), macros)
        else:
            sections.setdefault(section, []).extend(map(_phrase, _alternatives(_expand(pattern, macros))))
    return {section: tuple(patterns) for section, patterns in sections.items()}


def _expand(pattern: str, macros: Mapping[str, str]) -> str:
    return _MACRO.sub(lambda match: f"(?:{macros[match[1]]})", pattern)


def _phrase(pattern: str) -> Phrase:
    return Phrase(_literal(pattern), re.compile(pattern, re.MULTILINE))


def _literal(pattern: str) -> str:
    """The longest run of characters outside of brackets that no match can do without; the pattern has no alternatives there."""
    runs, depth, pieces = [""], 0, _PIECE.findall(pattern)
    for piece, following in zip(pieces, [*pieces[1:], ""], strict=True):
        stands = depth == 0 and following not in _OPTIONAL and len(piece) == 1 and (piece.isalpha() or piece in "' ")
        if stands:
            runs[-1] += piece
        if not stands or following == "+":
            runs.append("")
        depth += (piece == "(") - (piece == ")")
    return max(runs, key=len)


def _alternatives(pattern: str) -> list[str]:
    """The parts of a pattern between the `|` that stand in no bracket."""
    parts, depth = [""], 0
    for piece in _PIECE.findall(pattern):
        depth += (piece == "(") - (piece == ")")
        if piece == "|" and depth == 0:
            parts.append("")
        else:
            parts[-1] += piece
    return parts


def find(text: str, name: str, section: str) -> re.Match[str] | None:
    """The first match of the section's patterns, tried in their order, in text that is `spoken` already."""
    for literal, regex in phrases(name)[section]:
        if literal in text and (match := regex.search(text)):
            return match
    return None


def any_says(sentences: Sequence[str], name: str, *sections: str) -> bool:
    """Whether a pattern of these sections may be found in any of the sentences: one quick look at all of them together.

    It may say yes where no single sentence does, never the other way round.
    """
    text = "\n".join(dict.fromkeys(map(spoken, sentences)))
    return any(find(text, name, section) for section in sections)


def says(sentence: str, name: str, section: str) -> bool:
    """Whether any pattern of that section is found in the sentence."""
    return find(spoken(sentence), name, section) is not None
