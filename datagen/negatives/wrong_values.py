"""Wrong values of the right kind: another entity's answer, a number nearby, the other option, the opposite stance."""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from itertools import islice

from rapidfuzz import fuzz

from compiler.records import Item
from datagen.form import word_count
from datagen.mentions import mentions, normalise, number, number_word, tokens
from datagen.negatives.pool import Pool

OPPOSITES = {"yes": "no", "no": "yes", "true": "false", "false": "true"}
NEIGHBOURS = 256
"""Items of the same topic that are compared with this one."""

_OPTIONS = re.compile(r"(?P<before>[^.?!:;]{1,200}?),? or (?:an? |the )?(?P<last>[^.?!:;,]{1,100})", re.IGNORECASE)


def wrong_values(item: Item, pool: Pool, rng: random.Random) -> Iterator[str]:
    """Values that are not among the item's answers, the most telling first; none without reference answers."""
    right = item.answers[0] if item.answers else ""
    if not right.strip():
        return
    opposite = OPPOSITES.get(normalise(right))
    values = iter((opposite,)) if opposite else nearby_numbers(right, rng) if _has_number(right) else _foreign(item, pool, rng)
    for value in values:
        if not _overlaps(item.answers or (), [value]):
            yield value


def nearby_numbers(text: str, rng: random.Random) -> Iterator[str]:
    """The text with its first number changed a little: as precise as it was, in the same style, with the same sign."""
    first = next((token for token in tokens(text) if number(token.raw) is not None), None)
    if first is None:
        return
    for value in _nearby(number(first.raw) or Decimal(0), rng):
        yield text[: first.start] + styled(value, first.raw) + text[first.end :]


def styled(value: Decimal, like: str) -> str:
    """A number written as another one is: as a word, with thousands separators, with as many decimals."""
    if like[:1].isalpha():
        word = number_word(int(value)) if value == value.to_integral_value() else None
        return (word.capitalize() if like[0].isupper() else word) if word else format(value, "f")
    return format(value, ",f" if "," in like else "f")


def _nearby(value: Decimal, rng: random.Random) -> Iterator[Decimal]:
    """Up to 20 numbers of the same precision: within 30%, or 60 for what may be a year."""
    exponent = int(value.as_tuple().exponent)
    units = int(value.scaleb(-exponent))
    while exponent >= 0 and abs(units) >= 100 and units % 10 == 0:
        units, exponent = units // 10, exponent + 1
    spread = 60 if exponent == 0 and 1000 <= units <= 2100 else max(3, abs(units) * 3 // 10)
    for _ in range(20):
        changed = units + rng.choice((-1, 1)) * rng.randint(1, spread)
        if changed != 0 and (changed > 0) == (units >= 0) and (abs(changed) > 1 or abs(units) <= 2):
            yield Decimal(changed).scaleb(exponent)


def _foreign(item: Item, pool: Pool, rng: random.Random) -> Iterator[str]:
    """The other option named in the instruction, values of the same relation, answers of one shape to the likest instructions.

    An item whose answers overlap with this one's lends nothing: what is right for both is right here.
    """
    right = item.answers or ()
    yield from _other_options(item.instruction, right)
    for values in pool.related_values(item, rng):
        if not _overlaps(right, values):
            yield values[0]
    neighbours = list(islice(pool.neighbours(item, rng), NEIGHBOURS))
    for other in sorted(neighbours, key=lambda other: -fuzz.token_set_ratio(other.instruction, item.instruction)):
        if other.answers and not _overlaps(right, other.answers) and _shape(other.answers[0]) == _shape(right[0]):
            yield other.answers[0]


def _other_options(instruction: str, right: Sequence[str]) -> Iterator[str]:
    """The wrong ones of "red, blue or green" in an instruction; the right one's length tells where an option begins or ends."""
    size = word_count(right[0])
    for match in _OPTIONS.finditer(instruction):
        first, *middle = match["before"].split(", ")
        if right[0][:1].islower():
            first = first[:1].lower() + first[1:]
        last = match["last"].split()
        options = [" ".join(first.split()[-size:]), *middle, " ".join(last if len(last) <= size + 1 else last[:size])]
        if any(mentions(option, right) for option in options):
            yield from (option for option in options if not mentions(option, right))


def _shape(value: str) -> tuple[int, bool, bool]:
    return word_count(value), value[:1].isupper(), _has_number(value) or normalise(value) in OPPOSITES


def _has_number(value: str) -> bool:
    return any(number(token.raw) is not None for token in tokens(value))


def _overlaps(right: Sequence[str], values: Iterable[str]) -> bool:
    """Whether a value is, holds or is held by a right one: "whale" is half right where "blue whale" is asked for."""
    return any(
        not value.strip() or mentions(value, [answer]) or mentions(answer, [value]) for value in values for answer in right
    )
