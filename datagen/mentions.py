"""Words, numbers and mentions: how datagen compares texts.

The evaluators have their own means for this, on purpose: what builds the negatives must not be what grades the arms.
Limits: English number words up to ninety-nine; no stemming, so that "cats" does not mention "cat".
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


UNITS = _words(
    """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen
    nineteen"""
)
TENS = dict(zip(_words("twenty thirty forty fifty sixty seventy eighty ninety"), range(20, 100, 10), strict=True))
STOPWORDS = frozenset(
    _words(
        """a an the and or but nor of in on at to for from by with about as into over under between than then that this these
        those there here is are was were be been being am do does did done has have had having will would can could should may
        might must shall not no yes it its he she they them his her their our your you we i me my us who whom whose which what
        when where why how if so such very just also only too more most some any each every all both one two give name write
        say tell complete answer sentence word words short"""
    )
)

_TOKEN = re.compile(
    rf"\b(?:{'|'.join(TENS)})[- ](?:{'|'.join(UNITS[1:10])})\b"
    r"|(?<![\w.,)])[-−]?\d+(?:,\d{3})*(?:\.\d+)?(?![^\W_])"
    r"|[^\W_]+(?:['’][^\W_]+)*",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Token:
    """A word or number of a text: `key` is what makes two of them equal, `raw` is text[start:end]."""

    key: str
    raw: str
    start: int
    end: int


def tokens(text: str) -> list[Token]:
    """The words and numbers of a text, in order."""
    return [Token(_key(match[0]), match[0], match.start(), match.end()) for match in _TOKEN.finditer(text)]


def normalise(text: str) -> str:
    """The text without case, accents, punctuation and ways to write a number; a text of symbols alone keeps them."""
    return " ".join(token.key for token in tokens(text)) or "".join(text.split()).casefold()


def content_words(text: str) -> set[str]:
    """The words that carry a subject: no stop words, plural and singular alike."""
    return {_singular(token.key) for token in tokens(text)} - STOPWORDS


def number(text: str) -> Decimal | None:
    """The number that a text consists of, in digits or as an English word up to ninety-nine; None if it is none."""
    plain = " ".join(text.casefold().replace("-", " ").split())
    if plain in UNITS:
        return Decimal(UNITS.index(plain))
    tens, _, unit = plain.partition(" ")
    if tens in TENS and (not unit or unit in UNITS[1:10]):
        return Decimal(TENS[tens] + (UNITS.index(unit) if unit else 0))
    digits = text.strip().replace(",", "").replace("−", "-")
    try:
        return Decimal(digits) if re.fullmatch(r"-?[0-9]{1,30}(?:\.[0-9]{1,30})?", digits) else None
    except InvalidOperation:
        return None


def number_word(value: int) -> str | None:
    """The English word for 0 to 99; None for other numbers."""
    if value in range(20):
        return UNITS[value]
    tens = next((word for word, size in TENS.items() if size == value // 10 * 10), None)
    return f"{tens}-{UNITS[value % 10]}" if tens and value % 10 else tens


def mention_spans(text: str, value: str) -> list[tuple[int, int]]:
    """Where a text mentions a value: (start, end) in characters, whole words only, not overlapping.

    Values of up to two letters ("As", "I") match in their own case only; a value without words ("+") as it stands.
    """
    wanted, found = tokens(value), tokens(text)
    if not wanted:
        symbols = value.strip()
        return [match.span() for match in re.finditer(re.escape(symbols), text)] if symbols else []
    spans: list[tuple[int, int]] = []
    place = 0
    while place <= len(found) - len(wanted):
        window = found[place : place + len(wanted)]
        if all(_same(token, other) for token, other in zip(window, wanted, strict=True)):
            spans.append((window[0].start, window[-1].end))
            place += len(wanted)
        else:
            place += 1
    return spans


def mentions(text: str, values: Iterable[str], *, shortest: int = 1) -> bool:
    """Whether a text mentions one of the values that have at least `shortest` characters."""
    return any(len(value) >= shortest and mention_spans(text, value) for value in values)


def _same(token: Token, wanted: Token) -> bool:
    is_symbol = len(wanted.raw) <= 2 and wanted.raw.isalpha() and wanted.key != "no"
    return token.raw == wanted.raw if is_symbol else token.key == wanted.key


def _key(raw: str) -> str:
    value = number(raw)
    if value is not None:
        return format(value.normalize(), "f")
    decomposed = unicodedata.normalize("NFKD", raw.replace("’", "'"))
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter)).casefold() or raw


def _singular(word: str) -> str:
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word
