"""How long an answer should be: what the instruction says, and what it implies. Never a number of characters."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from evaluators.language.numbers import quantities
from evaluators.language.patterns import spoken


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


_N = r"(?P<n>\d{1,4}|an?|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fifteen|twenty|thirty|forty|fifty|hundred|a hundred)"
_MOST = r"(?P<most>at most|no more than|not more than|up to|fewer than|less than|under|below|a maximum of|maximum|max|within|or fewer|or less)"
_LEAST = r"(?P<least>at least|no fewer than|no less than|more than|over|a minimum of|minimum)"
_ABOUT = r"(?P<about>about|around|approximately|roughly|some)"
_UNIT = r"(?P<unit>words?|sentences?|lines?|verses|paragraphs?)"
_COUNT = re.compile(
    rf"(?:(?:{_MOST}|{_LEAST}|{_ABOUT}|exactly|in|using|with|of|only|just|than)[ ]+){{0,3}}\b{_N}(?:[ -](?:or[ ](?P<orless>fewer|less)|short|simple|complete|full|single|long|different|"
    rf"brief|rhyming)){{0,2}}[ -]{_UNIT}\b(?P<tail>[ -](?:or[ -](?:fewer|less|shorter)|at[ ]most|maximum|max|long))?(?P<list>[ ](?:that|which|to[ ]describe|describing|related|rhyming|starting|beginning|for|with[ ]the[ ]same|meaning)\b)?"
)
_BETWEEN = re.compile(rf"\b(?:between )?(\d{{1,3}})(?: and | to | ?- ?)(\d{{1,4}}) {_UNIT}\b")
_ITEMS = re.compile(
    r"\b(?:list|name|give(?: me)?|write|suggest|provide|state|mention|identify|tell me|what are|which|create|recommend|think of|offer|share|find|describe|choose|"
    r"make a list of|propose|i need|show(?: me)?)\b(?: down| out| me| us| the| any| exactly| just| at least| only| some| of| your| about| top| best| main| my){0,3} "
    r"(?P<n>\d{1,2}|two|three|four|five|six|seven|eight|nine|ten|twelve)\b(?! ?(?:[+*/x-] ?\d)| (?:minus|plus|times|divided|multiplied|is|are|was|were)\b)(?![ -](?:or more|word|sentence|line|paragraph|stanza|verse|times|years?|minutes?|hours?|days?|percent|%|to |-year))"
    r"(?: (?P<noun>[a-z'-]+))?"
)
_FORMS = (
    "haiku", "limerick", "couplet", "quatrain", "sonnet", "poem", "verse", "rhyme", "song", "story", "tale", "essay", "paragraph", "title", "headline", "slogan",
    "motto", "caption", "tagline", "tweet", "name for", "definition", "sentence", "question", "joke", "riddle", "pun", "fact", "quote", "proverb", "tip", "greeting",
    "toast", "reply", "e-?mail", "letter", "message", "note", "recipe", "dialogue", "conversation", "summary", "description", "list", "report", "article",
    "speech", "review", "diary entry", "invitation", "synonym", "antonym", "example",
)  # fmt: skip
_FORM = re.compile(
    r"(?:^(?:an? |one )?|\b(?:write|compose|create|make|give|tell|draft|invent|suggest|come up with|think of|provide|form|generate|share|produce|"
    r"send|wish|reply|answer|respond|continue|complete|finish)\b(?: (?!what\b|how\b|who\b|why\b|when\b|whether\b|about\b|that\b|of\b|for\b|from\b)[\w'-]+){0,7}? )"
    r"(?:[\w'-]+-)?(" + "|".join(_FORMS) + r")(?:s|es)?\b"
)
_WRITING = re.compile(
    r"\b(?:write|compose|create|make up|give|tell|draft|invent|make|suggest|come up with|think of|provide|form|generate|share|answer|reply|respond|explain|describe|summari[sz]e)\b"
)


_QUOTED = re.compile(r'"[^"]{1,400}"')
_DEMANDS = re.compile(r"\b(?:in|using|use|within|most|least|exactly|maximum|minimum|fewer|less|than|about|around|between)\b")


@lru_cache(maxsize=4096)
def read_limits(instruction: str) -> Limits:
    """Read what an instruction says about length. "In one sentence", "at most 20 words", "a haiku", "list three"."""
    text = _QUOTED.sub(" ", spoken(instruction))
    ranges = dict(pair for sentence in re.split(r"(?<=[.!?]) ", text) for pair in reversed(_counted(sentence)))
    items = _items(text) or ranges.pop("items", None)
    form = _FORM.search(text)
    return Limits(
        words=ranges.get("words"),
        sentences=ranges.get("sentences"),
        lines=ranges.get("lines"),
        paragraphs=ranges.get("paragraphs"),
        items=items,
        implied=form[1].replace("e-?mail", "email") if form else None,
    )


def _counted(text: str) -> list[tuple[str, Range]]:
    writing = bool(_WRITING.search(text))
    found = [(_plural(match["unit"]), Range(int(match[1]), int(match[2]))) for match in _BETWEEN.finditer(text)]
    for match in _COUNT.finditer(text):
        unit, n = _plural(match["unit"]), _number(match["n"])
        loose = match["n"] in {"a", "an"} and unit == "words" and "single" not in match[0] and not match[0].startswith("in ")
        if loose or not (writing or _DEMANDS.search(match[0])):
            continue
        bounded = match["most"] or match["least"] or match["about"] or match["orless"]
        if match["list"] and unit == "words" and not bounded and not text[: match.start("n")].rstrip().endswith((" in", " using")):
            found.append(("items", Range(n, n)))
        else:
            found.append((unit, _range(match, n, unit)))
    return [(unit, bounds) for place, (unit, bounds) in enumerate(found) if unit not in [name for name, _ in found[:place]]]


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
    match = _ITEMS.search(text)
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
