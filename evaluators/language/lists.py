"""Lists in text, in any layout: bullets, numbers, lines, commas, "and", ordinals, sentences.

A text may be read as a list in more than one way ("fish and chips" is one item or two), so every plausible reading is given,
and a demand for n items is met when one of them has n different ones. Bullets and numbers leave no doubt: then there is one.
"""

from __future__ import annotations

import re
from functools import lru_cache

from evaluators.language.sentences import sentences
from evaluators.language.text import counted_words, fold, has_words

Reading = tuple[str, ...]

_BULLET = re.compile(r"^([ \t]*)(?:[-*•‣▪◦–+]|\(?\d{1,3}[.):]|\(?[a-zA-Z][.)])[ \t]+(?=\S)(.*)$")
_INLINE_NUMBER = re.compile(r"(?:(?<=\s)|^)\(?(\d{1,2})[.)]\s+(?=\S)")
_ORDINAL = re.compile(
    r"(?:(?<=[.!?;,]\s)|(?<=\n)|^)(?:first(?:ly)?|second(?:ly)?|third(?:ly)?|fourth|fifth|next|then|finally|lastly|another|also|one|"
    r"the (?:first|second|third|fourth|fifth|other|last))\b(?=[\s,])",
    re.IGNORECASE,
)
_INTRO = re.compile(r"^[^\n:]{0,120}:\s*(?=\S)")
_ANNOUNCEMENT = re.compile(
    r"^(?:sure|certainly|of course|okay|ok|absolutely|great|here (?:are|is|you go)|here's|these are|below (?:are|is))\b",
    re.IGNORECASE,
)
_CLOSING = re.compile(
    r"^(?:i hope|hope (?:this|that)|let me know|enjoy|these (?:are|were)|feel free|good luck)\b", re.IGNORECASE
)
_COPULA = re.compile(
    r"^(?:(?:[\w'-]+\s){1,9}?)(?:are|is|include|includes|including|would be|could be|can be|were|such as|for example,)\s(?=\S)",
    re.IGNORECASE,
)
_LAST_AND = re.compile(r"^(?:and|or|as well as|&)\s+", re.IGNORECASE)
_SPLIT_AND = re.compile(r"\s+(?:and|or|as well as|&)\s+|\s*&\s*", re.IGNORECASE)
_COMMA = re.compile(r"(?<!\d)[,、，]\s*|,\s+|,(?!\d)")
_BRACKETS = re.compile(r"\([^()\n]{0,200}\)|\[[^\[\]\n]{0,200}\]")
_QUOTED = re.compile(r'"[^"\n]{1,200}"|“[^”\n]{1,200}”')
_COUNTED = ("first", "second", "third", "fourth", "fifth", "sixth")
_ONE_ITEM = 2
_LONGEST_ITEM = 8
"""Words in an item between commas; longer pieces are prose."""


@lru_cache(maxsize=2048)
def list_readings(text: str, prose_items: bool = False) -> tuple[Reading, ...]:
    """The ways to read a text as a list, each a tuple of different items.

    Args:
        text: the text, without the END marker.
        prose_items: whether items may be whole sentences, as tips, reasons and steps are.
    """
    text = _QUOTED.sub(lambda quoted: re.sub(r"[,.;:?!]", " ", quoted[0]), text.strip())
    marked = _bulleted(text)
    for unmistakable in (marked, _numbered_inline(text), _bulleted_inline(text), _counted_off(text)):
        if len(unmistakable) > 1:
            return tuple(dict.fromkeys((_distinct(unmistakable), *_with_first_line(text, marked))))
    readings = [_lines(text), *_separated(text), _short_sentences(text, prose_items)]
    if prose_items:
        readings += [_ordinals(text), _joined_clauses(text)]
    if marked:
        readings.append(marked)
    return tuple(dict.fromkeys(_distinct(reading) for reading in readings if reading))


def item_counts(text: str, prose_items: bool = False) -> set[int]:
    """How many different items the text may be said to list."""
    return {len(reading) for reading in list_readings(text, prose_items)}


def is_announcement(sentence: str) -> bool:
    """Whether a sentence only announces what follows: "Sure!", "Here are three fruits:"."""
    return bool(_ANNOUNCEMENT.match(sentence)) and (sentence.endswith(":") or len(counted_words(sentence)) <= 8)


def _distinct(items: Reading) -> Reading:
    found = {re.sub(r"[\W_]+", " ", fold(item)).strip(): item for item in reversed(items) if has_words(item)}
    return tuple(sorted(found.values(), key=items.index))


def _with_first_line(text: str, marked: Reading) -> tuple[Reading, ...]:
    """Bulleted items and the one above them that has no bullet, where that is as short as an item."""
    first = text.split("\n", 1)[0].strip()
    lone = marked and not _BULLET.match(first) and not first.endswith(":") and len(counted_words(first)) <= _ONE_ITEM
    return (_distinct((first, *marked)),) if lone else ()


def _bulleted(text: str) -> Reading:
    matches = [match for match in map(_BULLET.match, text.splitlines()) if match and has_words(match[2])]
    if not matches:
        return ()
    outermost = min(len(match[1]) for match in matches)
    return tuple(match[2].strip() for match in matches if len(match[1]) <= outermost + 1)


def _numbered_inline(text: str) -> Reading:
    starts = list(_INLINE_NUMBER.finditer(text))
    wanted = 1
    cuts: list[re.Match[str]] = []
    for match in starts:
        if int(match[1]) == wanted:
            cuts.append(match)
            wanted += 1
    ends = [*(match.start() for match in cuts[1:]), len(text)]
    return tuple(text[match.end() : end].strip(" ,;\n") for match, end in zip(cuts, ends, strict=True)) if len(cuts) > 1 else ()


def _bulleted_inline(text: str) -> Reading:
    return tuple(part.strip() for part in re.split(r"(?:^|\s)[•‣▪◦]\s*", text)[1:]) if "\n" not in text else ()


def _lines(text: str) -> Reading:
    lines = [line.strip() for line in text.splitlines() if has_words(line)]
    if len(lines) > 1 and (lines[0].endswith(":") or is_announcement(lines[0])):
        lines = lines[1:]
    if len(lines) > 1 and _CLOSING.match(lines[-1]):
        lines = lines[:-1]
    return tuple(line.strip(" ,;.") for line in lines) if len(lines) > 1 else ()


def _separated(text: str) -> list[Reading]:
    """Readings of a running list: at semicolons or commas, the last "and" inside the last item or between the last two."""
    if "\n" in text and "," not in text and ";" not in text:
        return []
    body = _BRACKETS.sub(" ", _without_intro(text))
    separator = re.compile(r";\s*") if ";" in body else _COMMA
    parts = [part for piece in separator.split(" ".join(body.split())) if (part := _LAST_AND.sub("", piece.strip(" .!?\"'*")))]
    if not parts:
        return []
    if any(len(counted_words(part)) > _LONGEST_ITEM for part in parts):
        return []
    whole = tuple(parts)
    split_last = (*whole[:-1], *_SPLIT_AND.split(whole[-1]))
    slashed = tuple(part.strip() for part in whole[0].split("/")) if len(whole) == 1 and "/" in whole[0] else ()
    everywhere = tuple(_SPLIT_AND.split(whole[0])) if len(whole) == 1 else ()
    return [whole, split_last, slashed, everywhere]


def _without_intro(text: str) -> str:
    kept = list(sentences(text))
    while len(kept) > 1 and is_announcement(kept[0]):
        kept = kept[1:]
    body = " ".join(kept[:1]) if kept and "," in kept[0] else " ".join(kept)
    body = _INTRO.sub("", body, count=1)
    if body.count(".") + body.count("!") > 1 and len(kept) > 1 and "," not in kept[0]:
        return ""
    return _COPULA.sub("", body, count=1)


def _short_sentences(text: str, prose_items: bool) -> Reading:
    found = _telling(text)
    if prose_items:
        return tuple(found)
    plain = len(found) > 1 and all("," not in sentence and len(counted_words(sentence)) <= 4 for sentence in found)
    return tuple(found) if plain else ()


def _ordinals(text: str) -> Reading:
    starts = [match.start() for match in _ORDINAL.finditer(text)]
    if len(starts) < 2:
        return ()
    lead = text[: starts[0]].strip()
    cuts = [*([0] if len(counted_words(lead)) > 3 and not is_announcement(lead) else []), *starts]
    return tuple(text[start:end].strip() for start, end in zip(cuts, [*cuts[1:], len(text)], strict=True))


def _counted_off(text: str) -> Reading:
    """The parts of "First, ... Second, ...": every sentence from one ordinal to the next."""
    starts: list[int] = []
    for name in _COUNTED:
        match = re.compile(rf"(?:(?<=[.!?;]\s)|(?<=\n)|^){name}(?:ly)?,\s", re.IGNORECASE).search(
            text, starts[-1] if starts else 0
        )
        if match is None:
            break
        starts.append(match.start())
    ends = [*starts[1:], len(text)]
    return tuple(text[start:end].strip() for start, end in zip(starts, ends, strict=True)) if len(starts) > 1 else ()


def _joined_clauses(text: str) -> Reading:
    found = _telling(text)
    if len(found) != 1:
        return ()
    return tuple(part for part in re.split(r"\s*[,;]?\s+(?:and|or)\s+|;\s+", found[0]) if len(counted_words(part)) > 1)


def _telling(text: str) -> list[str]:
    return [sentence for sentence in sentences(text) if not is_announcement(sentence) and not _CLOSING.match(sentence)]
