"""Fills the templates of the bank, and minds the English around them."""

from __future__ import annotations

import re
from collections.abc import Mapping

from datagen.bank.facts import Fact

PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
ENTITY_PLACEHOLDERS = frozenset({"entity", "an_entity"})
VALUE_PLACEHOLDERS = frozenset({"value", "an_value", "not"})

_AN = re.compile(r"(?!uni(?!n)|use|usu|eu|ewe|one\b|once\b)[aeiou]|hour|honest|hono|heir|8|11\b|18\b", re.IGNORECASE)


def placeholders(template: str) -> set[str]:
    """The names in braces."""
    return set(PLACEHOLDER.findall(template))


def fill(template: str, fact: Fact, n: int | None = None) -> str:
    """The template with the fact put in; what ends like a sentence also starts like one.

    Placeholders: `{entity}` and `{value}`; the same with their indefinite article, `{an_entity}` and `{an_value}`; `{not}`,
    which is "not " where the value is "no" and nothing where it is "yes"; in list tasks `{n}`, `{members}` ("a, b and c") and
    `{list}` (the first n members as numbered lines).
    """
    words = _words(fact, n)
    text = PLACEHOLDER.sub(lambda match: words[match[1]], template)
    return text[0].upper() + text[1:] if text.endswith((".", "!", "?")) else text


def with_article(noun: str) -> str:
    """The noun after "a" or "an", by the sound it starts with."""
    return f"{'an' if _AN.match(noun) else 'a'} {noun}"


def in_words(members: tuple[str, ...]) -> str:
    """The members as English lists them: "a, b and c"."""
    return " and ".join([", ".join(members[:-1]), members[-1]] if len(members) > 1 else members)


def numbered(members: tuple[str, ...]) -> str:
    """The members as numbered lines."""
    return "\n".join(f"{place}. {member}" for place, member in enumerate(members, start=1))


def _words(fact: Fact, n: int | None) -> Mapping[str, str]:
    return {
        "entity": fact.entity,
        "an_entity": with_article(fact.entity),
        "value": fact.value,
        "an_value": with_article(fact.value),
        "not": "not " if fact.value.casefold() == "no" else "",
        "n": str(n),
        "members": in_words(fact.members) if fact.members else "",
        "list": numbered(fact.members[:n]),
    }
