"""The form of an answer: words, sentences, list items, constraints. Rules of datagen, apart from the criteria's."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from compiler.records import Constraint, ConstraintType
from datagen.mentions import number, tokens

LIST_MARK = re.compile(r"^[ \t]*(?:\d{1,3}[.)]|[-*•–])[ \t]+(?=\S)", re.MULTILINE)

_INLINE_MARK = re.compile(r"(?:^|\s)\d{1,2}[.)]\s+")
_SEPARATOR = re.compile(r"\s*(?:[,;]\s*(?:and|or)\s+|[,;]\s+|\s(?:and|or)\s)\s*")
_SENTENCE_END = re.compile(r"""[.!?…]+["'”’)\]]*(?=\s|$)|\n""")
_ABBREVIATION = re.compile(r"(?:\b(?:Mr|Mrs|Ms|Dr|Prof|St|Mt|vs|etc|approx|e\.g|i\.e|[A-Z])|^[ \t]*\d{1,3})\.$", re.MULTILINE)

_YES_NO = re.compile(r"\W*(yes|no)\b", re.IGNORECASE)


def word_count(text: str) -> int:
    """Runs of non-space characters that hold a letter or a digit."""
    return sum(any(char.isalnum() for char in run) for run in text.split())


def split_sentences(text: str) -> list[str]:
    """The sentences of a text; a line break ends one too. Initials, common abbreviations and list numbers end none."""
    sentences, start = [], 0
    for match in _SENTENCE_END.finditer(text):
        sentence = text[start : match.end()]
        if match[0] != "\n" and _ABBREVIATION.search(sentence.rstrip("\"'”’)]")) and match.end() < len(text):
            continue
        sentences.append(sentence.strip())
        start = match.end()
    return [sentence for sentence in (*sentences, text[start:].strip()) if any(char.isalnum() for char in sentence)]


def list_items(text: str) -> list[str]:
    """The members of a list, however it is written: marked lines, plain lines, "1. a 2. b", or "a, b and c"."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    marked = [LIST_MARK.sub("", line).strip() for line in lines if LIST_MARK.match(line)]
    if len(marked) > 1:
        return marked
    if len(lines) > 1:
        return lines
    inline = [part.strip() for part in _INLINE_MARK.split(text) if part.strip()]
    return inline if len(inline) > 1 else [part.strip() for part in _SEPARATOR.split(text.strip().rstrip(".")) if part.strip()]


def is_listed(text: str) -> bool:
    """Whether a text is a list as lists are written: two or more lines, each with a number or a bullet."""
    lines = [line for line in text.splitlines() if line.strip()]
    return len(lines) > 1 and all(LIST_MARK.match(line) for line in lines)


def meets(constraint: Constraint | None, text: str, *, strictly: bool = False) -> bool:
    """Whether a text has the form asked for; a constraint that lacks its `n` or `text` asks for nothing.

    Leniently, a list may be a sentence, a yes may be explained and a number may stand in a sentence; strictly, they may not.
    """
    if constraint is None:
        return True
    if strictly and constraint.type in _STRICT:
        return _STRICT[constraint.type](text, constraint)
    return _LENIENT[constraint.type](text, constraint)


def yes_or_no(text: str) -> str | None:
    """The `yes` or `no` that a text opens with."""
    match = _YES_NO.match(text)
    return match[1].casefold() if match else None


def _has_number(text: str) -> bool:
    return any(number(token.raw) is not None for token in tokens(text))


def _is_number(text: str, _: Constraint) -> bool:
    """A number with at most a sign, a currency and one word of unit around it."""
    found = tokens(text.strip())
    return 0 < len(found) <= 2 and number(found[0].raw) is not None and word_count(text) <= 2


def _starts_with(text: str, constraint: Constraint) -> bool:
    return text.lstrip(" \t\"'“‘*").casefold().startswith((constraint.text or "").strip().casefold())


_LENIENT: Mapping[ConstraintType, Callable[[str, Constraint], bool]] = {
    "one_word": lambda text, _: word_count(text) == 1,
    "yes_no": lambda text, _: yes_or_no(text) is not None,
    "number": lambda text, _: _has_number(text),
    "list": lambda text, asked: asked.n is None or len(list_items(text)) == asked.n,
    "sentences": lambda text, asked: asked.n is None or len(split_sentences(text)) == asked.n,
    "words_max": lambda text, asked: asked.n is None or word_count(text) <= asked.n,
    "contains": lambda text, asked: (asked.text or "").strip().casefold() in text.casefold(),
    "starts_with": _starts_with,
}
_STRICT: Mapping[ConstraintType, Callable[[str, Constraint], bool]] = {
    "yes_no": lambda text, _: yes_or_no(text) is not None and word_count(text) == 1,
    "number": _is_number,
    "list": lambda text, asked: is_listed(text) and asked.n in (None, len(list_items(text))),
}
