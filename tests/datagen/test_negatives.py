"""What holds for every type of negative: it differs from the chosen answer, fails what it should, and is well-formed otherwise."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from negative_samples import capital_item, model_text, random_items, world

from compiler.records import Item, RejectedType
from datagen.cleaning import clean
from datagen.failings import has_artefact, is_refusal
from datagen.form import meets
from datagen.mentions import mentions, normalise
from datagen.negatives import BUILDERS, Pool
from datagen.negatives.batch import rng_of
from datagen.negatives.checks import is_reference

ITEMS = world()
POOL = Pool(tuple(ITEMS), {item.id: item.good_answer or "" for item in ITEMS})


def negatives(kind: RejectedType, draws: int = 1) -> list[tuple[Item, str, str]]:
    """(item, chosen, rejected) for every item of the world that can have a negative of the type."""
    made = [
        (item, item.good_answer or "", BUILDERS[kind].build(item, item.good_answer or "", POOL, rng_of(seed, item.id, kind)))
        for item in ITEMS
        for seed in range(draws)
    ]
    return [(item, chosen, text) for item, chosen, text in made if text is not None]


@pytest.mark.parametrize("kind", list(BUILDERS))
def test_every_item_of_the_world_gets_every_type(kind: RejectedType) -> None:
    """With facts, lists and topics to draw on, nothing is given up."""
    assert len(negatives(kind)) == len(ITEMS)


@pytest.mark.parametrize("kind", list(BUILDERS))
def test_differs_from_chosen_and_holds_no_marker(kind: RejectedType) -> None:
    """A pair of two equal answers, or a rejected side that teaches the marker in mid-text, would be noise."""
    for _, chosen, text in negatives(kind, draws=5):
        assert normalise(text) != normalise(chosen)
        assert "END" not in text.split()


@pytest.mark.parametrize("kind", [kind for kind in BUILDERS if kind != "format_violation"])
def test_only_format_violations_break_the_form_of_text(kind: RejectedType) -> None:
    """All others are clean prose: no scaffolding, no debris, no loops."""
    for _, _, text in negatives(kind, draws=5):
        assert clean(text) == text
        assert not has_artefact(text)


@pytest.mark.parametrize("kind", [kind for kind in BUILDERS if kind != "format_violation"])
def test_only_format_violations_hold_the_right_answer(kind: RejectedType) -> None:
    """No other negative may be right by accident."""
    for item, _, text in negatives(kind, draws=5):
        assert not mentions(text, [answer for answer in item.answers or () if normalise(answer) not in {"no", "yes"}])


@pytest.mark.parametrize("kind", list(BUILDERS))
def test_depends_on_the_generator_alone(kind: RejectedType) -> None:
    """Equal seeds give equal texts, other seeds other ones somewhere."""
    first, again = negatives(kind), negatives(kind)
    texts = {text for _, _, text in negatives(kind, draws=8)}

    assert first == again
    assert len(texts) > len({text for _, _, text in first})


@pytest.mark.parametrize("kind", ["unwarranted_refusal", "verbose_vague"])
def test_templates_have_hundreds_of_forms(kind: RejectedType) -> None:
    """With everything that comes from the item taken out, 500 draws give hundreds of surface forms: nobody learns ten strings."""
    item = capital_item("Veldon")
    texts = [BUILDERS[kind].build(item, "Marsk", POOL, random.Random(seed)) or "" for seed in range(500)]

    assert len({text.replace("Veldon", "").replace("realms", "") for text in texts}) > 400


@pytest.mark.parametrize("kind", ["format_violation", "off_topic", "incorrect_factual"])
def test_built_negatives_vary_over_items(kind: RejectedType) -> None:
    """Negatives made from answers are as various as the answers: more than half of one draw is distinct, in a tiny world."""
    texts = [text for _, _, text in negatives(kind)]

    assert len(set(texts)) > len(texts) / 2


@pytest.mark.parametrize("kind", list(BUILDERS))
@given(st.data())
@settings(max_examples=50, deadline=None)
def test_any_item_and_answer(kind: RejectedType, data: st.DataObject) -> None:
    """Whatever items and answers hold: no crash, and what is built differs, is stripped and has no marker."""
    items = data.draw(random_items())
    answers = {item.id: clean(data.draw(model_text)) for item in items}
    chosen = answers[items[0].id]

    attempt = BUILDERS[kind].attempt(items[0], chosen, Pool(tuple(items), answers), random.Random(0))

    assert (attempt.text is None) != (attempt.reason is None)
    if attempt.text is not None:
        assert attempt.text == attempt.text.strip() != ""
        assert normalise(attempt.text) != normalise(chosen)
        assert "END" not in attempt.text.splitlines()
        if kind in {"incorrect_factual", "random"}:
            assert not is_reference(items[0], attempt.text)
        if kind == "unwarranted_refusal":
            assert is_refusal(attempt.text)
        if kind == "incorrect_factual" and meets(items[0].constraint, chosen):
            assert meets(items[0].constraint, attempt.text)


def test_an_empty_pool_is_no_crash() -> None:
    """With nothing to borrow from, templates still work and the rest says that it cannot be built."""
    item = ITEMS[0]
    reasons = {
        kind: builder.attempt(item, "Marsk", Pool((item,), {item.id: "Marsk"}), random.Random(0))
        for kind, builder in BUILDERS.items()
    }

    assert {kind for kind, attempt in reasons.items() if attempt.reason} == {"incorrect_factual", "off_topic", "random"}
    assert {attempt.reason for attempt in reasons.values() if attempt.reason} == {"not_buildable"}
