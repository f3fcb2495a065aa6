"""Answers made elsewhere: by id or by instruction, strictly, every mistake with its line."""

import json

import pytest

from compiler.outside_answers import MalformedResponses, read_responses
from compiler.records import Item

ITEMS = [Item(id=name, kind="qa", instruction=f"What is {name}?") for name in ("a", "b", "c")]


def _read(*rows: object):
    return read_responses([row if isinstance(row, str) else json.dumps(row) for row in rows], "r.jsonl", ITEMS)


def test_answers_come_in_the_order_of_the_items():
    """Whatever the order of the file; what is not told is counted or false; items without an answer are left out."""
    found = _read(
        {"instruction": "What is c?", "response": "See here", "hit_token_limit": True, "tokens": 9, "model": "x"},
        "",
        {"id": "a", "response": " It is a\nEND"},
    )

    assert [(each.item_id, each.tokens, each.hit_token_limit) for each in found] == [("a", 4, False), ("c", 9, True)]
    assert found[0].response == " It is a\nEND"


def test_every_mistake_is_named_with_its_line():
    """All at once."""
    with pytest.raises(MalformedResponses) as caught:
        _read(
            {"id": "a", "response": "x"}, {"id": "a", "response": "y"}, {"id": "z", "response": "x"}, {"response": "x"},
            {"id": "b"}, {"id": "b", "response": "x", "tokens": -1}, {"id": "b", "response": "x", "hit_token_limit": 1}, "[]", "{",
        )  # fmt: skip

    told = caught.value.problems
    assert [number for number, _ in told] == [2, 3, 4, 5, 6, 7, 8, 9]
    for words, (_, problem) in zip(
        ["was answered before, on line 1", 'no held-out item has the id "z"', "missing `id` or `instruction`",
         "missing `response`; the line has `id`", "`tokens`", "`hit_token_limit`", "expected an object", "not JSON"],
        told, strict=True,
    ):  # fmt: skip
        assert words in problem


def test_an_empty_file_holds_no_answers():
    """It is refused rather than scored as nothing."""
    with pytest.raises(MalformedResponses, match="holds no answers"):
        _read("", "  ")


def test_many_mistakes_make_one_readable_line():
    """A wrong key on every line is told by the first lines and a count; the rest is there for whoever asks."""
    with pytest.raises(MalformedResponses) as caught:
        _read(*({"id": "a", "answer": "x"} for _ in range(40)))

    assert str(caught.value).startswith("r.jsonl:1: missing `response`; the line has `id`, `answer`; r.jsonl:2: ")
    assert str(caught.value).endswith("; and 35 more lines are wrong")
    assert len(caught.value.problems) == 40


def test_a_response_that_is_no_text_is_refused():
    """A number is not taken for its digits."""
    with pytest.raises(MalformedResponses, match="`response` must be a string"):
        _read({"id": "a", "response": 5})
