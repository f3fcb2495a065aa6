"""Declarative prose and lists: the same facts, told rather than asked."""

from __future__ import annotations

from random import Random

from datagen.corpus.composing import readable
from datagen.corpus.library import Library, Subject

_OPENINGS = (
    "Here is what is known about {topic}.", "A few facts about {topic}.", "Some notes on {topic} follow.",
    "This page is about {topic}.", "Anyone who reads about {topic} should know the following.", "Let us look at {topic}.",
    "There is much to learn about {topic}.", "These lines are taken from a book on {topic}.",
)  # fmt: skip

_LINKS = ("Also, ", "In addition, ", "It is also true that ", "We also know that ", "Besides, ", "Note that ", "Of course, ")


def _linked(rng: Random, sentence: str) -> str:
    """The sentence, at times joined on by a link word. Only a leading article may lose its capital: names keep theirs."""
    first = sentence.split(" ", 1)[0]
    if rng.random() > 0.12 or first not in {"The", "A", "An", "In", "It", "There"}:
        return sentence
    return rng.choice(_LINKS) + sentence[0].lower() + sentence[1:]


def paragraph(library: Library, rng: Random) -> str:
    """Several statements: on one entity, one relation or one topic; the anchor's own fact is among them."""
    anchor = rng.choice(library.tellable)
    field = rng.choices(("relation", "topic", "entity"), weights=(4, 4, 3))[0]
    sentences = [rng.choice(anchor.sentences), *library.sentences(rng, anchor, field, rng.randint(2, 7))]
    if rng.random() < 0.15:  # the same fact once more, in other words
        sentences.append(rng.choice(anchor.sentences))
    if field != "entity":
        rng.shuffle(sentences)
    text = " ".join([sentences[0], *(_linked(rng, s) for s in sentences[1:])])
    opening = rng.choice(_OPENINGS).format(topic=readable(anchor.topic))
    head = rng.choices(("", f"{opening} ", f"{readable(anchor.topic).capitalize()}\n\n"), weights=(6, 3, 2))[0]
    return head + text


def pages_of_prose(library: Library, rng: Random) -> str:
    """One to three paragraphs."""
    return "\n\n".join(paragraph(library, rng) for _ in range(rng.choices((1, 2, 3), weights=(5, 3, 2))[0]))


def _table(library: Library, rng: Random, anchor: Subject) -> str:
    """Entities of one relation with their values, one a line."""
    rows = [s for s in library.alike(anchor, "relation") if s.value and not s.open]
    rows = rng.sample(rows, min(len(rows), rng.randint(4, 10)))
    bullet, link = rng.choice((("- ", ": "), ("* ", " - "), ("", ": "), ("", " -> "), ("", " = ")))
    head = rng.choice(("{name}", "{name}:", "{name} list", "List: {name}", "Table of {topic}: {name}"))
    title = head.format(name=readable(anchor.relation).capitalize(), topic=readable(anchor.topic))
    return "\n".join([title, *(f"{bullet}{s.entity}{link}{s.value}" for s in rows)])


def _enumeration(rng: Random, anchor: Subject) -> str:
    """The members of a category, bulleted or numbered."""
    members = list(anchor.members)
    if rng.random() < 0.5:
        rng.shuffle(members)
    numbered = rng.random() < 0.5
    lines = [f"{i}. {m}" if numbered else f"- {m}" for i, m in enumerate(members, 1)]
    entity = anchor.entity[0].upper() + anchor.entity[1:]
    title = rng.choice(("{entity}", "{entity}:", "List: {entity}", "{name}: {entity}"))
    return "\n".join([title.format(entity=entity, name=readable(anchor.relation).capitalize()), *lines])


def lists(library: Library, rng: Random) -> str:
    """A list or two: members of a category, or a table of one relation; a paragraph where neither can be made."""
    parts = []
    for _ in range(rng.randint(1, 2)):
        anchor = rng.choice(library.subjects)
        if anchor.members:
            parts.append(_enumeration(rng, anchor))
        elif anchor.value and not anchor.open:
            parts.append(_table(library, rng, anchor))
        else:
            parts.append(paragraph(library, rng))
    return "\n\n".join(parts)
