"""The right form, the wrong fact.

With reference answers, the right value inside the chosen answer gives way to a wrong one. Without them (open tasks, lists), a
list gets a foreign member, a sibling's answer is told of this item's entity, or a number or a name in the text is changed.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from itertools import islice, product

from compiler.records import Item
from datagen.form import is_listed, list_items, word_count, yes_or_no
from datagen.mentions import content_words, mentions, normalise, number, tokens
from datagen.negatives.builder import ProposedNegative
from datagen.negatives.checks import wrong_fact_flaw
from datagen.negatives.pool import Pool
from datagen.negatives.substitution import like, opposite_stance, replaced, spans_of
from datagen.negatives.wrong_values import nearby_numbers, wrong_values

_CONNECTIVE = re.compile(r"\b(?:because|so that|in order to|means|which is why)\b", re.IGNORECASE)
_NAME = re.compile(r"(?<=[a-z,;] )[A-Z][a-z]{2,}")


def propose(item: Item, chosen: str, pool: Pool, rng: random.Random) -> Iterator[str]:
    """Ways to say something wrong, the closest to the chosen answer first."""
    if item.answers:
        for value in wrong_values(item, pool, rng):
            yield from _with_value(item, chosen, value)
    elif is_listed(chosen) or (item.constraint is not None and item.constraint.type == "list"):
        yield from _with_foreign_member(item, chosen, pool, rng)
        return
    yield from _told_of_sibling(item, chosen, pool, rng)
    if not item.answers:
        yield from _with_other_number(item, chosen, rng)
        yield from _with_other_name(item, chosen, pool, rng)


def _with_value(item: Item, chosen: str, value: str) -> Iterator[str]:
    """The value in the place of the right one, or alone where the answer is no longer than a value.

    Where the instruction names the right value too, a text that holds it twice ("7 + 0 = 7") or the wrong one as well ("a whale
    is larger than a mouse") would be spoilt by replacing it; there the wrong value stands alone.
    """
    right = item.answers or ()
    if yes_or_no(right[0]) and word_count(right[0]) == 1:
        yield from opposite_stance(chosen, value)
        return
    named = mentions(item.instruction, right)
    spans = spans_of(chosen, right)
    if spans and not (named and (len(spans) > 1 or mentions(chosen, [value]))):
        yield replaced(chosen, right, value)
    elif named or word_count(chosen) <= max(3, word_count(right[0]) + 1):
        yield like(chosen, value)


def _with_foreign_member(item: Item, chosen: str, pool: Pool, rng: random.Random) -> Iterator[str]:
    members = [member for member in list_items(chosen) if word_count(member) <= 6]
    if len(members) < 2:
        return
    for foreign in _foreign_members(item, pool, rng):
        old = rng.choice(members)
        new = foreign if not old[:1].isupper() else foreign[:1].upper() + foreign[1:]
        yield re.sub(rf"(?<!\w){re.escape(old)}(?!\w)", lambda _, new=new: new, chosen, count=1)  # type: ignore[misc]


def _foreign_members(item: Item, pool: Pool, rng: random.Random) -> Iterator[str]:
    """Members of lists about something else. What stands in two lists may well belong in a third, and is left alone."""
    own = normalise(item.entity or item.instruction)
    known = f"{item.instruction} {item.good_answer or ''} {pool.answers.get(item.id, '')}"
    for other, members in pool.lists(item, rng):
        if content_words(other.entity or other.instruction) & content_words(item.entity or item.instruction):
            continue
        for member in rng.sample(members, len(members)):
            categories = pool.categories(member)
            if (
                member
                and word_count(member) <= 6
                and len(categories) == 1
                and own not in categories
                and not mentions(known, [member])
            ):
                yield member


def _told_of_sibling(item: Item, chosen: str, pool: Pool, rng: random.Random) -> Iterator[str]:
    """A sibling's answer told of this item: with its entity in it, or only the end from a shared "because" on.

    What shares most of its words with the chosen answer may well be true.
    """
    for other in pool.siblings(item, rng):
        text = pool.answers.get(other.id, "")
        told = replaced(text, [other.entity], item.entity) if mentions(text, [other.entity]) else _spliced(chosen, text)
        own, foreign = (content_words(side) - content_words(item.entity) for side in (chosen, told))
        if told and len(own & foreign) <= len(own | foreign) / 2:
            yield told


def _spliced(head: str, tail: str) -> str:
    """The head up to a connective and the tail from it on; empty where they share none."""
    for begin, end in product(_CONNECTIVE.finditer(head), _CONNECTIVE.finditer(tail)):
        if begin[0].casefold() == end[0].casefold():
            return head[: begin.end()] + tail[end.end() :]
    return ""


def _with_other_number(item: Item, chosen: str, rng: random.Random) -> Iterator[str]:
    for token in tokens(chosen):
        is_number = number(token.raw) is not None and token.key != "1"
        in_list_mark = chosen[: token.start].rsplit("\n", 1)[-1].strip() == "" and chosen[token.end : token.end + 1] in {
            ".",
            ")",
        }
        if is_number and not in_list_mark and not mentions(item.instruction, [token.raw]):
            for changed in islice(nearby_numbers(token.raw, rng), 3):
                yield replaced(chosen, [token.raw], changed)


def _with_other_name(item: Item, chosen: str, pool: Pool, rng: random.Random) -> Iterator[str]:
    names = [name for name in dict.fromkeys(_NAME.findall(chosen)) if not mentions(item.instruction, [name])]
    if not names:
        return
    for other in islice(pool.everyone(item, rng), 64):
        for foreign in _NAME.findall(pool.answers.get(other.id, "")):
            if not mentions(f"{item.instruction} {chosen}", [foreign]):
                yield replaced(chosen, [rng.choice(names)], foreign)


incorrect_factual = ProposedNegative("incorrect_factual", propose, wrong_fact_flaw)
