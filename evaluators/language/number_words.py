"""Numbers written as words: "forty-two", "two and a half million", "three quarters", "a dozen", "twentieth"."""

from __future__ import annotations

import re
from collections.abc import Iterator

from evaluators.language.wordlists import word_list, word_set

_UNITS = dict(zip(word_list("one two three four five six seven eight nine"), range(1, 10), strict=True))
_TEENS = dict(
    zip(
        word_list("ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen"),
        range(10, 20),
        strict=True,
    )
)
_TENS = dict(zip(word_list("twenty thirty forty fifty sixty seventy eighty ninety"), range(20, 100, 10), strict=True))
_SCALES = {"hundred": 100, "thousand": 1_000, "million": 10**6, "billion": 10**9, "trillion": 10**12}
_ORDINALS = dict(
    zip(
        word_list(
            """
    first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth
    sixteenth seventeenth eighteenth nineteenth twentieth
    """
        ),
        range(1, 21),
        strict=True,
    )
) | {"thirtieth": 30, "fortieth": 40, "fiftieth": 50, "sixtieth": 60, "hundredth": 100, "thousandth": 1000}
_FRACTIONS = {"half": 2, "halves": 2, "quarter": 4, "quarters": 4} | {
    word + ending: value for word, value in _ORDINALS.items() if value > 2 for ending in ("", "s")
}
_CARDINALS = {"zero": 0, "nought": 0, "nil": 0, "fourty": 40} | _UNITS | _TEENS | _TENS
_NUMBER_WORD = re.compile(
    r"\b(?:"
    + "|".join(
        sorted({*_CARDINALS, *_SCALES, *_ORDINALS, *_FRACTIONS, "dozen", "a", "an", "and", "minus", "negative", "point"})
    )
    + r")\b",
    re.IGNORECASE,
)
_GLUE = re.compile(r"[ \t]+|[ \t]?-[ \t]?")
_LONGEST = 32
"""Words of one number that are looked at together."""
_SOFT = word_set("one first second third half quarter point")

Spelled = tuple[float, int, int, bool]
"""Value, start, end, and whether it is soft: a word that is often no number."""


def spelled_numbers(source: str) -> Iterator[Spelled]:
    """Every run of number words of the text, read as one number; offsets are those of the text."""
    run: list[re.Match[str]] = []
    for match in _NUMBER_WORD.finditer(source):
        if run and not _GLUE.fullmatch(source, run[-1].end(), match.start()):
            yield from _read_run(run)
            run = []
        run.append(match)
    yield from _read_run(run)


def _read_run(run: list[re.Match[str]]) -> Iterator[Spelled]:
    position = 0
    while position < len(run):
        words = [match[0].casefold() for match in run[position : position + _LONGEST]]
        value, used = _read(words)
        if value is None:
            position += 1
            continue
        soft = used == 1 and words[0] in _SOFT
        yield value, run[position].start(), run[position + used - 1].end(), soft
        position += used


def _read(words: list[str]) -> tuple[float | None, int]:
    """The number at the start of the words, and how many words it takes; (None, 1) where there is none."""
    if words[0] in {"minus", "negative"} and len(words) > 1:
        value, used = _read(words[1:])
        return (None if value is None else -value), used + 1
    if words[0] in {"a", "an"} and (len(words) < 2 or words[1] in _CARDINALS or words[1] not in _AFTER_ARTICLE):
        return None, 1
    value, used = _whole(words)
    if used == 0:
        return (float(_ORDINALS[words[0]]), 1) if words[0] in _ORDINALS else _bare(words)
    return _with_tail(value, used, words)


_AFTER_ARTICLE = {*_SCALES, *_FRACTIONS, "dozen"}


def _bare(words: list[str]) -> tuple[float | None, int]:
    if words[0] in {"a", "an"}:
        return (12.0, 2) if words[1] == "dozen" else (1 / _FRACTIONS[words[1]], 2) if words[1] in _FRACTIONS else (None, 1)
    if words[0] in {"half", "quarter"}:
        dozen = words[0] == "half" and words[1:3] == ["a", "dozen"]
        return (6.0, 3) if dozen else (1 / _FRACTIONS[words[0]], 1)
    return (12.0, 1) if words[0] == "dozen" else (None, 1)


def _whole(words: list[str]) -> tuple[float, int]:
    """A cardinal at the start of the words: its value and length, 0 words where there is none."""
    total, current, used = 0, 0, 0
    last = ""
    for place, word in enumerate(words):
        if word in {"a", "an"} and place == 0 and words[1:2] and words[1] in _SCALES:
            current = 1
        elif word in _CARDINALS and _may_follow(last, word):
            current += _CARDINALS[word]
        elif word == "hundred" and 0 < current < 100:
            current *= 100
        elif word in _SCALES and word != "hundred" and current:
            total, current = total + current * _SCALES[word], 0
        elif word == "and" and last in _SCALES and words[place + 1 : place + 2] and words[place + 1] in _CARDINALS:
            last = word
            continue
        else:
            break
        last, used = word, place + 1
    return float(total + current), used


def _may_follow(last: str, word: str) -> bool:
    if last in _TENS:
        return word in _UNITS
    return last in {"", "and"} or last in _SCALES


def _with_tail(value: float, used: int, words: list[str]) -> tuple[float, int]:
    """Adds what may follow a cardinal: "and a half", "quarters", "dozen", "point five", "-first", the years of a century."""
    rest = words[used:]
    tail = rest[0] if rest else ""
    more = 0
    if rest[:3] in (["and", "a", "half"], ["and", "a", "quarter"]):
        value, more = value + 1 / _FRACTIONS[rest[2]], 3
    elif 10 <= value <= 20 and (tail in _TEENS or tail in _TENS):
        year, more = _whole(rest)
        value = value * 100 + year
    elif tail == "dozen":
        value, more = value * 12, 1
    elif tail == "point" and rest[1:2] and rest[1] in _CARDINALS:
        fraction, more = _decimals(rest)
        value += fraction
    elif value >= 20 and _ORDINALS.get(tail, 10) < 10:
        value, more = value + _ORDINALS[tail], 1
    elif value < 20 and tail in _FRACTIONS:
        value, more = value / _FRACTIONS[tail], 1
    return value, used + more


def _decimals(rest: list[str]) -> tuple[float, int]:
    digits = ""
    for word in rest[1:]:
        if word not in _CARDINALS or _CARDINALS[word] > 9:
            break
        digits += str(_CARDINALS[word])
    return float("0." + (digits or "0")), 1 + len(digits)
