"""Preference pairs: quotas, even spread, seeds, labels and honest counts."""

from __future__ import annotations

from collections import Counter
from itertools import groupby

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from negative_samples import answer, capital_item, good_answers, model_text, random_items, world

from compiler.records import Item
from datagen.bank import load_bank
from datagen.cleaning import clean
from datagen.mentions import normalise
from datagen.mixes import ORIGINAL
from datagen.negatives.assignment import assign, refilled
from datagen.preferences import Preferences, build_preferences

ITEMS = world()
BANK = list(load_bank())[::23][:110]


def build(items: list[Item] = ITEMS, **changes: object) -> Preferences:
    """Pairs from good answers, with the settings of the experiment unless told otherwise."""
    validation = changes.pop("validation", 0)
    settings = {"pairs": 40, "rejected": "original", "labels": "true", "seed": 7, **changes}
    return build_preferences(items, good_answers(items, validation), **settings)  # type: ignore[arg-type]


def test_the_original_experiment_in_small() -> None:
    """100 training items and 250 pairs, as 200 and 500: every quota met, two or three pairs an item, ten more items for the curves."""
    built = build(BANK, pairs=250, validation=10)
    train = [pair for pair in built.pairs if pair.split == "train"]
    validation = [pair for pair in built.pairs if pair.split == "validation"]

    assert Counter(pair.negative_type for pair in train) == {
        "unwarranted_refusal": 75, "format_violation": 63, "incorrect_factual": 50, "off_topic": 37, "verbose_vague": 25,
    }  # fmt: skip
    assert set(Counter(pair.item_id for pair in train).values()) == {2, 3}
    assert len(validation) == 25
    assert {pair.item_id for pair in validation} == {item.id for item in BANK[100:]}
    assert built.counts["train"]["made"] == 250
    assert built.counts["train"]["distinct_rejected"] > 230


def test_pairs_are_traceable_and_adjacent() -> None:
    """An id names item and type, ids are unique, pairs of an item stand together in the order of the items."""
    built = build(validation=4)

    assert all(pair.id == f"{pair.item_id}/{pair.negative_type}" for pair in built.pairs)
    assert len({pair.id for pair in built.pairs}) == len(built.pairs)
    assert [key for key, _ in groupby(pair.item_id for pair in built.pairs)] == [
        item.id for item in ITEMS if any(pair.item_id == item.id for pair in built.pairs)
    ]


def test_both_sides_answer_the_instruction_of_the_item() -> None:
    """The chosen side is the model's answer, cleaned; the rejected one differs from it."""
    by_id = {item.id: item for item in ITEMS}

    for pair in build().pairs:
        assert pair.instruction == by_id[pair.item_id].instruction
        assert pair.chosen == by_id[pair.item_id].good_answer
        assert normalise(pair.rejected) != normalise(pair.chosen)


def test_training_pairs_draw_on_training_items_alone() -> None:
    """What is never trained on must not come in as a rejected answer either."""
    built = build(rejected="random", validation=4)
    of_validation = {item.good_answer for item in ITEMS[-4:]} - {item.good_answer for item in ITEMS[:-4]}

    assert not [pair for pair in built.pairs if pair.split == "train" and pair.rejected in of_validation]


def test_random_draws_several_answers_an_item() -> None:
    """The baseline reaches the same number of pairs: other answers of other items, each once for an item."""
    built = build(rejected="random", pairs=45)
    by_item = Counter(pair.item_id for pair in built.pairs)

    assert len(built.pairs) == 45
    assert max(by_item.values()) - min(by_item.values()) <= 1
    assert len({(pair.item_id, pair.rejected) for pair in built.pairs}) == 45
    assert {pair.id.removeprefix(pair.item_id) for pair in built.pairs} == {"/random", "/random/2", "/random/3"}


def test_equal_seeds_give_equal_pairs() -> None:
    """And other seeds other ones."""
    assert build() == build()
    assert build().pairs != build(seed=8).pairs


def test_a_new_item_leaves_the_negatives_of_others() -> None:
    """A negative is drawn from a generator of its own: of the pairs made with and without a new item nearly all are equal."""
    before, after = build(BANK[1:], pairs=200), build(BANK, pairs=200)
    first, second = ({pair.id: pair for pair in built.pairs} for built in (before, after))
    shared = first.keys() & second.keys()

    assert len(shared) > 190
    assert sum(first[key] == second[key] for key in shared) > 0.95 * len(shared)


def test_shuffled_labels_swap_a_random_half() -> None:
    """The same pairs, half of them the wrong way round; which half is random but fixed by the seed."""
    true, shuffled = build(validation=4), build(validation=4, labels="shuffled")
    swapped = [one.chosen == other.rejected for one, other in zip(true.pairs, shuffled.pairs, strict=True)]
    train = [swap for swap, pair in zip(swapped, true.pairs, strict=True) if pair.split == "train"]

    assert [pair.id for pair in true.pairs] == [pair.id for pair in shuffled.pairs]
    assert all(
        {one.chosen, one.rejected} == {other.chosen, other.rejected}
        for one, other in zip(true.pairs, shuffled.pairs, strict=True)
    )
    assert sum(train) == len(train) // 2
    assert train != sorted(train)
    assert shuffled == build(validation=4, labels="shuffled")


def test_a_shortfall_goes_to_the_other_types() -> None:
    """Replies have no facts to get wrong: the quota of wrong facts is filled by the rest in proportion, and counted."""
    items = [
        Item(id=f"reply/{place}", kind="response", instruction=f"Reply kindly to {name}.", good_answer=f"Thank you, dear {name}.", topic=f"topic{place}")
        for place, name in enumerate(["uncle", "aunt", "cousin", "baker", "smith", "miller", "nurse", "pilot"])
    ]  # fmt: skip
    built = build(items, pairs=16)
    types = built.counts["train"]["types"]

    assert types["incorrect_factual"] == {"asked": 3, "made": 0, "length_gap": None}
    assert built.counts["train"]["made"] == 16
    assert built.counts["dropped"]["incorrect_factual"] == {"not_buildable": 8}
    assert types["unwarranted_refusal"]["made"] > types["verbose_vague"]["made"]


def test_as_many_as_possible_when_there_are_too_few_items() -> None:
    """Each type once an item is all there is; counts say so."""
    built = build(pairs=500)

    assert built.counts["train"]["asked"] == 500
    assert built.counts["train"]["made"] == len(built.pairs) == 5 * len(ITEMS)


@pytest.mark.parametrize(
    ("response", "reason"),
    [("\nEND", "empty"), ("I cannot help with that.", "refusal"), ("What is the seat of Veldon?", "echo"), ("...", "non_text")],
)
def test_a_degenerate_chosen_answer_is_dropped_and_counted(response: str, reason: str) -> None:
    """Nothing can be preferred about it; a wrong answer stays, for nobody checks it."""
    items = ITEMS[:4]
    answers = [answer(items[0], response), answer(items[1], "Yosk\nEND"), answer(items[2], "Dulo")]

    built = build_preferences(items, answers, pairs=6, rejected="uniform", labels="true", seed=1)

    assert built.counts["dropped"]["chosen"] == {reason: 1, "no_answer": 1}
    assert {pair.item_id for pair in built.pairs} == {items[1].id, items[2].id}


def test_counts_tell_the_length_gap() -> None:
    """Mean characters of both sides and their difference, overall and per type: length alone can be learned."""
    built = build()
    part = built.counts["train"]
    chosen = sum(len(pair.chosen) for pair in built.pairs) / len(built.pairs)
    rejected = sum(len(pair.rejected) for pair in built.pairs) / len(built.pairs)

    assert part["mean_characters"] == {
        "chosen": pytest.approx(chosen, abs=0.01),
        "rejected": pytest.approx(rejected, abs=0.01),
        "gap": pytest.approx(rejected - chosen, abs=0.02),
    }
    assert part["types"]["verbose_vague"]["length_gap"] > part["types"]["incorrect_factual"]["length_gap"]


def test_empirical_shares_follow_the_base_models_failures() -> None:
    """A base model that only ever refuses gets refusals for negatives."""
    observed = [answer(item, "I cannot help with that.") for item in ITEMS]
    built = build(rejected="empirical", observed=observed, pairs=15)

    assert {pair.negative_type for pair in built.pairs} == {"unwarranted_refusal"}


@pytest.mark.parametrize(
    ("changes", "says"),
    [({"pairs": 0}, "at least one pair"), ({"rejected": "diverse"}, "unknown mix"), ({"rejected": "empirical"}, "observed")],
)
def test_bad_settings_are_refused(changes: dict[str, object], says: str) -> None:
    """One clear line each."""
    with pytest.raises(ValueError, match=says):
        build(**changes)


def test_held_out_answers_are_refused() -> None:
    """Held-out items never become training pairs."""
    item = capital_item("Veldon")
    with pytest.raises(ValueError, match="held-out"):
        build_preferences([item], [answer(item, "x", split="heldout")], pairs=1, rejected="uniform", labels="true", seed=1)


@given(st.data(), st.sampled_from(["original", "uniform", "random", "empirical"]), st.sampled_from(["true", "shuffled"]))
@settings(max_examples=60, deadline=None)
def test_any_items_and_answers(data: st.DataObject, mix: str, labels: str) -> None:
    """Whatever they hold: no crash, no type twice an item, never more than asked, counts that add up."""
    items = data.draw(random_items())
    answers = [answer(item, data.draw(model_text), split=data.draw(st.sampled_from(["train", "validation"]))) for item in items]
    pairs = data.draw(st.integers(1, 12))

    built = build_preferences(items, answers, pairs=pairs, rejected=mix, labels=labels, seed=3, observed=answers)  # type: ignore[arg-type]

    assert len({pair.id for pair in built.pairs}) == len(built.pairs)
    train = [pair for pair in built.pairs if pair.split == "train"]
    assert len(train) == built.counts["train"]["made"] <= pairs
    assert sum(made["made"] for made in built.counts["train"]["types"].values()) == len(train)
    for pair in built.pairs:
        assert normalise(pair.chosen) != normalise(pair.rejected)
        assert clean(pair.chosen if labels == "true" else "") == (pair.chosen if labels == "true" else "")


slots = st.sets(st.tuples(st.sampled_from("abcdefgh"), st.sampled_from(list(ORIGINAL)), st.just(1)))


@given(slots, st.integers(0, 40))
def test_assignment_fills_what_can_be_filled(available: set, total: int) -> None:
    """As many pairs as wanted or as there are, each slot once."""
    wanted = {kind: round(total * share) for kind, share in ORIGINAL.items()}
    picked = assign(available, wanted, seed=1)
    open_to = [slot for slot in available if wanted[slot[1]]]

    assert len(picked) == len(set(picked)) == min(sum(wanted.values()), len(open_to))
    assert set(picked) <= available


@given(st.dictionaries(st.sampled_from(list(ORIGINAL)), st.tuples(st.integers(0, 30), st.integers(0, 30)), min_size=1))
def test_refilled_quotas_stay_within_what_is_available(numbers: dict) -> None:
    """No type gets more than it has, none less than it could fill itself, and nothing is lost while a wanted type has more."""
    wanted, available = ({kind: pair[place] for kind, pair in numbers.items()} for place in (0, 1))
    goals = refilled(wanted, available)

    assert all(min(wanted[kind], available[kind]) <= goals[kind] <= available[kind] for kind in goals)
    assert sum(goals.values()) == min(sum(wanted.values()), sum(available[kind] for kind in goals if wanted[kind]))
