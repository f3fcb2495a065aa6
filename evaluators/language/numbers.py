"""Numbers in text: digits and words, signs, separators, fractions, powers, percentages, and the unit that follows."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from evaluators.language.number_words import spelled_numbers
from evaluators.language.text import plain
from evaluators.language.units import UNITS, Unit, unit_of


class Quantity(NamedTuple):
    """A number as written somewhere in a text."""

    value: float
    unit: Unit | None
    start: int
    end: int
    """Offsets in `plain(text)`; the end includes the unit."""
    follows: str
    """The word after the number and its unit, folded: the `legs` of "8 legs"; empty where there is none."""
    soft: bool = False
    """A word that is often no number at all, such as "one" or "second"."""
    decimals: int = 0


_DIGITS = re.compile(
    r"""(?<![\w.])(?<!\d:)(?<!\d,(?=\d\d\d(?!\d)))(?P<currency>(?:US)?[$€£¥]\s?)?
    (?P<sign>(?<![\w)])[-+]|(?:minus|negative)\s)?(?P<currency2>[$€£¥]\s?)?
    (?P<digits>\d{1,3}(?:[, '\u202f\u00a0]\d{3})+(?![\d])|\d+)
    (?P<decimals>\.\d+)?
    (?:\s?[x*]\s?10(?:\^|\*\*)(?P<power>-?\d{1,3})|e(?P<exponent>[-+]?\d{1,3})(?!\w))?
    (?:\s?/\s?(?P<denominator>\d{1,9})(?![\d/]))?
    (?:(?P<ordinal>st|nd|rd|th)(?!\w)|(?P<kilo>k)(?!\w))?
    (?![\d]*:\d)""",
    re.VERBOSE | re.IGNORECASE,
)
_MIXED = re.compile(r"\s(\d{1,3})\s?/\s?(\d{1,3})(?![\d/])")
_SCALES = {"hundred": 1e2, "thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12, "dozen": 12.0}
_SCALE = re.compile(r"\s?-?(hundred|thousand|million|billion|trillion|dozen)\b", re.IGNORECASE)
_AFTER = re.compile(
    r"[ \t-]{0,2}([^\W\d]+|%|°\s?[CcFf]?(?!\w)|[€$£¥](?!\d))((?:/|\^)[\w]+|\d(?!\w))?(?!\d)((?:[ ]+[^\W\d]+){0,3})"
)


@lru_cache(maxsize=8192)
def quantities(text: str) -> tuple[Quantity, ...]:
    """Every number of the text, in order. Times of day (3:30) and digits inside words (H2O) are not numbers."""
    source = plain(text)
    found = [_numeric(source, match) for match in _DIGITS.finditer(source) if not _inside_word(source, match)]
    found += [_with_unit(source, *spelled) for spelled in spelled_numbers(source)]
    ordered: list[Quantity] = []
    for quantity in sorted(found, key=lambda each: (each.start, -each.end)):
        if not ordered or quantity.start >= ordered[-1].end:
            ordered.append(quantity)
    return tuple(ordered)


def sole_quantity(text: str) -> Quantity | None:
    """The number that the text consists of, but for its unit or one noun, an article and punctuation; None otherwise."""
    found = quantities(text)
    if len(found) != 1:
        return None
    source, quantity = plain(text), found[0]
    before, after = source[: quantity.start].strip(" \t\n\"'(*=~."), source[quantity.end :].strip(" \t\n\"').*!,;")
    if before.casefold() not in {"", "a", "an", "about", "approximately", "around"}:
        return None
    return quantity if len(after.split()) <= (1 if quantity.unit is None else 0) and not before.isdigit() else None


def _inside_word(source: str, match: re.Match[str]) -> bool:
    after = source[match.end() : match.end() + 2]
    glued = bool(after) and (after[0].isalpha() or after[0] == "_") and match["ordinal"] is None and match["kilo"] is None
    if not glued:
        return after[:1] == ":" and after[1:].isdigit()
    unit = _AFTER.match(source, match.end())
    return unit is None or unit_of(unit[1].casefold()) is None


def _numeric(source: str, match: re.Match[str]) -> Quantity:
    decimals = match["decimals"] or ""
    value = float(re.sub(r"\D", "", match["digits"])[:300] + decimals[:40])
    if match["power"] or match["exponent"]:
        value *= 10.0 ** int(match["power"] or match["exponent"])
    if match["denominator"] and int(match["denominator"]):
        value /= int(match["denominator"])
    end = match.end()
    if mixed := _MIXED.match(source, end):
        value, end = value + int(mixed[1]) / max(int(mixed[2]), 1), mixed.end()
    if match["kilo"]:
        upper = match["kilo"] == "K"
        value, end = (value, end - 1) if upper else (value * 1000, end)
    if match["sign"] and match["sign"] != "+":
        value = -value
    currency = (match["currency"] or match["currency2"] or "").strip().removeprefix("US")
    return _with_unit(source, value, match.start(), end, False, len(decimals) - 1 if decimals else 0, UNITS.get(currency))


def _with_unit(
    source: str, value: float, start: int, end: int, soft: bool, decimals: int = 0, unit: Unit | None = None
) -> Quantity:
    if scale := _SCALE.match(source, end):
        value, end = value * _SCALES[scale[1].casefold()], scale.end()
    after = _AFTER.match(source, end)
    if after is None:
        return Quantity(value, unit, start, end, "", soft, decimals)
    symbol = (after[1] + (after[2] or "")).casefold().replace(" ", "")
    words = [symbol, *after[3].casefold().split()]
    for length in range(min(4, len(words)), 0, -1):
        named = unit_of(" ".join(words[:length]))
        if named is not None and unit is None and not (soft and length == 1 and len(symbol) == 1):
            return Quantity(
                value, named, start, _end_of(source, end, after, length), "".join(words[length : length + 1]), soft, decimals
            )
    return Quantity(value, unit, start, end, symbol, soft, decimals)


def _end_of(source: str, end: int, after: re.Match[str], length: int) -> int:
    if length == 1:
        return after.end(2) if after[2] else after.end(1)
    words = list(re.finditer(r"\S+", source[after.start(3) : after.end(3)]))
    return after.start(3) + words[length - 2].end()
