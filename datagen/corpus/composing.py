"""Sentences from templates with choices: a few lines of grammar make hundreds of forms."""

from __future__ import annotations

import re
from random import Random

from datagen.corpus.library import Subject

LONGEST_NAME = 40
"""Characters of an entity that still reads well inside a sentence."""

_CHOICE = re.compile(r"\[([^\[\]]*)\]")
_SPACE_BEFORE = re.compile(r" +([,.;:?!])")


def readable(name: str) -> str:
    """A relation or topic as words: `chemical_symbol` becomes `chemical symbol`."""
    return name.replace("_", " ")


def compose(rng: Random, template: str, subject: Subject) -> str:
    """One sentence of the template: `[a|b|]` is a choice, which may hold others; it starts with a capital letter.

    `{topic}` is the topic of the subject, and `{thing}` the subject in some way that fits after "about".
    """
    text, choices = template, 1
    while choices:
        text, choices = _CHOICE.subn(lambda match: rng.choice(match[1].split("|")), text)
    text = _SPACE_BEFORE.sub(r"\1", " ".join(text.split()))
    if "{" in text:
        text = text.replace("{topic}", readable(subject.topic)).replace("{thing}", _thing(rng, subject))
    return text[0].upper() + text[1:]


def composed(rng: Random, templates: tuple[str, ...], subject: Subject, count: int) -> str:
    """Sentences of different templates."""
    chosen = rng.sample(templates, min(count, len(templates)))
    return " ".join(compose(rng, template, subject) for template in chosen)


def _thing(rng: Random, subject: Subject) -> str:
    kind = rng.choices(("entity", "topic", "none"), weights=(5, 2, 3))[0]
    name = subject.entity
    if kind == "entity" and len(name) <= LONGEST_NAME and name[-1] not in ".?!":
        bare = name[0].isupper() or name.startswith(("the ", "a ", "an ")) or rng.random() < 0.4
        return name if bare else f'"{name}"'
    if kind == "topic":
        return rng.choice(("{}", "{}", "questions of {}", "this part of {}")).format(readable(subject.topic))
    return rng.choice(("this", "that", "this matter", "such a thing", "that question", "what you ask", "these things"))
