"""What the corpus may say: every fact in its statements and in the phrasings that the bank does not use for it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from random import Random

from compiler.records import Kind
from datagen.bank.relations import Fact, Relation, bank_phrasing, corpus_phrasings, load_relations, statements, to_item


@dataclass(frozen=True)
class Exchange:
    """An instruction with a good answer."""

    family: str
    kind: Kind
    instruction: str
    answer: str
    free: bool
    """No demand on the form of the answer: it may as well be given as a sentence."""


@dataclass(frozen=True)
class Subject:
    """One fact in all the words that the corpus may use for it."""

    relation: str
    topic: str
    entity: str
    value: str
    open: bool
    """The value is a whole answer rather than a name or a number."""
    members: tuple[str, ...]
    exchanges: tuple[Exchange, ...]
    sentences: tuple[str, ...]


class Library:
    """The subjects, and ways to draw some that belong together."""

    def __init__(self, subjects: Iterable[Subject]) -> None:
        self.subjects = tuple(subjects)
        self.askable = tuple(s for s in self.subjects if s.exchanges)
        self.tellable = tuple(s for s in self.subjects if s.sentences)
        self._groups: dict[tuple[str, str], list[Subject]] = defaultdict(list)
        for subject in self.subjects:
            for field in ("relation", "topic", "entity"):
                self._groups[field, getattr(subject, field)].append(subject)

    def alike(self, subject: Subject, field: str) -> Sequence[Subject]:
        """All subjects that share the `relation`, `topic` or `entity` of this one, itself included."""
        return self._groups[field, getattr(subject, field)]

    def exchanges(self, rng: Random, count: int) -> list[Exchange]:
        """Exchanges on different subjects: mostly unrelated ones, else of one topic or one relation."""
        anchor = rng.choice(self.askable)
        field = rng.choices((None, "topic", "relation"), weights=(6, 2, 2))[0]
        pool = self.askable if field is None else [s for s in self.alike(anchor, field) if s.exchanges]
        chosen = rng.sample(pool, min(count, len(pool)))
        return [rng.choice(subject.exchanges) for subject in chosen]

    def stranger(self, rng: Random, subject: Subject, field: str) -> Subject:
        """A tellable subject of another relation or topic; the given one where the library has hardly any other."""
        drawn = (rng.choice(self.tellable) for _ in range(100))
        return next((s for s in drawn if getattr(s, field) != getattr(subject, field)), subject)

    def sentences(self, rng: Random, about: Subject, field: str, count: int) -> list[str]:
        """Statements on different facts that share a field with `about`, never on that very fact."""
        pool = [s for s in self.alike(about, field) if s.sentences and s is not about]
        return [rng.choice(s.sentences) for s in rng.sample(pool, min(count, len(pool)))]


def _subject(relation: Relation, fact: Fact) -> Subject:
    items = [to_item(relation, phrasing, fact) for phrasing in corpus_phrasings(relation, fact)]
    return Subject(
        relation=relation.name,
        topic=relation.topic,
        entity=fact.entity,
        value=fact.value,
        open=relation.open,
        members=fact.members,
        exchanges=tuple(
            Exchange(item.family, item.kind, item.instruction, item.good_answer, item.constraint is None)
            for item in items
            if item.good_answer
        ),
        sentences=statements(relation, fact),
    )


def _texts(subject: Subject) -> list[str]:
    return [*(e.instruction for e in subject.exchanges), *subject.sentences]


def _without(subject: Subject, forbidden: Sequence[str]) -> Subject:
    """The subject less every text that holds a forbidden one: one phrasing can be the tail of another."""

    def allowed(text: str) -> bool:
        return not any(f in text.casefold() for f in forbidden)

    return Subject(
        **{
            **vars(subject),
            "exchanges": tuple(e for e in subject.exchanges if allowed(e.instruction)),
            "sentences": tuple(s for s in subject.sentences if allowed(s)),
        }
    )


@cache
def load_library() -> Library:
    """The library of all relations. No text in it holds an instruction of the bank, in any letter case."""
    relations = load_relations()
    subjects = [_subject(relation, fact) for relation in relations for fact in relation.facts]
    held_back = [to_item(r, bank_phrasing(r, f), f).instruction.casefold() for r in relations for f in r.facts]
    everything = "\n".join(text for subject in subjects for text in _texts(subject)).casefold()
    forbidden = [instruction for instruction in held_back if instruction in everything]
    return Library(_without(subject, forbidden) for subject in subjects)
