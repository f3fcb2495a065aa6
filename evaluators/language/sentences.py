"""Where sentences end: abbreviations, initials, decimals, quotations and list numbers end none."""

from __future__ import annotations

import re
from functools import lru_cache

from evaluators.language.text import has_words
from evaluators.language.wordlists import word_set

_TITLES = word_set(
    """
    dr mr mrs ms prof st gen col lt capt sgt rev hon sen rep gov pres mt ft messrs fr sr sra
    """
)
_MIDDLE = word_set("vs e.g eg i.e ie cf approx ca dept viz al")
_LOOSE = word_set("approx ca dept viz al")
_NUMBERED = word_set("no nos fig figs vol ch p pp eq sec art")
"""Abbreviations only where a number follows: "no. 5"."""
_EITHER = word_set(
    """
    etc inc ltd co corp jr sr a.m p.m am pm bros ave rd blvd jan feb mar apr jun jul aug sep sept oct nov dec
    """
)
_OPENERS = word_set(
    """
    the a an it he she they we i you this that these those in on at for from but and so then there here when while if
    as my your his her its our their what who why how where after before since one some many most all each no yes
    however also another first second third finally next
    """
)
"""Words that open a sentence when they come with a capital after an abbreviation that could have ended one."""
_STOP = re.compile(r"""(?:[.!?]|\.{2,})+["')\]*_”’»]*(?=\s|$)|[。！？]["'）」』”’]*|…["')\]”’»]*(?=\s|$)|\n""")
_LAST_WORD = re.compile(r"""["'(\[“‘«*]*([^\s"'(\[“‘«*]*)$""")
_INITIALS = re.compile(r"(?:[A-Za-z]\.)*[A-Za-z]$")
_LIST_START = re.compile(r"\s*(?:[-*•‣▪–]|\(?\d{1,3}[.)]|\(?[a-zA-Z][.)])\s")
_ENUMERATOR = re.compile(r"\(?(?:\d{1,3}|[a-zA-Z])$")
_LONGEST_WORD = 40


@lru_cache(maxsize=1024)
def sentences(text: str) -> tuple[str, ...]:
    """The sentences of a text, in order, blanks stripped; what holds no letter or digit belongs to its neighbour.

    A new line ends a sentence where the next line starts a list item, starts with a capital, or is blank; a soft wrap does not.
    """
    found: list[str] = []
    start = 0
    for match in _STOP.finditer(text):
        if _ends(text, start, match):
            _add(found, text[start : match.end()])
            start = match.end()
    _add(found, text[start:])
    return tuple(found)


def _add(found: list[str], piece: str) -> None:
    piece = piece.strip()
    if has_words(piece):
        found.append(piece)
    elif piece and found:
        found[-1] += piece


def _ends(text: str, start: int, match: re.Match[str]) -> bool:
    rest = text[match.end() : match.end() + _LONGEST_WORD]
    if match[0] == "\n":
        return _line_ends(rest)
    following = rest.lstrip()
    if not following or match[0][0] in "。！？" or rest.startswith(("\n\n", "\n-", "\n*")):
        return True
    lower = following[0].islower()
    if match[0][0] in "!?":
        return not (lower and match[0][-1] not in "!?")
    if match[0].startswith(("..", "…")) or ")" in match[0]:
        return not lower
    return _full_stop_ends(text[max(start, match.start() - _LONGEST_WORD) : match.start()], following, lower)


def _line_ends(rest: str) -> bool:
    stripped = rest.lstrip(" \t")
    return not stripped or not stripped[0].islower() or bool(_LIST_START.match(rest))


def _full_stop_ends(before: str, following: str, lower: bool) -> bool:
    match = _LAST_WORD.search(before)
    word = match[1] if match else ""
    key = word.casefold()
    opens = following.split(maxsplit=1)[0].strip("\"'“‘(").casefold() in _OPENERS and not lower
    if not before.strip(" \t\"'(*").removesuffix(word).strip() and _ENUMERATOR.match(word) and not opens:
        return False
    if key in _TITLES or key in _MIDDLE:
        return opens and key in _LOOSE
    if key in _NUMBERED:
        return not following[0].isdigit()
    initial = len(word) == 1 and word.isalpha() and word.isupper()
    if initial or key in _EITHER or ("." in word and _INITIALS.match(word)):
        return opens
    return True
