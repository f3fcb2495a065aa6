"""How pairs are divided among the types of negative."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from negative_samples import answer, capital_item

from compiler.records import Answer, Constraint, Item
from datagen.mixes import NEGATIVE_TYPES, ORIGINAL, UNIFORM, failing, observe_failures, quotas, shares_of

ITEM = capital_item("Veldon")


def test_original_shares_of_500_pairs() -> None:
    """The mix of the experiment that started it."""
    assert quotas(500, ORIGINAL) == {
        "unwarranted_refusal": 150, "format_violation": 125, "incorrect_factual": 100, "off_topic": 75, "verbose_vague": 50,
    }  # fmt: skip


@given(st.integers(0, 5000), st.dictionaries(st.sampled_from(NEGATIVE_TYPES), st.floats(0, 10), min_size=1))
def test_quotas_sum_exactly_and_stay_close(total: int, shares: dict) -> None:
    """Largest remainder: the sum is exact and no type is off by a whole pair."""
    weight = sum(shares.values())
    if weight < 1e-6:
        return
    made = quotas(total, shares)

    assert sum(made.values()) == total
    assert all(abs(made[kind] - total * share / weight) < 1 + 1e-6 for kind, share in shares.items())


@pytest.mark.parametrize(("total", "shares"), [(-1, UNIFORM), (5, {}), (5, {"off_topic": 0.0})])
def test_quotas_need_something_to_divide_by(total: int, shares: dict) -> None:
    """A negative total or no positive share is an error."""
    with pytest.raises(ValueError, match="cannot divide"):
        quotas(total, shares)


def test_mixes_by_name() -> None:
    """Names stand for shares; `empirical` for those observed."""
    assert shares_of("original") == ORIGINAL
    assert shares_of("uniform") == dict.fromkeys(NEGATIVE_TYPES, 0.2)
    assert shares_of("random") == {"random": 1.0}
    assert shares_of("empirical", {"off_topic": 1.0}) == {"off_topic": 1.0}
    assert shares_of({"verbose_vague": 0.5, "off_topic": 0.5}) == {"off_topic": 0.5, "verbose_vague": 0.5}


@pytest.mark.parametrize(
    ("mix", "says"),
    [
        ("diverse", "unknown mix 'diverse'"),
        ("empirical", "needs observed answers"),
        ({"rude": 1.0}, "unknown negative type 'rude'"),
        ({"off_topic": 0.5}, "sum to 0.5"),
        ({"off_topic": 1.5, "verbose_vague": -0.5}, "must be positive"),
    ],
)
def test_bad_mixes_are_refused_with_a_way_out(mix: object, says: str) -> None:
    """One clear line says what is wrong."""
    with pytest.raises(ValueError, match=says):
        shares_of(mix)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Marsk", None),
        ("The seat of Veldon is Marsk.", None),
        ("I cannot help with that.", "unwarranted_refusal"),
        ("", "format_violation"),
        ("[your answer]", "format_violation"),
        ("The seat of Veldon is Tevra.", "incorrect_factual"),
        ("Tevra", "incorrect_factual"),
        ("Cats sleep all day long.", "off_topic"),
        ("It is hard to say, because " + "there are many ways to look at such things " * 4, "verbose_vague"),
    ],
)
def test_failures_are_told_apart(text: str, expected: str | None) -> None:
    """Each failing has a plain example."""
    assert failing(ITEM, text) == expected


def test_a_broken_constraint_is_a_format_failure() -> None:
    """Whatever the text says."""
    assert failing(ITEM.model_copy(update={"constraint": Constraint(type="one_word")}), "It is Marsk.") == "format_violation"


def test_observed_shares_count_failed_answers_only() -> None:
    """Two refusals and a wrong answer among good ones: two thirds and one third, cleaned of what follows the answer."""
    texts = ["Marsk\nQ: next", "Marsk", "I cannot help you.", "I can't answer that.\nEND", "Tevra"]
    items = [capital_item("Veldon", id=f"i{place}") for place in range(len(texts))]
    answers = [answer(item, text) for item, text in zip(items, texts, strict=True)]

    shares = observe_failures(items, answers)

    assert shares == {**dict.fromkeys(NEGATIVE_TYPES, 0.0), "unwarranted_refusal": 2 / 3, "incorrect_factual": 1 / 3}


@pytest.mark.parametrize("answers", [[], [answer(ITEM, "Marsk")]])
def test_no_failures_give_uniform_shares(answers: list[Answer]) -> None:
    """There is nothing to copy."""
    items: list[Item] = [ITEM]

    assert observe_failures(items, answers) == dict.fromkeys(NEGATIVE_TYPES, 0.2)
