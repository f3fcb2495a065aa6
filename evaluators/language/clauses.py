"""A text as clauses: the reach of a "not", of a "than", of what is asserted about what."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from evaluators.language.sentences import sentences
from evaluators.language.text import plain, tokens
from evaluators.language.wordlists import word_set

_BREAK = re.compile(r"[,;:()\[\]\n—]|\s-\s")
_NEW_CLAUSE = word_set("but however although though while whereas because yet which since")
_TAG = re.compile(
    r",\s*(?:is|are|was|were|do|does|did|can|could|has|have|will|wo|is)(?:n'?t|\snot)?\s+(?:it|they|he|she|we|you|there)\s*\?$|,\s*right\s*\?$"
)


@dataclass(frozen=True, slots=True)
class Word:
    """A word in its clause."""

    norm: str
    raw: str
    clause: int
    sentence: int
    joined: bool
    """A hyphen ties it to the word before."""
    closed: bool
    """Punctuation or the end of the text follows directly."""
    opened: bool
    """A quotation mark, bracket or colon stands directly before it."""


@dataclass(frozen=True)
class Discourse:
    """The words of a text with their clauses and sentences."""

    text: str

    @cached_property
    def sentences(self) -> tuple[str, ...]:
        """The sentences, in plain characters."""
        return tuple(sentences(plain(self.text)))

    @cached_property
    def words(self) -> tuple[Word, ...]:
        """All words, in order."""
        found: list[Word] = []
        clause = 0
        for number, sentence in enumerate(self.sentences):
            words = _words(sentence, number, clause)
            found += words
            clause = (words[-1].clause if words else clause) + 1
        return tuple(found)

    @cached_property
    def clauses(self) -> tuple[tuple[Word, ...], ...]:
        """The words of each clause; the index is `Word.clause`."""
        groups: dict[int, list[Word]] = {}
        for word in self.words:
            groups.setdefault(word.clause, []).append(word)
        last = max(groups, default=-1)
        return tuple(tuple(groups.get(number, ())) for number in range(last + 1))

    def asks(self, sentence: int) -> bool:
        """Whether that sentence is a question; "..., isn't it?" makes none."""
        text = self.sentences[sentence].rstrip("\"') ")
        return text.endswith("?") and not _TAG.search(text.casefold())


def _words(sentence: str, number: int, clause: int) -> list[Word]:
    found: list[Word] = []
    position = 0
    for token in tokens(sentence):
        between = sentence[position : token.start] if token.start >= position else ""
        if found and (_BREAK.search(between) or (token.norm in _NEW_CLAUSE and token.start >= position)):
            clause += 1
        joined = between == "-" and bool(found)
        after = sentence[token.end : token.end + 1]
        closed = not after or after in ".,;:!?)]}\"'*"
        found.append(Word(token.norm, token.raw, clause, number, joined, closed, between[-1:] in tuple("\"'(:*[")))
        position = token.end
    return found
