"""Which of the base model's answers become demonstrations."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from negative_samples import answer, capital_item, model_text, random_items, world

from compiler.records import Constraint, Item
from datagen.cleaning import clean
from datagen.demonstrations import MAX_WORDS, RULES, build_demonstrations

LONG = " ".join(f"word{place}" for place in range(MAX_WORDS["qa"] + 1))


def reason(item: Item, response: str, *, hit_token_limit: bool = False) -> str | None:
    """Why an answer is dropped; None if it is kept."""
    built = build_demonstrations([item], [answer(item, response, hit_token_limit=hit_token_limit)])
    return built.dropped[0].reason if built.dropped else None


QUESTION = capital_item("Veldon")
LIST = QUESTION.model_copy(update={"constraint": Constraint(type="list", n=2), "kind": "generation"})


@pytest.mark.parametrize(
    ("item", "response", "limit", "expected"),
    [
        (QUESTION, " Marsk\nEND", False, None),
        (QUESTION, " Marsk", False, None),
        (QUESTION, " Marsk\n\nInstruction: and what", True, None),
        (QUESTION, "  \nEND", False, "empty"),
        (QUESTION, "Q: And now?", False, "empty"),
        (QUESTION, " Marsk is the seat and", True, "cut_off"),
        (QUESTION, "?!... --", False, "non_text"),
        (QUESTION, "Mar\ufffdk", False, "non_text"),
        (QUESTION, "| - | - | - | = = = a b", False, "non_text"),
        (QUESTION, "What is the seat of Veldon?", False, "echo"),
        (QUESTION, "The seat of Veldon is what", False, "echo"),
        (QUESTION, "What is the seat of Veldon? Marsk is said to be the place.", False, "echo"),
        (QUESTION, "I'm sorry, but I can't help with that.", False, "refusal"),
        (QUESTION, "I don't know.", False, "refusal"),
        (QUESTION, "You should look it up.", False, "refusal"),
        (QUESTION, "Do you mean old Veldon?", False, "question_back"),
        (QUESTION, "The seat is [insert name].", False, "placeholder"),
        (QUESTION, "It is ____.", False, "placeholder"),
        (QUESTION, "It is in the north. Marsk said it is in the north. He said it is in the north.", False, "loops"),
        (LIST, "1. one\n2. one", False, "loops"),
        (LIST, "1. one\n2. two\n3. three", False, "constraint"),
        (LIST, "one and two", False, None),
        (QUESTION, LONG, False, "too_long"),
    ],
)  # fmt: skip
def test_each_rule_drops_what_it_says(item: Item, response: str, limit: bool, expected: str | None) -> None:
    """Every rule has its own name, good answers pass all of them."""
    assert reason(item, response, hit_token_limit=limit) == expected


def test_every_rule_is_tried_above() -> None:
    """A rule without an example would be a rule that nobody has seen work."""
    tried = {
        mark.args[1][place][3] for mark in test_each_rule_drops_what_it_says.pytestmark for place in range(len(mark.args[1]))
    }

    assert {rule.name for rule in RULES} <= tried


@pytest.mark.parametrize(
    ("kind", "constraint", "response"),
    [
        ("response", None, "I'm sorry that I am late."),
        ("response", None, "Of course, when shall we meet?"),
        ("completion", None, "The seat of Veldon is Marsk."),
        ("qa", Constraint(type="number"), "It has 12 gates."),
        ("qa", Constraint(type="yes_no"), "Yes, it is."),
        ("qa", Constraint(type="sentences", n=1), "Dr. Olm of St. Veit, e.g. in 3.5 hours, sees it."),
        ("qa", Constraint(type="sentences"), "One. Two. Three."),
    ],
)
def test_rules_do_not_overreach(kind: str, constraint: Constraint | None, response: str) -> None:
    """Apologies in a reply, questions in a reply, completions that repeat their beginning and lenient forms are kept."""
    assert reason(QUESTION.model_copy(update={"kind": kind, "constraint": constraint}), response) is None


def test_keeps_text_split_and_order() -> None:
    """Demonstrations come in the order of the items, cleaned, with the split of their answer, and are counted."""
    items = [capital_item("Veldon"), capital_item("Orlin"), capital_item("Kasmar")]
    answers = [answer(items[1], " Tevra\nEND", split="validation"), answer(items[0], " Marsk\nQ: x"), answer(items[2], "")]

    built = build_demonstrations(items, answers)

    assert [(row.item_id, row.response, row.split) for row in built.kept] == [
        (items[0].id, "Marsk", "train"),
        (items[1].id, "Tevra", "validation"),
    ]
    assert built.counts == {"answers": 3, "kept": 2, "kept_train": 1, "kept_validation": 1, "dropped": {"empty": 1}}


def test_uncleaned_answers_are_taken_as_written() -> None:
    """The ablation keeps scaffolding, refusals and cut-off text: everything but empty answers and the marker."""
    items = [capital_item("Veldon"), capital_item("Orlin"), capital_item("Kasmar")]
    answers = [
        answer(items[0], " Marsk\nQ: x\nEND\ny"),
        answer(items[1], "I cannot help", hit_token_limit=True),
        answer(items[2], "END"),
    ]

    built = build_demonstrations(items, answers, clean=False)

    assert [row.response for row in built.kept] == ["Marsk\nQ: x", "I cannot help"]
    assert built.counts["dropped"] == {"empty": 1}


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_reference_answers_are_never_looked_at(data: st.DataObject) -> None:
    """The base model labels itself: other reference answers, or none, change nothing."""
    items = data.draw(random_items())
    answers = [answer(item, data.draw(model_text)) for item in items]
    blind = [item.model_copy(update={"answers": None, "good_answer": None, "entity": "", "topic": ""}) for item in items]

    assert build_demonstrations(items, answers) == build_demonstrations(blind, answers)


def test_a_wrong_answer_is_kept() -> None:
    """To drop it would be supervision."""
    assert reason(QUESTION, "Tevra") is None


@given(st.data(), st.booleans())
@settings(max_examples=100, deadline=None)
def test_every_answer_is_kept_or_dropped_once(data: st.DataObject, limit: bool) -> None:
    """Whatever was written: no crash, kept texts are clean and not empty, and the counts add up."""
    items = data.draw(random_items())
    answers = [answer(item, data.draw(model_text), hit_token_limit=limit) for item in items]

    built = build_demonstrations(items, answers)

    assert {row.item_id for row in built.kept} | {row.item_id for row in built.dropped} == {item.id for item in items}
    assert len(built.kept) + len(built.dropped) == len(items) == built.counts["answers"]
    assert sum(built.counts["dropped"].values()) == len(built.dropped)
    assert all(row.response and clean(row.response) == row.response for row in built.kept)


@pytest.mark.parametrize(
    ("splits", "unknown", "says"),
    [(["heldout"], False, "held-out"), (["train", "train"], False, "two answers"), (["train"], True, "none of the items")],
)
def test_answers_that_do_not_belong_are_refused(splits: list[str], unknown: bool, says: str) -> None:
    """Held-out, doubled and foreign answers are errors, not data."""
    items = world()
    answers = [answer(capital_item("Veldon", id="nobody") if unknown else items[0], "Marsk", split=split) for split in splits]

    with pytest.raises(ValueError, match=says):
        build_demonstrations(items, answers)
