"""What an instruction asks for: the kind of answer, its form, what it is about, and what it allows that is a fault elsewhere."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from evaluators.language.patterns import spoken
from evaluators.language.stem import stem
from evaluators.language.text import Token, tokens
from evaluators.language.vocabulary import FUNCTION_WORDS, TASK_WORDS

AnswerType = Literal["number", "person", "place", "time", "yes_no", "reason", "open"]

_STEM_LEAD = re.compile(
    r"^\s*(?:please\s+)?(?:complete|finish|continue|fill\s+in|end)\b[^:\n]{0,60}:\s*|^\s*(?:please\s+)?(?:complete|finish|continue)\s+"
    r"(?:this|the)\s+(?:\w+\s+){0,3}?(?:sentence|phrase|proverb|story|saying|text)\s*[-–—.]?\s*",
    re.IGNORECASE,
)
_AUXILIARY = r"(?:is|are|was|were|do|does|did|can|could|will|would|should|has|have|had|may|might|must)"
_OPENING = r"(?:^|[.!?:;,] )(?:(?:by|for|to|with|from|in|on|at|about) )?"
_TYPES: tuple[tuple[AnswerType, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(pattern))
    for kind, pattern in (
        ("number", r"\bhow (?:many|much|old|tall|far|long|fast|deep|high|heavy|big|hot|cold|wide)\b|\b(?:what|which) (?:\w+ )?"
                   r"(?:number|percentage|percent|fraction|year|temperature|age|speed|distance)\b|\bwhat is (?:-?\d|the (?:sum|product|difference|square|cube|"
                   r"result|quotient|remainder|number|square root|value of))|\bin (?:what|which) year\b|\bcalculate\b|\bcompute\b"),
        ("person", rf"{_OPENING}(?:who|whom|whose)\b"),
        ("place", rf"{_OPENING}where\b"),
        ("time", rf"{_OPENING}when\b|\b(?:what|which) (?:date|day|time|month)\b"),
        ("yes_no", rf"{_OPENING}(?:\W*(?:answer|say|reply)[^:?]*: ?)?(?:true or false\W+)?{_AUXILIARY}(?: not)? \w+[^?.]*\?|\byes or no\b|\btrue or false\b"),
        ("reason", rf"{_OPENING}(?:why|how (?:do|does|did|can|could|would|should|is|are(?! you)|to))\b"),
    )
)  # fmt: skip
_PROSE_ITEMS = re.compile(
    r"\b(?:tips?|ways?|steps?|reasons?|facts?|benefits?|advantages?|disadvantages?|rules?|ideas?|things|suggestions?|examples of how|"
    r"differences?|similarities|sentences|questions|activities|uses|effects|causes|habits|strategies|methods|jokes|excuses|goals)\b"
)
_ALLOWS = {
    "dialogue": r"\b(?:dialogues?|conversations?|interview|chat|script|play|scene|faq|quiz|q ?& ?a|questions? and answers?|exchange|skit|debate|transcript)\b",
    "apology": r"\b(?:apolog\w+|sorry|declin\w+|refus\w+|turn(?:ing)? down|reject\w*|cancel\w*|excuse|say(?:ing)? no|regret|resign\w*|unable|condolence|sympathy|complain\w*)\b",
    "question": r"\b(?:questions?|riddle|ask(?:s|ing)?|inquir\w+|interview|quiz|survey|invit\w+|offer\w*|request\w*)\b",
    "template": r"\b(?:templates?|placeholders?|fill[- ]in|blanks?|worksheet|mad libs?|form letter)\b",
    "repetition": r"\b(?:repeat\w*|times|over and over|again and again|chorus|refrain|loop|chant|count(?:ing)?)\b",
    "markup": r"\b(?:html|xml|tags?|markup|markdown|web ?page|css|svg|latex|code|script|function|program|json|yaml|regex|python|javascript)\b",
    "spelling": r"\b(?:spell\w*|letters?|alphabet|abbreviat\w+|acronym|initials|code|password|cipher|palindrome|anagram|morse|symbols?|formula|equation|emoji\w*|emoticon|onomatopoeia|sound)\b",
    "transform": r"\b(?:sort|order|arrange|rearrange|unscramble|alphabetical\w*|extract|copy|capitali[sz]e|upper ?case|lower ?case|reverse|punctuat\w+|"
    r"correct|fix|edit|proofread|rewrite|rephrase|paraphrase|shorten|which of|choose|pick|select|longest|shortest|classify|underline|highlight)\b",
    "foreign": r"\b(?:translat\w+|french|spanish|german|italian|latin|japanese|chinese|russian|arabic|greek|portuguese|hindi|korean|language)\b",
}
_ALLOWED = {name: re.compile(pattern) for name, pattern in _ALLOWS.items()}
_EXPLAINS = re.compile(
    r"\b(?:explain|describe|why|how (?:do|does|did|can|could|would|should|is|are(?! you)|to)\b|story|essay|poem|paragraph|letter (?:to|from)|e-?mail|recipe|summar\w+|"
    r"compare|discuss|dialogue|conversation|report|article|review|instructions|tell me about)\b"
)
_CHOICE = re.compile(
    r"\b([\w'-]+(?: [\w'-]+)?),? or (?:(?:a|an|the) )?([\w'-]+(?: (?!in\b|on\b|at\b|for\b|of\b|by\b)[\w'-]+)?)(?: (?:in|on|at|for|of|by)\b[^?]{0,40})?\s*\?"
)


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
    """What is asked for here and a fault elsewhere: dialogue, apology, question, template, repetition, markup, spelling, transform, foreign."""
    prose_items: bool
    """Whether the items of its list may be sentences."""
    explains: bool
    """Whether a word or two cannot do."""
    only: bool
    """Whether it wants the bare answer: "only", "just", "nothing else"."""
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
    choice = _CHOICE.search(text)
    return Request(
        text=instruction,
        stem=_STEM_LEAD.sub("", instruction, count=1).strip(" \"'“”_.…") or instruction,
        answer_type=next((kind for kind, pattern in _TYPES if pattern.search(text)), "open"),
        subject=frozenset(stem(token.norm) for token in found if _is_subject(token)),
        names=frozenset(token.norm for token in found if _is_name(token, found[0])),
        words=frozenset(token.norm for token in found),
        asked_for=frozenset(stem(token.norm) for token in found if token.norm not in FUNCTION_WORDS),
        allows=frozenset(name for name, pattern in _ALLOWED.items() if pattern.search(text)),
        prose_items=bool(_PROSE_ITEMS.search(text)),
        explains=bool(_EXPLAINS.search(text)),
        only=bool(re.search(r"\b(?:only|just|nothing (?:else|but)|single|solely)\b", text)),
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
