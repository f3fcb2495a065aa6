"""What an instruction asks for: the kind of answer, what it is about, and what it allows that is a fault elsewhere."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from evaluators.language.patterns import find, spoken
from evaluators.language.stem import stem
from evaluators.language.text import Token, tokens
from evaluators.language.vocabulary import FUNCTION_WORDS, TASK_WORDS
from evaluators.language.wordlists import word_list

AnswerType = Literal["number", "person", "place", "time", "yes_no", "reason", "open"]

_STEM_LEAD = re.compile(
    r"^\s*(?:please\s+)?(?:complete|finish|continue|fill\s+in|end)\b[^:\n]{0,60}:\s*|^\s*(?:please\s+)?(?:complete|finish|continue)\s+"
    r"(?:this|the)\s+(?:\w+\s+){0,3}?(?:sentence|phrase|proverb|story|saying|text)\s*[-–—.]?\s*",
    re.IGNORECASE,
)
_TYPES: tuple[AnswerType, ...] = ("number", "person", "place", "time", "yes_no", "reason")
"""In the order in which they are tried: "in what year did who" asks for a number."""
_ALLOWABLE = word_list("dialogue apology question template repetition markup spelling transform foreign")


@dataclass(frozen=True)
class Request:
    """An instruction, read."""

    text: str
    stem: str
    """The beginning that a completion goes on from; the whole instruction elsewhere."""
    answer_type: AnswerType
    subject: frozenset[str]
    """Stems of the words that say what it is about."""
    names: frozenset[str]
    """Folded proper nouns."""
    words: frozenset[str]
    """All folded words."""
    asked_for: frozenset[str]
    """Stems of all words that are no function words: the task as well as its subject."""
    allows: frozenset[str]
    """What is asked for here and a fault elsewhere, such as the question marks of a quiz; see `_ALLOWABLE`."""
    prose_items: bool
    """Whether the items of its list may be sentences."""
    explains: bool
    """Whether a word or two cannot do."""
    only: bool
    """Whether it wants the bare answer: "only", "just", "nothing else"."""
    invents: bool
    """Whether something is made up, or ideas may come from any field: stories, poems, jokes, similes, advice."""
    choice: tuple[str, str] | None
    """The two options of "coffee or tea?", folded."""

    @property
    def is_question(self) -> bool:
        """Whether it is put as a question."""
        return self.text.rstrip().endswith("?") or self.answer_type != "open"


@lru_cache(maxsize=4096)
def read_request(instruction: str) -> Request:
    """Read an instruction. The same text gives the same request, whatever the item's kind."""
    text = spoken(instruction)
    found = tokens(instruction)
    choice = find(text, "requests", "choice")
    return Request(
        text=instruction,
        stem=_STEM_LEAD.sub("", instruction, count=1).strip(" \"'“”_.…") or instruction,
        answer_type=next((kind for kind in _TYPES if find(text, "requests", kind)), "open"),
        subject=frozenset(stem(token.norm) for token in found if _is_subject(token)),
        names=frozenset(token.norm for token in found if _is_name(token, found[0])),
        words=frozenset(token.norm for token in found),
        asked_for=frozenset(stem(token.norm) for token in found if token.norm not in FUNCTION_WORDS),
        allows=frozenset(name for name in _ALLOWABLE if find(text, "requests", f"allows_{name}")),
        prose_items=find(text, "requests", "prose_items") is not None,
        explains=find(text, "requests", "explains") is not None,
        only=find(text, "requests", "only") is not None,
        invents=find(text, "requests", "invents") is not None,
        choice=(choice[1], choice[2]) if choice else None,
    )


def _is_subject(token: Token) -> bool:
    return token.norm not in FUNCTION_WORDS and token.norm not in TASK_WORDS and (len(token.norm) > 1 or token.norm.isdigit())


def _is_name(token: Token, first: Token) -> bool:
    return (
        token.raw[0].isupper()
        and token.start != first.start
        and token.norm not in FUNCTION_WORDS
        and token.norm not in TASK_WORDS
    )
