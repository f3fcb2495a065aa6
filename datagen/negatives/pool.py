"""Where negatives take foreign facts, texts and instructions from: the other items of a data set, with their chosen answers."""

from __future__ import annotations

import hashlib
import random
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property

from compiler.records import Item
from datagen.bank.relations import load_relations
from datagen.form import LIST_MARK, is_listed, list_items
from datagen.mentions import normalise

WINDOW = 64
"""Candidates that are ordered at a time: all of them in a small pool, a stretch of the ring in a large one."""


def relation(item: Item) -> str:
    """The relation of an item's family: `capital` for `capital/3`; empty without a family."""
    name, slash, _ = item.family.rpartition("/")
    return name if slash else item.family


@dataclass(frozen=True)
class Pool:
    """Items and, by item id, their cleaned chosen answers; an item without an answer lends its facts only.

    Every walk is in an order that depends on the random generator and on each candidate's id alone: a new item takes its place
    among the candidates, and leaves the order of the others as it was.
    """

    items: tuple[Item, ...]
    answers: Mapping[str, str]

    def everyone(self, item: Item, rng: random.Random) -> Iterator[Item]:
        """All other items."""
        return (other for other in _walk(self._ring, rng) if other.id != item.id)

    def siblings(self, item: Item, rng: random.Random) -> Iterator[Item]:
        """Other entities of the same relation, those of the same phrasing first; none for an item without a family."""
        ring = self._relations.get(relation(item), ()) if item.family else ()
        others = [
            other for other in _walk(ring, rng) if other.id != item.id and normalise(other.entity) != normalise(item.entity)
        ]
        return iter(sorted(others, key=lambda other: other.family != item.family))

    def strangers(self, item: Item, rng: random.Random) -> Iterator[Item]:
        """Items of another topic; of another relation where topics are not known."""
        for other in self.everyone(item, rng):
            same_topic = (
                other.topic == item.topic
                if item.topic and other.topic
                else bool(item.family) and relation(other) == relation(item)
            )
            if not same_topic:
                yield other

    def neighbours(self, item: Item, rng: random.Random) -> Iterator[Item]:
        """Other items of the same topic (or of unknown topic, like this one)."""
        return (other for other in _walk(self._topics[item.topic], rng) if other.id != item.id)

    def related_values(self, item: Item, rng: random.Random) -> Iterator[Sequence[str]]:
        """The accepted answers that other entities have in the item's relation: all the bank knows, then those of siblings.

        A sample holds few items of a relation. The bank lends values only ("Europe", "red"), never an instruction or a text.
        """
        facts = bank_values(relation(item), item.entity)
        if facts:
            salt = rng.getrandbits(64)
            yield from sorted(facts, key=lambda values: _hash(salt, values[0]))
        yield from (other.answers for other in self.siblings(item, rng) if other.answers)

    def lists(self, item: Item, rng: random.Random) -> Iterator[tuple[Item, list[str]]]:
        """Other items whose answer is a list, with its members."""
        for other in _walk(self._list_ring, rng):
            if other.id != item.id:
                yield other, self._members[other.id]

    def categories(self, member: str) -> set[str]:
        """The entities in whose lists a member occurs, normalised."""
        return self._categories.get(normalise(member), set())

    @cached_property
    def _ring(self) -> Sequence[tuple[bytes, Item]]:
        return sorted(((_hash(item.id), item) for item in self.items), key=lambda entry: entry[0])

    @cached_property
    def _relations(self) -> Mapping[str, Sequence[tuple[bytes, Item]]]:
        return _grouped(self._ring, relation)

    @cached_property
    def _topics(self) -> Mapping[str, Sequence[tuple[bytes, Item]]]:
        return _grouped(self._ring, lambda item: item.topic)

    @cached_property
    def _members(self) -> Mapping[str, list[str]]:
        texts = {item.id: self.answers.get(item.id, "") for item in self.items}
        return {
            key: [LIST_MARK.sub("", member) for member in list_items(text)] for key, text in texts.items() if is_listed(text)
        }

    @cached_property
    def _list_ring(self) -> Sequence[tuple[bytes, Item]]:
        return [(place, item) for place, item in self._ring if item.id in self._members]

    @cached_property
    def _categories(self) -> Mapping[str, set[str]]:
        found: defaultdict[str, set[str]] = defaultdict(set)
        for item in self.items:
            for member in self._members.get(item.id, ()):
                found[normalise(member)].add(normalise(item.entity or item.instruction))
        return found


@cache
def bank_values(name: str, entity: str) -> tuple[tuple[str, ...], ...]:
    """The answers with their synonyms that a relation of the bank has for other entities; none if it does not know this one."""
    for known in load_relations() if name else ():
        if known.name == name and any(fact.entity == entity for fact in known.facts):
            return tuple((fact.value, *fact.synonyms) for fact in known.facts if fact.value and fact.entity != entity)
    return ()


def _hash(*parts: object) -> bytes:
    return hashlib.blake2b("\0".join(map(str, parts)).encode("utf-8", "surrogatepass"), digest_size=8).digest()


def _grouped(ring: Sequence[tuple[bytes, Item]], key: Callable[[Item], str]) -> Mapping[str, Sequence[tuple[bytes, Item]]]:
    groups: defaultdict[str, list[tuple[bytes, Item]]] = defaultdict(list)
    for place, item in ring:
        groups[key(item)].append((place, item))
    return groups


def _walk(ring: Sequence[tuple[bytes, Item]], rng: random.Random) -> Iterator[Item]:
    """Once round the ring from a random place, each window in an order of its own (rendezvous hashing).

    Drawing an index instead would give every item another partner as soon as the pool grows by one.
    """
    salt = rng.getrandbits(64)
    start = bisect_left(ring, salt.to_bytes(8, "big"), key=lambda entry: entry[0])
    rotated = [item for _, item in (*ring[start:], *ring[:start])]
    for begin in range(0, len(rotated), WINDOW):
        yield from sorted(rotated[begin : begin + WINDOW], key=lambda item: _hash(salt, item.id))
