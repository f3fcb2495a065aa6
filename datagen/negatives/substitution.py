"""Puts one value in another's place inside a text, and minds the letters around it."""

from __future__ import annotations

import re
from collections.abc import Iterable

from datagen.bank.wording import with_article
from datagen.mentions import mention_spans, number
from datagen.negatives.phrasing import capitalised
from datagen.negatives.wrong_values import styled

_ARTICLE = re.compile(r"\b(an?) $", re.IGNORECASE)
_AUXILIARY = re.compile(r"\b(is|are|was|were|can|could|does|do|did|has|have|had|will|would)\b( not\b|n['’]t\b)?", re.IGNORECASE)
_STANCE = re.compile(r"(\W*)(yes|no)\b([,.;:!]?)(.*)", re.IGNORECASE | re.DOTALL)


def spans_of(text: str, values: Iterable[str]) -> list[tuple[int, int]]:
    """Where a text mentions any of the values, longest mention first where two overlap; in order."""
    found = sorted((span for value in values for span in mention_spans(text, value)), key=lambda span: (span[0], -span[1]))
    kept: list[tuple[int, int]] = []
    for start, end in found:
        if not kept or start >= kept[-1][1]:
            kept.append((start, end))
    return kept


def replaced(text: str, values: Iterable[str], new: str) -> str:
    """The text with every mention of the values replaced, in the style of what stood there."""
    for start, end in reversed(spans_of(text, values)):
        value = _in_style(new, text[start:end], at_start=not text[:start].strip())
        before = text[:start]
        article = _ARTICLE.search(before)
        if article:
            right = with_article(value).split(" ")[0]
            before = before[: article.start()] + (right.capitalize() if article[1][0] == "A" else right) + " "
        text = before + value + text[end:]
    return text


def like(text: str, value: str) -> str:
    """The value alone, with the capital and the full stop that the text has."""
    alone = capitalised(value) if text[:1].isupper() else value
    return alone + "." if text.endswith(".") and not alone.endswith(".") else alone


def opposite_stance(text: str, stance: str) -> list[str]:
    """A text that opens with yes or no, turned round: its first sentence negated where that can be done, and the bare word."""
    match = _STANCE.match(text)
    turned = []
    if match and match[4].strip():
        rest = _negated(match[4])
        if rest is not None:
            turned.append(f"{match[1]}{like(match[2], stance)}{match[3]}{rest}")
    return [*turned, like(text, stance)]


def _negated(text: str) -> str | None:
    auxiliary = _AUXILIARY.search(text)
    if auxiliary is None:
        return None
    verb = auxiliary[1] if auxiliary[2] else f"{auxiliary[1]} not"
    return text[: auxiliary.start()] + verb + text[auxiliary.end() :]


def _in_style(new: str, old: str, *, at_start: bool) -> str:
    value = number(new)
    if value is not None and number(old) is not None:
        return styled(value, old)
    return capitalised(new) if at_start and old[:1].isupper() else new
