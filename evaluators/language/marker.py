"""The END marker: a stand-alone upper-case END that closes the response."""

from __future__ import annotations

import re
from typing import NamedTuple

from evaluators.language.wordlists import word_set

_CANDIDATE = re.compile(r"(?<!\S)END(?!\S)")
_BELONGS_TO_WHAT_FOLLOWS = word_set(
    """
    the this an a any to use uses using type write say word words keyword my your its shall
    """
)
"""Words after which END is a word of the sentence ("THE END", "the keyword END"), not the marker."""


class Marked(NamedTuple):
    """A response taken apart at its first marker."""

    content: str
    """What the response says, before the first marker; all of it where there is none."""
    found: bool
    after: str
    """What follows the first marker, blanks stripped; empty in a response that stopped there."""


def split_at_marker(response: str) -> Marked:
    """Find the first marker: END alone on its line, or as a word that closes its line or a sentence before it.

    `end`, `The End`, `THE END`, `WEEKEND`, `"END"` and `END.` are not the marker, nor is an END that its own sentence uses
    ("the END keyword closes a block").
    """
    for match in _CANDIDATE.finditer(response):
        if _closes(response, match.start(), match.end()):
            return Marked(response[: match.start()].rstrip(), found=True, after=response[match.end() :].strip())
    return Marked(response.rstrip(), found=False, after="")


def _closes(response: str, start: int, end: int) -> bool:
    line_start = response.rfind("\n", 0, start) + 1
    line_end = response.find("\n", end)
    before = response[line_start:start].split()
    after = response[end : line_end if line_end >= 0 else len(response)].split()
    if not before:
        return not after or not after[0][0].islower()
    if before[-1].casefold().strip("\"'*") in _BELONGS_TO_WHAT_FOLLOWS:
        return False
    return not after or not (after[0][0].islower() or (_shouted(before[-1]) and _shouted(after[0])))


def _shouted(word: str) -> bool:
    return len(word) > 1 and word.isupper()
