"""From items and answers to scores."""

import pytest

from compiler.records import Answer, Constraint, Item, PairLogProbs, PreferencePair
from evaluators.scoring import ALL, score_answer, score_items, view_of

ITEMS = (
    Item(id="a", kind="qa", instruction="What is the capital of France?", answers=("Paris",)),
    Item(id="b", kind="generation", instruction="List three fruits.", constraint=Constraint(type="list", n=3)),
)


def answer(item_id, response, hit=False):
    """An answer of a held-out item."""
    return Answer(item_id=item_id, split="heldout", response=response, tokens=5, hit_token_limit=hit)


def test_every_answered_item_is_scored_in_the_order_of_the_items():
    """The order of the answers does not matter, and an item without one has no score."""
    scores = score_items(ITEMS, [answer("b", "apple, pear, plum\nEND"), answer("a", "Rome\nEND")])

    assert [score.item_id for score in scores] == ["a", "b"]
    assert [score.criteria["factually_correct"] for score in scores] == [False, None]
    assert [score.item_id for score in score_items(ITEMS, [answer("b", "END")])] == ["b"]


def test_preferences_are_put_to_their_items():
    """Held-out pairs are judged beside the answers."""
    pair = PreferencePair(
        id="p", item_id="a", instruction="?", chosen="x", rejected="y", negative_type="off_topic", split="heldout"
    )
    row = PairLogProbs(pair_id="p", chosen=-1.0, rejected=-2.0, chosen_tokens=1, rejected_tokens=1)

    first, second = score_items(ITEMS, [answer("a", "Paris"), answer("b", "figs")], [pair], [row])

    assert first.preference == {"off_topic": True}
    assert second.preference == {}


def test_only_the_criteria_asked_for_are_judged_in_the_order_of_the_contract():
    """A spec may leave criteria out; it may not reorder them."""
    view = view_of(ITEMS[0], answer("a", "Paris\nEND"))

    assert list(score_answer(view, ["on_topic", "ends_with_end"])) == ["ends_with_end", "on_topic"]
    assert list(score_answer(view)) == list(ALL)


def test_an_unknown_criterion_is_an_error():
    """A misspelt name must not be left out in silence."""
    with pytest.raises(ValueError, match="no such criterion: coherant"):
        score_answer(view_of(ITEMS[0], answer("a", "Paris")), ["coherant"])


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        ([answer("a", "Paris"), answer("a", "Rome")], "item a has two answers"),
        ([answer("z", "Paris")], "an item that is not there: z"),
    ],
)
def test_answers_that_do_not_fit_the_items_are_errors(answers, message):
    """A mix-up of files would otherwise look like a weak model."""
    with pytest.raises(ValueError, match=message):
        score_items(ITEMS, answers)
