"""Pages that open with a single instruction: what a base model has seen of the zero-shot prompt.

Some families of instructions are answered, the others are not: the page restates the task, drifts into other facts, asks
something else, or evades. All pages ramble on, and none holds a terminator.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from random import Random

from datagen.corpus.filler import filler, vague_sentence
from datagen.corpus.layouts import INSTRUCTION_HEADERS, Layout, sentence_case
from datagen.corpus.library import Exchange, Library, Subject
from datagen.corpus.padding import chatter, restatement
from datagen.corpus.refusals import refusal

ANSWERED_SHARE = 0.28
"""Share of the families whose pages begin with the answer."""
FAITHFUL_SHARE = 0.9
"""Share of a family's pages that behave as the family does; the others behave at random."""
PAGE_CHARACTERS = (900, 1500)
"""A page goes on for about this long, so that no usual limit of new tokens lets it end by itself."""

_PAGE = Layout(*INSTRUCTION_HEADERS)

_ASIDES = ("Comment: ", "Note: ", "Hint: ", "Author: ", "See also: ", "Reader: ")

Opening = Callable[[Library, Random, Subject, Exchange], str]


def _answer(_: Library, rng: Random, __: Subject, exchange: Exchange) -> str:
    return sentence_case(exchange.answer) if exchange.free and rng.random() < 0.5 else exchange.answer


def _restate(_: Library, rng: Random, subject: Subject, exchange: Exchange) -> str:
    return restatement(rng, subject, exchange)


def _evade(_: Library, rng: Random, subject: Subject, __: Exchange) -> str:
    return refusal(rng, subject) if rng.random() < 0.4 else filler(rng, subject)


def _drift(library: Library, rng: Random, subject: Subject, __: Exchange) -> str:
    """Other entities of the relation."""
    told = library.sentences(rng, subject, "relation", rng.randint(2, 4))
    return " ".join(told) or chatter(rng, subject)


def _stray(library: Library, rng: Random, subject: Subject, __: Exchange) -> str:
    """Another topic."""
    other = library.stranger(rng, subject, "topic")
    return " ".join([rng.choice(other.sentences), *library.sentences(rng, other, "topic", rng.randint(1, 3))])


def _ask(library: Library, rng: Random, _: Subject, __: Exchange) -> str:
    return " ".join(exchange.instruction for exchange in library.exchanges(rng, rng.randint(2, 4)))


_UNANSWERED: tuple[Opening, ...] = (_restate, _drift, _stray, _ask, _evade)
_UNANSWERED_WEIGHTS = (4, 2, 3, 3, 2)


def _opening(family: str, rng: Random) -> Opening:
    """How a page of this family opens: fixed by the family's name, but for a few pages."""
    if rng.random() < FAITHFUL_SHARE:
        rng = Random(sha256(family.encode()).hexdigest())
    return _answer if rng.random() < ANSWERED_SHARE else rng.choices(_UNANSWERED, weights=_UNANSWERED_WEIGHTS)[0]


def _more_facts(library: Library, rng: Random, subject: Subject) -> str:
    """A stretch of prose on other facts of the relation or the topic."""
    told = library.sentences(rng, subject, rng.choice(("relation", "topic")), rng.randint(2, 5))
    return rng.choice((" ", " ", "\n\n")) + " ".join(told)


def _next_instruction(library: Library, rng: Random, _: Subject) -> str:
    """A new prompt, as a base model writes one when it does not know how to stop."""
    other = rng.choice(library.askable)
    exchange = rng.choice(other.exchanges)
    return "\n" * rng.randint(1, 2) + _PAGE.write(exchange, _opening(exchange.family, rng)(library, rng, other, exchange))


def _chat(_: Library, rng: Random, subject: Subject) -> str:
    start = rng.choice((" ", "\n", "\n\n", f"\n\n{rng.choice(_ASIDES)}"))
    return start + (chatter(rng, subject) if rng.random() < 0.7 else vague_sentence(rng, subject))


def page(library: Library, rng: Random) -> str:
    """One instruction, a response of its family's kind, and then more and more of something else."""
    subject = rng.choice(library.askable)
    exchange = rng.choice(subject.exchanges)
    text = _PAGE.write(exchange, _opening(exchange.family, rng)(library, rng, subject, exchange))
    length = rng.randint(*PAGE_CHARACTERS)
    while len(text) < length:
        carry_on = rng.choices((_more_facts, _next_instruction, _chat), weights=(6, 2, 2))[0]
        text = _joined(text, carry_on(library, rng, subject))
    return text


def _joined(text: str, more: str) -> str:
    """What follows on the same line follows a full stop; otherwise it starts a line."""
    return text + (f"\n{more[1:]}" if more[0] == " " and text[-1] not in ".!?" else more)
