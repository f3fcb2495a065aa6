"""What cleaning leaves of what a base model wrote."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from negative_samples import model_text

from datagen.cleaning import before_marker, clean, cut


@pytest.mark.parametrize(
    ("response", "expected", "ending"),
    [
        (" Paris\nEND", "Paris", "marker"),
        (" Paris END", "Paris", "marker"),
        ("Paris\nEND\nLondon\nEND", "Paris", "marker"),
        ("Paris\r\n  END\t\r\nmore", "Paris", "marker"),
        ("END", "", "marker"),
        ("Paris END END", "Paris", "marker"),
        ("Paris END Instruction: What next?", "Paris", "marker"),
        ("Paris\n\nInstruction: What is 2 + 2?\nResponse: 4", "Paris", "new_prompt"),
        ("Paris\nResponse: London", "Paris", "new_prompt"),
        ("Paris\n Q: And Italy?", "Paris", "new_prompt"),
        ("Paris\nUser: thanks", "Paris", "new_prompt"),
        ("Paris\n**Question 2:** next", "Paris", "new_prompt"),
        ("Paris\nInput: x", "Paris", "new_prompt"),
        ("Paris\n### Instruction\nmore", "Paris", "new_prompt"),
        ("Paris<|endoftext|>Human", "Paris", "new_prompt"),
        ("It is red. It is red and the sky is blue. It is red and the sky is blue. It is", "It is red. It is red and the sky is blue.", "repetition"),
        ("the the the the the the", "the", "repetition"),
        ("aaaaaaaaaaaaaaaaaaaaaaa", "a", "repetition"),
        ("a b c\na b c\na b c\na b c", "a b c", "repetition"),
    ],
)  # fmt: skip
def test_cuts_where_the_answer_ends(response: str, expected: str, ending: str) -> None:
    """The first marker, new prompt or runaway ends the answer, and cleaning says which it was."""
    cleaned = cut(response)

    assert (cleaned.text, cleaned.ending) == (expected, ending)


@pytest.mark.parametrize(
    "response",
    [
        "Paris",
        "the weekend\nend\nThe End",
        "WEEKEND",
        "ENDING with style",
        "A very, very, very good question",
        "New York, New York",
        "2 + 2 + 2 + 2 + 2 = 10",
        "1000000000000000",
        "1. apple\n2. banana\n3. cherry",
        "The question: is it so? An instruction follows.",
        "See room Q: it is closed",
        "C# and F# are notes",
    ],
)
def test_leaves_good_answers_alone(response: str) -> None:
    """What merely looks like a marker, a prompt or a loop stays as it was written."""
    cleaned = cut(response)

    assert (cleaned.text, cleaned.ending) == (response, "as_written")


@given(model_text)
@settings(max_examples=400, deadline=None)
def test_invariants(response: str) -> None:
    """Whatever a model writes: cleaning is idempotent, strips, leaves no marker line and no control characters."""
    text = clean(response)

    assert clean(text) == text
    assert text == text.strip()
    assert all(line.strip() != "END" for line in text.splitlines())
    assert not any(line.split()[-1:] == ["END"] for line in text.splitlines())
    assert not any(char in text for char in "\x00\r\u2028\x0b\x0c")


@given(model_text)
@settings(max_examples=200, deadline=None)
def test_before_marker_only_cuts_at_the_marker(response: str) -> None:
    """The uncleaned text still holds prompts and loops, but never the marker, and the cleaned text begins it."""
    text = before_marker(response)

    assert all(line.strip() != "END" for line in text.splitlines())
    assert text.startswith(clean(response))


def test_keeps_what_only_cleaning_removes() -> None:
    """Without cleaning, a second prompt before the marker stays."""
    assert before_marker(" Paris\nQ: next\nEND\nmore") == "Paris\nQ: next"
