"""Lists in any layout."""

import pytest

from evaluators.language.lists import item_counts, list_readings

THREE = ("apple", "banana", "cherry")


@pytest.mark.parametrize(
    "text",
    [
        "apple, banana, cherry", "apple, banana and cherry.", "apple, banana, and cherry", "apple and banana and cherry", "apple; banana; cherry",
        "apple/banana/cherry", "apple\nbanana\ncherry", "- apple\n- banana\n- cherry", "* apple\n* banana\n* cherry", "• apple • banana • cherry",
        "1. apple\n2. banana\n3. cherry", "1) apple\n2) banana\n3) cherry", "a) apple\nb) banana\nc) cherry", "1. apple 2. banana 3. cherry",
        "Here are three fruits:\n- apple\n- banana\n- cherry", "Here are three fruits: apple, banana, cherry.", "Sure! apple, banana, cherry. I hope this helps!",
        "Three fruits are apple, banana, and cherry.", "Fruits include apple, banana & cherry", "apple. banana. cherry.",
        "1. apple\n   - sweet\n2. banana\n   - soft\n3. cherry", "apple\nbanana\ncherry\nLet me know if you need more!",
    ],
)  # fmt: skip
def test_three_items_are_three_in_any_layout(text):
    """Bullets, numbers, lines, commas, "and", slashes; introductions and closings are no items."""
    assert any(tuple(item.strip(".") for item in reading) == THREE for reading in list_readings(text))


@pytest.mark.parametrize(
    ("text", "counts"),
    [
        ("pizza, soup, fish and chips", {3, 4}),
        ("apple, banana", {2}),
        ("apple, apple, apple", {1}),
        ("- a\n- b\n- c\n- d", {4}),
        ("1,000 dollars, a car, and a house", {3}),
        ("Apple (crisp, sweet), banana, cherry", {3}),
        ("", set()),
    ],
)
def test_a_list_has_as_many_items_as_it_may_be_said_to_have(text, counts):
    """Doubtful lists have several readings; repeated items count once; commas in numbers and brackets do not split."""
    assert item_counts(text) == counts


def test_the_same_text_may_be_items_or_prose():
    """Sentences are items only where tips, reasons or steps are asked for."""
    tips = "Take short showers and fix dripping taps early. Collect the rain for your garden in a barrel."

    assert 2 in item_counts(tips, prose_items=True)
    assert 2 not in item_counts(tips)
    assert 2 in item_counts("First, take short showers. It helps. Second, collect rain.", prose_items=True)
    assert 2 in item_counts('Wave your hand, or say "Hello, how are you?"', prose_items=True)
