"""Cleans what a base model wrote after `Response:`: it rarely stops where the answer does.

The text is cut at the first of

- the END marker: a stand-alone upper-case END that ends a line (`end`, `WEEKEND` and `The End` are none);
- a new prompt: a line that opens with `Instruction:`, `Response:`, `Q:`, `User:` and the like, or with `###`; or a
  template token;
- runaway repetition: words that repeat themselves at once and too often; the first copy stays.

What is left is stripped, and free of control characters. Cutting only ever shortens, and is repeated until nothing is left to
cut, so cleaning is idempotent.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Literal

Ending = Literal["marker", "new_prompt", "repetition", "as_written"]

MARKER = re.compile(
    r"(?:^|(?<=\s))END(?:[^\S\n]+END)*(?=[^\S\n]*$|\s+(?:Instruction|Response|Question|Input|User|Q):)", re.MULTILINE
)
NEW_PROMPT = re.compile(
    r"^[^\S\n]*[>*]*[^\S\n]*(?:Instruction|Response|Question|Answer|Q|A|Input|Output|User|Assistant|Human)\s?\d{0,3}\s?:"
    r"|^[^\S\n]*###"
    r"|<\|[\w ]{1,40}\|>",
    re.MULTILINE,
)
LONGEST_UNIT = 40
"""Words of the longest unit whose repetition is noticed."""

_BREAKS = re.compile(r"\r\n|[\r\v\f\x1c-\x1e\x85\u2028\u2029]")
_STUCK = re.compile(r"((?=\S)\D{1,20}?)\1{9,}")


@dataclass(frozen=True, slots=True)
class Cleaned:
    """A cleaned text, and what the first cut was made at."""

    text: str
    ending: Ending


def clean(response: str) -> str:
    """The answer in what a model wrote, perhaps empty. Idempotent; never holds the END marker or a second prompt."""
    return cut(response).text


def cut(response: str) -> Cleaned:
    """The answer, and why it ends where it does: `as_written` when nothing was cut off its end."""
    text = _plain(response)
    ending: Ending = "as_written"
    while (first := _first_cut(text)) is not None:
        place, ending = first
        text = text[:place].strip()
    return Cleaned(text, ending)


def before_marker(response: str) -> str:
    """All that was written before the first END marker, stripped and otherwise as it was."""
    text = _plain(response)
    match = MARKER.search(text)
    return text[: match.start()].strip() if match else text


def _plain(response: str) -> str:
    """Only `\\n` as line break, no other control characters, no surrogates, no space at the ends."""
    text = _BREAKS.sub("\n", response)
    return "".join(char for char in text if char in "\n\t" or unicodedata.category(char) not in {"Cc", "Cs"}).strip()


def _first_cut(text: str) -> tuple[int, Ending] | None:
    marker, prompt, repetition = MARKER.search(text), NEW_PROMPT.search(text), _runaway(text)
    places: list[tuple[int, Ending]] = []
    if marker:
        places.append((marker.start(), "marker"))
    if prompt:
        places.append((prompt.start(), "new_prompt"))
    if repetition is not None:
        places.append((repetition, "repetition"))
    return min(places, default=None)


def _runaway(text: str) -> int | None:
    """Where the second copy of the first runaway unit begins, in characters."""
    found = [(match.start(), match.end(), match[0].casefold()) for match in re.finditer(r"\S+", text)]
    words = [word for _, _, word in found]
    places = []
    for start in range(len(words)):
        length = _repeated_unit(words, start)
        if length:
            places.append(found[start + length][0])
            break
    stuck = _STUCK.search(text)
    if stuck:
        places.append(stuck.start() + len(stuck[1]))
    return min(places, default=None)


def _repeated_unit(words: list[str], start: int) -> int:
    """The length of the shortest unit at `start` that repeats itself at once and too often; 0 if none does."""
    for length in range(1, min(LONGEST_UNIT, (len(words) - start) // 2) + 1):
        if words[start] != words[start + length]:
            continue
        unit = words[start : start + length]
        copies = _copies_allowed(unit) + 1
        if unit * copies == words[start : start + length * copies]:
            return length
    return 0


def _copies_allowed(unit: list[str]) -> int:
    """How often in a row a unit may stand: "very, very, very" and "2 + 2 + 2" are fine, a sentence said twice is not."""
    if not any(char.isalpha() for word in unit for char in word):
        return 7
    return {1: 3, 2: 2, 3: 2}.get(len(unit), 1)
