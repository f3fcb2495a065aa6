"""Placeholders: slots of a form that nobody filled in."""

from __future__ import annotations

import re

from evaluators.language.wordlists import word_set

_CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`", re.DOTALL)
_SQUARE = re.compile(r"\[([^\[\]\n]{1,60})\](?!\()")
_CURLY = re.compile(r"(?<![\\\w^_$])(\{\{?)\s*([A-Za-z][\w .'-]{0,40})\s*\}\}?")
_ANGLE = re.compile(r"<([A-Za-z][\w' -]{1,40})>")
_BLANK = re.compile(r"(?<!\w)_{3,}|(?<=\s)\.{6,}(?=\s|$)|(?<!\w)_ _ _")
_SHOUTED = re.compile(r"\b(?:TODO|TBD|FIXME|XXXX*|LOREM IPSUM|INSERT [A-Z]+(?: HERE)?|YOUR NAME(?: HERE)?)\b")
_LATIN_FILLER = re.compile(r"\blorem ipsum\b|%s\b|%\(\w+\)s|\$\{\w+\}|\bYOUR_[A-Z_]+\b", re.IGNORECASE)
_SLOT_WORDS = word_set(
    """
    your name insert date city company address recipient recipients sender title topic number amount location product
    phone email entity country noun verb adjective blank fill subject here placeholder event day time month year
    school teacher friend friends customer item place position job department organization organisation link url
    reason word answer response text example value animal food color colour neighbor neighbour state street client
    manager boss
    """
)
_HARMLESS = word_set(
    """
    sic laughs applause music sighs pause edit emphasis citation needed note ref x ok
    """
)
_LONE_NOUN = re.compile(r"[a-z]{3,}(?<!s)(?<!ing)(?<!ly)(?<!ed)")
"""One plain word in square brackets, such as `[fruit]`; `[laughs]`, `[sobbing]`, `[quietly]` are stage directions."""
_HTML = word_set(
    """
    a abbr article aside b body blockquote br button code dd div dl dt em footer form h1 h2 h3 h4 h5 h6 head header hr
    html i img input label li link main meta nav ol option p pre script section select small span strike strong style
    sub sup svg table tbody td textarea th thead title tr u ul video
    """
)


def without_code(text: str) -> str:
    """The text without code fences and inline code, where braces and angle brackets mean what they say."""
    return _CODE.sub(" ", text) if "`" in text else text


def placeholders(text: str) -> list[str]:
    """The unfilled slots of a text: `[Your Name]`, `{entity}`, `<name>`, `____`, `TODO`.

    Citations `[1]`, stage directions `[laughs]`, check boxes, links, sets `{1, 2}` and HTML tags are none.
    """
    body = without_code(text)
    found = [match[0] for match in _SQUARE.finditer(body) if _is_slot(match[1])]
    found += [match[0] for match in _CURLY.finditer(body) if "," not in match[2] and len(match[2]) > 1]
    found += [match[0] for match in _ANGLE.finditer(body) if match[1].split()[0].casefold() not in _HTML]
    return found + [match[0] for pattern in (_BLANK, _SHOUTED, _LATIN_FILLER) for match in pattern.finditer(body)]


def _is_slot(inner: str) -> bool:
    words = re.findall(r"[A-Za-z]+", inner)
    if not words or all(word.casefold() in _HARMLESS for word in words):
        return False
    if any(word.casefold() in _SLOT_WORDS for word in words):
        return True
    if re.search(r"\d", inner) or len(inner) < 2:
        return False
    named = len(words) <= 4 and all(word[0].isupper() for word in words)
    return named or (_LONE_NOUN.fullmatch(inner) is not None)
