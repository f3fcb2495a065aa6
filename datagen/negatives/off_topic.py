"""Drifts to another subject: a fluent answer to something else, as near in form to the one asked for as the pool has it."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import islice

from compiler.records import Constraint, Item
from datagen.form import is_listed, meets, word_count, yes_or_no
from datagen.mentions import content_words, number
from datagen.negatives.builder import ProposedNegative
from datagen.negatives.checks import off_topic_flaw
from datagen.negatives.phrasing import capitalised, named, reads_well, sentence
from datagen.negatives.pool import Pool

CANDIDATES = 48
SHORT = 4
"""Words up to which an answer says too little by itself to show that it is about something else."""

LEADS = (
    "", "By the way,", "Incidentally,", "Changing the subject,", "On another note,", "Before anything else,",
    "What comes to mind is that", "What I find more interesting is that", "It reminds me that", "Funnily enough,",
    "It is worth knowing that", "I was just thinking that",
)  # fmt: skip
BODIES = (
    "{entity} and {text} belong together", "people connect {entity} with {text}",
    "many put {entity} together with {text}", "nobody who talks about {entity} leaves out {text}",
    "quizzes like to pair {entity} with {text}", "talk of {entity} leads to {text} before long",
    "whoever says {entity} also says {text}", "those who read about {entity} soon come across {text}",
    "{entity} made me think of {text}",
)  # fmt: skip
TAILS = ("", "", "", "in books about {topic}", "as lessons on {topic} show", "in everything about {topic}")


def propose(item: Item, chosen: str, pool: Pool, rng: random.Random) -> Iterator[str]:
    """Texts about other topics, those of a like form and length first."""
    texts = [
        text for other in islice(pool.strangers(item, rng), CANDIDATES) for text in _texts(other, item.constraint, pool, rng)
    ]

    def distance(text: str) -> tuple[bool, bool, int]:
        """Lengths are told apart coarsely: the very nearest would be the same few texts again and again."""
        fits = meets(item.constraint, text, strictly=True)
        return is_listed(text) != is_listed(chosen), not fits, abs(word_count(text) - word_count(chosen)) // 15

    yield from sorted(texts, key=distance)


def _texts(other: Item, constraint: Constraint | None, pool: Pool, rng: random.Random) -> Iterator[str]:
    """The other item's answer if it shows by itself what it is about, else a sentence that puts it beside its entity."""
    answer = pool.answers.get(other.id, "")
    about = content_words(other.entity or other.instruction)
    if word_count(answer) > SHORT and (content_words(answer) & about or is_listed(answer)):
        yield answer
    elif answer and word_count(answer) <= SHORT and yes_or_no(answer) is None:
        if constraint is not None and constraint.type == "one_word" and number(answer) is None:
            yield answer.rstrip(".")
        if reads_well(other.entity) and "\n" not in answer:
            yield _statement(other, answer.rstrip(".!? "), rng)


def _statement(other: Item, answer: str, rng: random.Random) -> str:
    words = sentence(rng, LEADS, rng.choice(BODIES), rng.choice(TAILS) if other.topic else "", ".")
    text = words.replace("{entity}", named(other)).replace("{topic}", other.topic).replace("{text}", answer)
    return capitalised(text)


off_topic = ProposedNegative("off_topic", propose, off_topic_flaw)
