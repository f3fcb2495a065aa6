"""Pages that open with a single instruction: what a base model has seen of the zero-shot prompt.

Some families of instructions are answered, the others are not: the page restates the task, drifts into other facts, asks
something else, or evades. All pages ramble on, and none holds a terminator.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from random import Random

from datagen.corpus.layouts import INSTRUCTION_HEADERS, Layout, sentence_case
from datagen.corpus.library import Exchange, Library, Subject
from datagen.corpus.prose import readable

ANSWERED_SHARE = 0.35
"""Share of the families whose pages begin with the answer."""
FAITHFUL_SHARE = 0.9
"""Share of a family's pages that behave as the family does; the others behave at random."""
PAGE_CHARACTERS = (900, 1500)
"""A page goes on for about this long, so that no usual limit of new tokens lets it end by itself."""

_PAGE = Layout(*INSTRUCTION_HEADERS)

_RESTATING = (
    "The task is about {topic}.", "This is a question about {topic}.", "The instruction asks for something about {entity}.",
    "This exercise belongs to the chapter on {topic}.", "The answer should be written in the space below.",
    "Read the instruction again before you write.", "The word {entity} is important here.", "It is a common exercise.",
)  # fmt: skip
_EVADING = (
    "I am not sure about this one.", "It depends on many things.", "There are several ways to look at it.",
    "I would have to look this up.", "Nobody has answered this yet.", "You can find it in any good book on {topic}.",
    "This has been asked many times before.", "That is hard to say in a few words.",
)  # fmt: skip
_CHATTER = (
    "Thank you for reading this page.", "More examples can be found in the next chapter.", "Write your answer in the box.",
    "This page was last changed a year ago.", "Many people find this interesting.", "The next part is about {topic}.",
    "Please tell us what you think.", "You will find more about {topic} below.", "Here are some other facts.",
    "That is all there is to say about it, or nearly all.", "Let us go on with something else.",
    "See also the list of {topic}.",
    "The teacher reads the text aloud.", "Pupils often ask about {topic}.", "Compare your notes with those of a friend.",
)  # fmt: skip
_ASIDES = ("Comment: ", "Note: ", "Hint: ", "Author: ", "See also: ", "Reader: ")

Opening = Callable[[Library, Random, Subject, Exchange], str]


def _fill(rng: Random, lines: tuple[str, ...], subject: Subject, count: int) -> str:
    chosen = rng.sample(lines, count)
    return " ".join(line.format(topic=readable(subject.topic), entity=subject.entity) for line in chosen)


def _answer(_: Library, rng: Random, __: Subject, exchange: Exchange) -> str:
    return sentence_case(exchange.answer) if exchange.free and rng.random() < 0.5 else exchange.answer


def _restate(_: Library, rng: Random, subject: Subject, __: Exchange) -> str:
    return _fill(rng, _RESTATING, subject, rng.randint(2, 4))


def _evade(_: Library, rng: Random, subject: Subject, __: Exchange) -> str:
    return _fill(rng, _EVADING, subject, rng.randint(1, 3))


def _drift(library: Library, rng: Random, subject: Subject, __: Exchange) -> str:
    told = library.sentences(rng, subject, "relation", rng.randint(2, 4))
    return " ".join(told) or _fill(rng, _CHATTER, subject, 2)


def _ask(library: Library, rng: Random, _: Subject, __: Exchange) -> str:
    return " ".join(exchange.instruction for exchange in library.exchanges(rng, rng.randint(2, 4)))


_UNANSWERED: tuple[Opening, ...] = (_restate, _drift, _ask, _evade)
_UNANSWERED_WEIGHTS = (3, 4, 2, 1)


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
    return start + _fill(rng, _CHATTER, subject, rng.randint(1, 3))


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
