"""How long an answer should be: what the instruction says, and what it implies. Never a number of characters."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from evaluators.language.numbers import quantities
from evaluators.language.patterns import find, phrases, spoken


@dataclass(frozen=True)
class Range:
    """From `least` to `most`, both included; None: no bound."""

    least: int | None = None
    most: int | None = None

    def holds(self, n: int) -> bool:
        """Whether n is within."""
        return (self.least is None or n >= self.least) and (self.most is None or n <= self.most)


@dataclass(frozen=True)
class Limits:
    """What the wording of an instruction says about the length of the answer; None: it says nothing."""

    words: Range | None = None
    sentences: Range | None = None
    lines: Range | None = None
    paragraphs: Range | None = None
    items: Range | None = None
    implied: str | None = None
    """The form asked for by name: `sentence`, `poem`, `story`, `title`, ..."""


_QUOTED = re.compile(r'"[^"]{1,400}"')


@lru_cache(maxsize=4096)
def read_limits(instruction: str) -> Limits:
    """Read what an instruction says about length. "In one sentence", "at most 20 words", "a haiku", "list three"."""
    text = _QUOTED.sub(" ", spoken(instruction))
    ranges = dict(pair for sentence in re.split(r"(?<=[.!?]) ", text) for pair in reversed(_counted(sentence)))
    items = _items(text) or ranges.pop("items", None)
    form = find(text, "limits", "form")
    return Limits(
        words=ranges.get("words"),
        sentences=ranges.get("sentences"),
        lines=ranges.get("lines"),
        paragraphs=ranges.get("paragraphs"),
        items=items,
        implied=form[1].replace("e-mail", "email") if form else None,
    )


def _counted(text: str) -> list[tuple[str, Range]]:
    writing = find(text, "limits", "writing") is not None
    found = [(_plural(match["unit"]), Range(int(match[1]), int(match[2]))) for match in _all(text, "between")]
    for match in _all(text, "count"):
        unit, n = _plural(match["unit"]), _number(match["n"])
        loose = match["n"] in {"a", "an"} and unit == "words" and "single" not in match[0] and not match[0].startswith("in ")
        if loose or not (writing or find(match[0], "limits", "demands")):
            continue
        bounded = match["most"] or match["least"] or match["about"] or match["orless"]
        if (
            match["list"]
            and unit == "words"
            and not bounded
            and not text[: match.start("n")].rstrip().endswith((" in", " using"))
        ):
            found.append(("items", Range(n, n)))
        else:
            found.append((unit, _range(match, n, unit)))
    return [(unit, bounds) for place, (unit, bounds) in enumerate(found) if unit not in [name for name, _ in found[:place]]]


def _all(text: str, section: str) -> list[re.Match[str]]:
    return [match for pattern in phrases("limits")[section] for match in pattern.regex.finditer(text)]


def _range(match: re.Match[str], n: int, unit: str) -> Range:
    if match["most"] or match["orless"] or (match["tail"] and "long" not in match["tail"]):
        strict = match["most"] in {"fewer than", "less than", "under", "below"}
        return Range(None, n - 1 if strict else n)
    if match["least"]:
        return Range(n + 1 if match["least"] in {"more than", "over"} else n, None)
    if match["about"] or (unit == "words" and n >= 20):
        return Range(int(n * 0.7), int(n * 1.3) + 1)
    return Range(n, n)


def _items(text: str) -> Range | None:
    match = find(text, "limits", "items")
    if match is None or ((match["noun"] or "") in {"word", "words"} and " word" not in match[0]):
        return None
    n = _number(match["n"])
    return Range(n, n)


def _plural(unit: str) -> str:
    return {"verses": "lines"}.get(unit, unit if unit.endswith("s") else unit + "s")


def _number(text: str) -> int:
    if text in {"a", "an"}:
        return 1
    found = quantities(text)
    return int(found[0].value) if found else 1
