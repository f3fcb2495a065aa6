"""Small grammar for templates: sentences put together from slots, so that few parts make many forms."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence

from compiler.records import Item
from datagen.mentions import mentions

LONGEST_SUBJECT = 60
"""Characters of an entity that still reads well inside a sentence."""


_DETERMINED = re.compile(r"(?:an?|the|some|my|your) ", re.IGNORECASE)


def sentence(rng: random.Random, *slots: Sequence[str] | str) -> str:
    """One choice of every slot, joined by spaces; upper case at the start, no space before punctuation.

    >>> sentence(random.Random(0), ["", "well,"], "it depends", ".")[-11:]
    't depends.'
    """
    picked = (slot if isinstance(slot, str) else rng.choice(slot) for slot in slots)
    text = re.sub(r"\s+([,.;:?])", r"\1", " ".join(part for part in picked if part))
    return capitalised(text)


def capitalised(text: str) -> str:
    """The text with its first letter in upper case, and nothing else changed."""
    return text[:1].upper() + text[1:]


def subject(item: Item, rng: random.Random) -> str:
    """What an instruction is about, as a noun phrase that fits after "about": its entity, its topic, or plainly "this".

    An entity that is an accepted answer too is not named.
    """
    names = [f"things like {item.topic}"] if reads_well(item.topic) else []
    if reads_well(item.entity) and not mentions(item.entity, item.answers or ()):
        names += [named(item)] * 3
    return rng.choice([*names, rng.choice(["this", "that", "the matter at hand", "what was asked"])])


def named(item: Item) -> str:
    """The entity as a noun phrase: with the article that the instruction gives it, bare if a name, in quotes otherwise."""
    match = re.search(rf"\b(an?|the|some) {re.escape(item.entity)}(?!\w)", item.instruction, re.IGNORECASE)
    if match:
        return f"{match[1].lower()} {item.entity}"
    is_name = (
        item.entity[:1].isupper()
        or any(char.isdigit() for char in item.entity)
        or item.entity.startswith(("the ", "a ", "an "))
    )
    return item.entity if is_name else f'"{item.entity}"'


def reads_well(name: str) -> bool:
    """Whether a name can stand inside a sentence: not empty, not long, not a sentence itself."""
    return bool(name.strip()) and len(name) <= LONGEST_SUBJECT and name.isprintable() and not name.endswith((".", "!", "?"))
