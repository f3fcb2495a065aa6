"""Where negatives borrow from, and what stays put when the pool grows."""

from __future__ import annotations

import random
from itertools import islice

from negative_samples import CAPITALS, capital_item, world

from compiler.records import Item
from datagen.negatives import BUILDERS, Pool
from datagen.negatives.pool import relation

ITEMS = world()
POOL = Pool(tuple(ITEMS), {item.id: item.good_answer or "" for item in ITEMS})


def test_siblings_share_the_relation_and_not_the_entity() -> None:
    """Those of the same phrasing come first."""
    other_phrasing = capital_item("Tamber", id="seat/2/Tamber", family="seat/2")
    pool = Pool((*ITEMS[:5], other_phrasing), {})
    siblings = list(pool.siblings(ITEMS[0], random.Random(0)))

    assert {item.entity for item in siblings} == set(CAPITALS) - {ITEMS[0].entity}
    assert siblings[-1] == other_phrasing


def test_items_without_family_have_no_siblings() -> None:
    """An empty family is no family that all such items share."""
    bare = [item.model_copy(update={"family": ""}) for item in ITEMS]

    assert list(Pool(tuple(bare), {}).siblings(bare[0], random.Random(0))) == []


def test_strangers_have_another_topic() -> None:
    """Where topics are unknown, another relation must do."""
    assert {item.topic for item in POOL.strangers(ITEMS[0], random.Random(0))} == {item.topic for item in ITEMS} - {"realms"}

    bare = [item.model_copy(update={"topic": ""}) for item in ITEMS]
    strangers = Pool(tuple(bare), {}).strangers(bare[0], random.Random(0))

    assert all(relation(item) != "seat" for item in strangers)


def test_walks_reach_everyone_once() -> None:
    """Any random start: all others, none twice, not itself."""
    many = tuple(Item(id=f"i{place}", kind="qa", instruction="x") for place in range(200))
    pool = Pool(many, {})

    for seed in range(5):
        met = [item.id for item in pool.everyone(many[0], random.Random(seed))]
        assert sorted(met) == sorted(item.id for item in many[1:])


def test_partners_are_spread_over_the_pool() -> None:
    """No item is the first partner of half the others: in 600 walks over 200 items nearly all come first at some time."""
    many = tuple(Item(id=f"i{place}", kind="qa", instruction="x") for place in range(200))
    pool = Pool(many, {})
    firsts = [next(pool.everyone(many[0], random.Random(seed))).id for seed in range(600)]

    assert len(set(firsts)) > 150
    assert max(firsts.count(name) for name in set(firsts)) < 20


def test_a_new_item_moves_hardly_any_partner() -> None:
    """Rendezvous hashing: of a hundred walks, a new item changes the first partner in a few."""
    many = tuple(Item(id=f"i{place}", kind="qa", instruction="x") for place in range(100))
    small, large = Pool(many[:-1], {}), Pool(many, {})
    changed = sum(
        next(small.everyone(many[0], random.Random(seed))) != next(large.everyone(many[0], random.Random(seed)))
        for seed in range(100)
    )

    assert changed < 15


def test_members_of_two_lists_are_not_foreign() -> None:
    """What stands in two lists may belong in a third."""
    birds, dances = (item for item in ITEMS if item.family == "list/1" and item.entity != "soups")
    shared = (dances.good_answer or "").replace("hupple", "barlo")
    answers = {**POOL.answers, dances.id: shared}
    texts = [
        BUILDERS["incorrect_factual"].build(birds, birds.good_answer or "", Pool(tuple(ITEMS), answers), random.Random(seed))
        for seed in range(30)
    ]

    assert all(text is not None and "barlo" not in text for text in texts)


def test_neighbours_stay_in_the_topic() -> None:
    """Answers of the same shape are looked for near the subject."""
    assert {item.topic for item in islice(POOL.neighbours(ITEMS[0], random.Random(0)), 50)} == {"realms"}
