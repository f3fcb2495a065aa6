"""Held-out pairs: good answers that no arm wrote, beside all five negatives of each."""

from __future__ import annotations

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st
from negative_samples import capital_item, random_items, world

from datagen.bank import load_bank
from datagen.heldout_pairs import build_heldout_pairs
from datagen.mentions import normalise
from datagen.mixes import NEGATIVE_TYPES

ITEMS = world()


def test_every_item_gets_all_five() -> None:
    """Chosen is the fixed good answer, the split is held-out, the order that of items and types."""
    built = build_heldout_pairs(ITEMS, seed=3)

    assert [(pair.item_id, pair.negative_type) for pair in built.pairs] == [
        (item.id, kind) for item in ITEMS for kind in NEGATIVE_TYPES
    ]
    assert {pair.split for pair in built.pairs} == {"heldout"}
    assert {pair.chosen for pair in built.pairs} == {item.good_answer for item in ITEMS}
    assert built.counts["made"] == built.counts["asked"] == 5 * len(ITEMS)


def test_reference_answer_stands_in_for_a_good_one() -> None:
    """Items from a file may have reference answers only, or neither: those are dropped and counted."""
    items = [*ITEMS[2:], capital_item("Veldon", good_answer=None), capital_item("Orlin", good_answer=None, answers=None)]
    built = build_heldout_pairs(items, seed=3)

    assert {pair.chosen for pair in built.pairs if pair.item_id == "seat/1/Veldon"} == {"Marsk"}
    assert "seat/1/Orlin" not in {pair.item_id for pair in built.pairs}
    assert built.counts["dropped"]["chosen"] == {"no_good_answer": 1}


def test_depends_on_the_seed_alone() -> None:
    """Equal seeds, equal pairs."""
    assert build_heldout_pairs(ITEMS, seed=3) == build_heldout_pairs(ITEMS, seed=3)
    assert build_heldout_pairs(ITEMS, seed=3).pairs != build_heldout_pairs(ITEMS, seed=4).pairs


def test_the_bank_yields_nearly_all_pairs() -> None:
    """130 items of the bank: no type but wrong facts of open tasks is ever given up, and texts hardly repeat."""
    items = list(load_bank())[::17][:130]
    built = build_heldout_pairs(items, seed=7)
    types = Counter(pair.negative_type for pair in built.pairs)

    assert {kind: types[kind] for kind in NEGATIVE_TYPES if kind != "incorrect_factual"} == {
        kind: 130 for kind in NEGATIVE_TYPES if kind != "incorrect_factual"
    }
    assert types["incorrect_factual"] >= 110
    assert all(row.negative_type == "incorrect_factual" for row in built.dropped)
    assert built.counts["distinct_rejected"] > 0.9 * len(built.pairs)


@given(random_items(), st.integers(0, 3))
@settings(max_examples=50, deadline=None)
def test_any_items(items: list, seed: int) -> None:
    """Whatever the items hold: no crash, both sides differ, and every pair or drop is accounted for."""
    built = build_heldout_pairs(items, seed=seed)

    assert all(normalise(pair.chosen) != normalise(pair.rejected) for pair in built.pairs)
    assert all(pair.chosen and pair.rejected for pair in built.pairs)
    unusable = sum(row.negative_type is None for row in built.dropped)
    assert len(built.pairs) + len(built.dropped) - unusable == 5 * (len(items) - unusable)
