"""Whether the number that a text gives as its answer agrees with a reference number."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from evaluators.language.numbers import Quantity, quantities, sole_quantity
from evaluators.language.stem import stem
from evaluators.language.text import fold, norms, plain
from evaluators.language.units import Unit, same_amount, unit_of
from evaluators.language.vocabulary import content_words
from evaluators.language.wordlists import word_set

_ASKED_UNIT = re.compile(
    r"\bhow many ([a-z]+(?: per [a-z]+)?)\b|\bin ((?:degrees )?[a-z]+(?:(?: per |/)[a-z]+)?)\b(?=[?,.]| to | rounded|$)"
)
_ASKED_NOUN = re.compile(
    r"\bhow many (?:\w+ ){0,2}?([a-z]+)(?= (?:are|is|do|does|did|has|have|can|make|in|were|was|of|there|will)\b|\?|$)"
)
_CLAUSE_END = re.compile(r"[.!?;:,](?=\s|$)")
_LINKS = word_set("to or and") | {""}
_RANGE = re.compile(r"\s*(?:-|to|or|and|/)\s*")
_MORE_OR_LESS = re.compile(
    r"\b(?:more|less|fewer|greater|larger|smaller|other|rather) than\s*$|\b(?:over|under|not|never|n't)\s*$"
)


def gives_amount(text: str, reference: str, instruction: str) -> list[tuple[int, int]]:
    """Where the text gives the reference's amount as its answer: offsets in `plain(text)`; empty where it does not.

    The numbers of the question do not count as its answer ("9 - 5 = 4" answers 4), nor do the ends of a range ("5 to 7").
    """
    wanted = sole_quantity(reference)
    if wanted is None:
        return []
    unit = wanted.unit or _asked_unit(instruction)
    answered = _answered(text, instruction)
    found = [each for each in answered if _agrees(each, wanted, unit, plain(text))]
    return [(each.start, each.end) for each in found if not _in_range(each, quantities(text), plain(text))]


def rival_amount(text: str, reference: str, instruction: str) -> bool:
    """Whether the text gives another amount of the very thing asked for: "8 days" where a week has 7."""
    wanted = sole_quantity(reference)
    asked = _ASKED_NOUN.search(fold(instruction))
    if wanted is None:
        return False
    unit = wanted.unit or _asked_unit(instruction)
    others = [each for each in _answered(text, instruction) if not each.soft and not _agrees(each, wanted, unit, plain(text))]
    if "=" in text:
        return bool(others)
    bare = len(fold(text).split()) <= 4 and len(quantities(text)) > 1
    return bool(others) and (
        bare or (asked is not None and any(_is_of(each, asked[1], plain(text), instruction) for each in others))
    )


def _is_of(given: Quantity, noun: str, source: str, instruction: str) -> bool:
    """Whether the number counts that noun in a clause that speaks of nothing but what the question speaks of."""
    if stem(given.follows) != stem(noun) and (given.unit is None or given.unit != unit_of(noun)):
        return False
    before, after = _CLAUSE_END.split(source[: given.start])[-1], _CLAUSE_END.split(source[given.end :])[0]
    return set(content_words(norms(before + " " + after))) <= set(norms(instruction))


def _asked_unit(instruction: str) -> Unit | None:
    names = (match[1] or match[2] for match in _ASKED_UNIT.finditer(fold(instruction)))
    return next((unit for name in names if (unit := unit_of(name)) is not None), None)


def _answered(text: str, instruction: str) -> list[Quantity]:
    """The numbers that may be the answer: right of the last equals sign if there is one, and not those of the question."""
    source = plain(text)
    found = list(quantities(text))
    if "=" in source:
        right = [each for each in found if each.start > source.rfind("=")]
        if len(right) == 1:
            return right
    given = [each.value for each in quantities(instruction)]
    kept: list[Quantity] = []
    for each in found:
        if each.value in given:
            given.remove(each.value)
        else:
            kept.append(each)
    return kept or found


def _agrees(given: Quantity, wanted: Quantity, unit: Unit | None, source: str) -> bool:
    if _MORE_OR_LESS.search(source[max(0, given.start - 16) : given.start].casefold()):
        return False
    if same_amount(given.value, given.unit, wanted.value, unit):
        return True
    rounded = wanted.decimals > given.decimals and round(wanted.value, given.decimals) == given.value
    close = abs(given.value - wanted.value) <= 0.01 * abs(wanted.value)
    return rounded and close and same_amount(wanted.value, given.unit, wanted.value, unit)


def _in_range(given: Quantity, found: Sequence[Quantity], source: str) -> bool:
    """Whether the number is one end of a range or one of two alternatives, as in "5-7" and "7 or 8"."""
    for one, other in pairwise(found):
        between = source[one.end : other.start]
        if (
            given in (one, other)
            and one.value != other.value
            and _RANGE.fullmatch(between)
            and not _sum_like(one, other, source)
        ):
            return not same_amount(one.value, one.unit, other.value, other.unit) or one.unit == other.unit
    return False


def _sum_like(one: Quantity, other: Quantity, source: str) -> bool:
    return "=" in source[other.end : other.end + 4] or (one.follows not in _LINKS and one.unit is None)
