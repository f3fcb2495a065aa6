"""Specification of the draw of training, validation and held-out instructions."""

import random
from collections import Counter
from itertools import combinations, product

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from compiler.records import Item
from datagen.bank import load_bank
from datagen.near_duplicates import NEAR_DUPLICATE, similarity
from datagen.split import NotEnoughItems, Split, draw_split, largest_remainder

KINDS = ("completion", "qa", "generation", "response")
VERBS = ("name", "draw", "sing", "count", "weigh", "paint", "measure", "describe", "translate", "remember")


def item(number: int, kind: str = "qa", family: str = "", entity: str = "", instruction: str = "") -> Item:
    """An item that resembles no other unless told to."""
    words = random.Random(number).choices("abcdefghijklmnopqrstuvwxyz", k=24)
    return Item(
        id=f"item-{number}", kind=kind, family=family, entity=entity,
        instruction=instruction or f"{VERBS[number % 10]} {''.join(words)} {number}",
    )  # fmt: skip


@st.composite
def pools(draw) -> list[Item]:
    """Items of several kinds, some about the same fact, some of the same long template."""
    numbers = range(draw(st.integers(0, 60)))
    items = []
    for number in numbers:
        entity = draw(st.sampled_from(["", "", "France", "Peru", "Mali", "Chad"]))
        family = draw(st.sampled_from(["capital/1", "capital/2", "river/1", ""]))
        twin = draw(st.integers(0, 9)) == 0
        text = f"Please write one sentence that says which city is the capital of number {number}" if twin else ""
        items.append(item(number, draw(st.sampled_from(KINDS)), family, entity, text))
    return items


sizes = st.fixed_dictionaries({"train": st.integers(0, 20), "validation": st.integers(0, 4), "heldout": st.integers(0, 12)})


def parts(split: Split) -> dict[str, tuple[Item, ...]]:
    """The three draws by name."""
    return {"train": split.train, "validation": split.validation, "heldout": split.heldout}


def drawn_or_skipped(pool, wanted, seed) -> Split:
    """The split, where there is one."""
    try:
        return draw_split(pool, **wanted, seed=seed)
    except NotEnoughItems:
        assume(False)
        raise


@given(pools(), sizes, st.integers(0, 5))
@settings(max_examples=100, deadline=None)
def test_sizes_are_met_and_nothing_is_shared(pool, wanted, seed):
    """Every split has its size; no two share an item, a fact, a family-and-entity pair or a near-duplicate."""
    split = parts(drawn_or_skipped(pool, wanted, seed))

    assert {name: len(items) for name, items in split.items()} == wanted
    for one, other in combinations(split, 2):
        for a, b in product(split[one], split[other]):
            assert a.id != b.id
            assert similarity(a.instruction, b.instruction) < NEAR_DUPLICATE
            if a.entity:
                assert (a.family.split("/")[0], a.entity) != (b.family.split("/")[0], b.entity)


@given(pools(), sizes, st.integers(0, 5), st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_the_order_of_the_pool_does_not_matter(pool, wanted, seed, shuffler):
    """The same items in another order give the same split."""
    split = drawn_or_skipped(pool, wanted, seed)
    shuffler.shuffle(pool)

    assert draw_split(pool, **wanted, seed=seed) == split


@given(st.lists(st.integers(1, 30), min_size=1, max_size=4), st.data())
@settings(max_examples=60, deadline=None)
def test_kinds_come_in_the_shares_of_the_pool(counts, data):
    """Where nothing is shared, a split's count of a kind is its exact share rounded down or up, even if the pool is used up."""
    pool = [item(100 * place + number, KINDS[place]) for place, count in enumerate(counts) for number in range(count)]
    heldout = data.draw(st.integers(0, len(pool)))
    split = draw_split(pool, train=len(pool) - heldout, validation=0, heldout=heldout, seed=1)

    for items in (split.train, split.heldout):
        for place, count in enumerate(counts):
            exact = len(items) * count / len(pool)
            assert abs(sum(i.kind == KINDS[place] for i in items) - exact) < 1


def test_seed_changes_the_draw():
    """Another seed draws other items."""
    pool = [item(number) for number in range(40)]

    assert draw_split(pool, train=10, validation=2, heldout=8, seed=1) != draw_split(
        pool, train=10, validation=2, heldout=8, seed=2
    )


def test_without_strata_only_the_sizes_count():
    """`stratify=None` draws from the whole pool, whatever the kinds."""
    pool = [item(number, KINDS[number % 4]) for number in range(40)]
    split = draw_split(pool, train=1, validation=0, heldout=1, stratify=None, seed=3)

    assert (len(split.train), len(split.heldout)) == (1, 1)


def test_phrasings_of_one_fact_are_packed_where_the_pool_is_tight():
    """Four phrasings each of ten facts fill 24 / 4 / 12 to the last item: whole facts go to one split."""
    pool = [item(10 * fact + k, KINDS[k], f"capital/{k}", f"land {fact}") for fact in range(10) for k in range(4)]
    split = draw_split(pool, train=24, validation=4, heldout=12, seed=5)

    assert Counter(i.kind for i in split.heldout) == dict.fromkeys(KINDS, 3)


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ({"train": 9, "validation": 1, "heldout": 1}, r"^11 instructions are wanted \(1 heldout, 9 train, 1 validation\), but the source has 10$"),
        ({"train": 5, "validation": 0, "heldout": 5}, r"^train could be given only 0 of 5 qa: the source has 10 instructions in 1 groups"),
    ],
)  # fmt: skip
def test_a_pool_too_small_is_an_error_with_numbers(wanted, message):
    """Too few items, or too few that have nothing in common, are refused with the counts that show why."""
    pool = [item(number, family="capital/1", entity="France") for number in range(10)]

    with pytest.raises(NotEnoughItems, match=message):
        draw_split(pool, **wanted, seed=1)


def test_refuses_negative_sizes_and_repeated_ids():
    """Nonsense is refused before anything is drawn."""
    with pytest.raises(ValueError, match="heldout must not be negative: -1"):
        draw_split([item(1)], train=1, validation=0, heldout=-1, seed=1)
    with pytest.raises(ValueError, match="1 ids occur more than once, the first being 'item-1'"):
        draw_split([item(1), item(1)], train=1, validation=0, heldout=0, seed=1)


@given(st.dictionaries(st.text(max_size=2), st.integers(0, 50), min_size=1, max_size=5), st.data())
@settings(max_examples=100, deadline=None)
def test_largest_remainder_shares_out_everything(weights, data):
    """All seats are given, none beyond the room; with room enough each share is the exact one rounded down or up."""
    room = {name: data.draw(st.integers(0, 50)) for name in weights}
    total = data.draw(st.integers(0, sum(room.values())))
    shares = largest_remainder(total, weights, room)

    assert sum(shares.values()) == total
    assert all(0 <= shares[name] <= room[name] for name in weights)
    if (weight := sum(weights.values())) and all(count > total for count in room.values()):
        assert all(abs(shares[name] - total * weights[name] / weight) < 1 for name in weights)


def test_left_seats_go_to_the_largest_remainders():
    """Of 4.1, 3.3 and 2.6 seats the last is rounded up; of equal remainders the first name's is."""
    assert largest_remainder(10, {"a": 41, "b": 33, "c": 26}, {"a": 10, "b": 10, "c": 10}) == {"a": 4, "b": 3, "c": 3}
    assert largest_remainder(1, {"b": 5, "a": 5}, {"a": 5, "b": 5}) == {"a": 1, "b": 0}


def test_the_bank_fills_the_usual_experiment():
    """200 / 20 / 130 items come out of the bank for any seed, every kind in its share of the bank, from many families."""
    shares = Counter(i.kind for i in load_bank())
    for seed in range(3):
        split = draw_split(load_bank(), train=200, validation=20, heldout=130, seed=seed)

        for items in (split.train, split.heldout):
            for kind, count in Counter(i.kind for i in items).items():
                assert abs(count - len(items) * shares[kind] / shares.total()) < 1
        assert len({i.family for i in split.heldout}) > 60
