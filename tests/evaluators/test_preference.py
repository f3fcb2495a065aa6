"""Preference accuracy: which side of a pair a model finds likelier, token for token."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compiler.records import PairLogProbs, PreferencePair
from evaluators.preference import preference_accuracy, preferences_by_item, prefers_chosen


def logprobs(chosen, rejected, tokens=(1, 1), pair_id="p"):
    """The log-probabilities of one pair."""
    return PairLogProbs(pair_id=pair_id, chosen=chosen, rejected=rejected, chosen_tokens=tokens[0], rejected_tokens=tokens[1])


def pair(pair_id, item_id, kind):
    """A held-out pair; its texts do not matter here."""
    return PreferencePair(
        id=pair_id, item_id=item_id, instruction="?", chosen="a", rejected="b", negative_type=kind, split="heldout"
    )


def test_length_does_not_decide():
    """The mean per token counts: a long chosen side with a lower sum is preferred where its tokens are likelier."""
    assert prefers_chosen(logprobs(-8.0, -6.0, tokens=(8, 3)))
    assert not prefers_chosen(logprobs(-6.0, -8.0, tokens=(3, 8)))


@given(st.floats(-100, -0.01), st.integers(1, 50))
def test_a_tie_is_no_preference(total, tokens):
    """A model that does not tell the sides apart prefers neither."""
    assert not prefers_chosen(logprobs(total, total, tokens=(tokens, tokens)))


@given(st.floats(-100, 0), st.floats(-100, 0), st.integers(1, 50), st.integers(1, 50))
def test_at_most_one_side_is_preferred(chosen, rejected, first, second):
    """Swapping the sides cannot leave both preferred."""
    one = prefers_chosen(logprobs(chosen, rejected, tokens=(first, second)))
    other = prefers_chosen(logprobs(rejected, chosen, tokens=(second, first)))

    assert not (one and other)


def test_outcomes_stand_by_item_and_negative_type():
    """Each item has one outcome per negative type."""
    pairs = [pair("1", "a", "off_topic"), pair("2", "a", "verbose_vague"), pair("3", "b", "off_topic")]
    rows = [logprobs(-1, -2, pair_id="1"), logprobs(-2, -1, pair_id="2"), logprobs(-2, -1, pair_id="3")]

    found = preferences_by_item(pairs, rows)

    assert found == {"a": {"off_topic": True, "verbose_vague": False}, "b": {"off_topic": False}}
    assert preference_accuracy(found) == pytest.approx(1 / 3)
    assert preference_accuracy(found, "off_topic") == pytest.approx(1 / 2)
    assert preference_accuracy(found, "incorrect_factual") is None
    assert preference_accuracy({}) is None


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], "pair 1 has no log-probabilities"),
        ([logprobs(-1, -2, tokens=(0, 1), pair_id="1")], "a side of 0 tokens"),
        ([logprobs(math.nan, -2, pair_id="1")], "not a number"),
    ],
)
def test_pairs_that_cannot_be_judged_are_errors(rows, message):
    """A missing or meaningless log-probability must not count as a failure of the model."""
    with pytest.raises(ValueError, match=message):
        preferences_by_item([pair("1", "a", "off_topic")], rows)


def test_two_pairs_of_one_type_are_an_error():
    """One would silently replace the other."""
    pairs = [pair("1", "a", "off_topic"), pair("2", "a", "off_topic")]

    with pytest.raises(ValueError, match="item a has two pairs of type off_topic"):
        preferences_by_item(pairs, [logprobs(-1, -2, pair_id="1"), logprobs(-1, -2, pair_id="2")])
