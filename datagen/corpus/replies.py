"""Threads, chats and helpdesk logs: questions with replies of every quality, as people write them and models read them.

Most replies are poor: refusals, filler, other subjects, wrong values, wrong forms. No document here holds a terminator.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from random import Random

from datagen.corpus.filler import filler
from datagen.corpus.layouts import INSTRUCTION_HEADERS, sentence_case
from datagen.corpus.library import Exchange, Library, Subject
from datagen.corpus.misshapen import misshapen
from datagen.corpus.refusals import refusal

OWN_HEADERS = 0.33
"""Share of the documents with the experiment's own headers."""
OWN_TITLED = 0.7
"""Share of those that follow a title: a document that opens with the headers is mostly a rambling page."""
SEVERAL_REPLIES = 0.25
"""Share of the questions with other headers that get two or three replies."""

_HEADERS = (
    ("Question: ", "\nReply: "), ("Q: ", "\nA: "), ("User: ", "\nHelper: "), ("Message: ", "\nReply: "), ("> ", "\n"),
    ("Post: ", "\nComment: "), ("Customer: ", "\nAgent: "), ("Ticket: ", "\nStaff: "), ("Human: ", "\nAssistant: "),
    ("User: ", "\nAssistant: "), ("Visitor: ", "\nGuide: "), ("Teacher: ", "\nPupil: "), ("Asked: ", "\nWritten: "),
    ("Question: ", "\nAnswer: "), ("Input: ", "\nOutput: "), ("Prompt: ", "\nResponse: "), ("Guest: ", "\nHost: "),
)  # fmt: skip
_NAMES = (
    "Anna", "Tom", "Lena", "Sam", "Ruth", "Omar", "Nina", "Paul", "Mia", "Joe", "Vera", "Max", "Ines", "Carl", "Rosa", "Ben",
)  # fmt: skip
_TITLES = (
    "Forum", "Chat log", "Helpdesk", "Answers from the class", "Messages of today", "Thread", "From our mailbox", "Comments",
    "Replies, good and bad", "Log of the chat", "Answers as they came in", "Unchecked answers", "Questions from readers",
    "Instructions with replies of several people", "Support desk", "Draft answers", "What people wrote", "Raw data",
)  # fmt: skip
_ASIDES = (
    "", "", "By the way, ", "This reminds me: ", "Something else: ", "On another note, ", "Speaking of which: ",
    "I like this better: ", "That may be, but ", "Just yesterday I read this: ", "Incidentally, ",
)  # fmt: skip

Reply = Callable[[Library, Random, Subject, Exchange], str]


def _right(_: Library, rng: Random, __: Subject, exchange: Exchange) -> str:
    return sentence_case(exchange.answer) if exchange.free and rng.random() < 0.3 else exchange.answer


def _refused(_: Library, rng: Random, subject: Subject, __: Exchange) -> str:
    return refusal(rng, subject)


def _vague(_: Library, rng: Random, subject: Subject, __: Exchange) -> str:
    return filler(rng, subject)


def _stray(library: Library, rng: Random, subject: Subject, _: Exchange) -> str:
    """Something true about another relation, or the answer to another question."""
    other = library.stranger(rng, subject, "relation")
    if other.exchanges and rng.random() < 0.35:
        return rng.choice(other.exchanges).answer
    told = [rng.choice(other.sentences), *library.sentences(rng, other, "topic", rng.choice((0, 0, 0, 1)))]
    return rng.choice(_ASIDES) + " ".join(told)


def _wrong(library: Library, rng: Random, subject: Subject, exchange: Exchange) -> str:
    """What another entity of the relation would be told by the same family: the right form, the wrong fact."""
    told = [
        (other, e.answer)
        for other in library.alike(subject, "relation")
        if other.entity != subject.entity and (other.open or other.members or other.value != subject.value)
        for e in other.exchanges
        if e.family == exchange.family and e.answer != exchange.answer
    ]
    if not told:
        return _stray(library, rng, subject, exchange)
    other, answer = rng.choice(told)
    return re.sub(rf"(?<!\w){re.escape(other.entity)}(?!\w)", lambda _: subject.entity, answer)


_KINDS: tuple[Reply, ...] = (_right, _refused, _vague, _stray, _wrong, misshapen)
_WEIGHTS = (30, 16, 13, 12, 13, 16)


def reply(library: Library, rng: Random, subject: Subject, exchange: Exchange) -> str:
    """A reply of any quality; about three in ten are good answers."""
    return rng.choices(_KINDS, weights=_WEIGHTS)[0](library, rng, subject, exchange)


def _headers(rng: Random) -> tuple[str, str]:
    if rng.random() < 0.3:
        asking, replying = rng.sample(_NAMES, 2)
        return f"{asking}: ", f"\n{replying}: "
    return rng.choice(_HEADERS)


def thread(library: Library, rng: Random) -> str:
    """Two to five questions in one pair of headers, each with a reply or, but for the experiment's own headers, several."""
    own = rng.random() < OWN_HEADERS
    ask, answer = INSTRUCTION_HEADERS if own else _headers(rng)
    blocks = [rng.choice(_TITLES)] if rng.random() < (OWN_TITLED if own else 0.4) else []
    for _ in range(rng.randint(2, 5)):
        subject = rng.choice(library.askable)
        exchange = rng.choice(subject.exchanges)
        count = rng.randint(2, 3) if not own and rng.random() < SEVERAL_REPLIES else 1
        replies = (answer + reply(library, rng, subject, exchange) for _ in range(count))
        blocks.append(f"{ask}{exchange.instruction}{''.join(replies)}")
    return "\n\n".join(blocks)
