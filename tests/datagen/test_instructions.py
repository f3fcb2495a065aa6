"""Specification of reading instructions from JSON Lines."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compiler.records import Constraint, Item
from datagen.instructions import MalformedItems, read_items

GOOD = {"id": "a", "kind": "qa", "instruction": "Which way is up?"}


def lines(*rows: object) -> str:
    """The rows as JSON Lines; a string is taken as it stands."""
    return "\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows)


def problems(*rows: object) -> tuple[str, ...]:
    """What is found wrong with the rows."""
    with pytest.raises(MalformedItems) as caught:
        read_items(lines(*rows), "my.jsonl")
    return caught.value.problems


def test_reads_every_field():
    """All fields of an item can be given, and arrive as they are."""
    row = GOOD | {
        "answers": ["up", "skyward"], "constraint": {"type": "words_max", "n": 3}, "good_answer": "Up.",
        "family": "way/1", "entity": "up", "topic": "space",
    }  # fmt: skip

    (item,) = read_items(lines(row), "my.jsonl")

    assert item == Item(
        id="a", kind="qa", instruction="Which way is up?", answers=("up", "skyward"), constraint=Constraint(type="words_max", n=3),
        good_answer="Up.", family="way/1", entity="up", topic="space",
    )  # fmt: skip


def test_id_defaults_to_the_line_number():
    """Items without an id are named after their line, blank lines counted."""
    rows = ({"kind": "qa", "instruction": "One?"}, "", {"kind": "qa", "instruction": "Two?"})

    assert [item.id for item in read_items(lines(*rows), "my.jsonl")] == ["1", "3"]


def test_accepts_a_byte_order_mark_and_windows_line_ends():
    """Files written on other systems are read as they are."""
    text = "\ufeff" + json.dumps(GOOD) + "\r\n\r\n"

    assert len(read_items(text, "my.jsonl")) == 1


def test_reports_everything_at_once_in_line_order():
    """One exception names every malformed line, by path and line number."""
    found = problems(GOOD, "{", {"kind": "qa"}, {"kind": "qa", "instruction": "Which way is up?"}, "[]")

    assert [problem.split(": ")[0] for problem in found] == ["my.jsonl:2", "my.jsonl:3", "my.jsonl:4", "my.jsonl:5"]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("{not json", "my.jsonl:1: no JSON: Expecting property name enclosed in double quotes at column 2"),
        ("[1]", "my.jsonl:1: a JSON object is expected, not list"),
        ("[" * 100_000, "my.jsonl:1: no JSON that can be read: nested too deep, or a number too long"),
        ('{"n": ' + "1" * 5_000 + "}", "my.jsonl:1: no JSON that can be read: nested too deep, or a number too long"),
        ('{"kind": "qa", "kind": "qa"}', "my.jsonl:1: field 'kind' is given twice"),
        ('{"kind": "qa", "instruction": "\\ud800"}', "my.jsonl:1: half a surrogate pair, which is no text"),
        (GOOD | {"kind": "qaa"}, "my.jsonl:1: kind: 'qaa' is unknown; did you mean 'qa'?"),
        (GOOD | {"anwsers": ["x"]}, "my.jsonl:1: unknown field 'anwsers'; did you mean 'answers'?"),
        (GOOD | {"answers": "x"}, "my.jsonl:1: answers: Input should be a valid array"),
        (GOOD | {"instruction": 3}, "my.jsonl:1: instruction: Input should be a valid string"),
        (GOOD | {"instruction": " "}, "my.jsonl:1: instruction is blank"),
        (GOOD | {"constraint": {"type": "lists"}}, "my.jsonl:1: constraint.type: 'lists' is unknown; did you mean 'list'?"),
        (GOOD | {"constraint": {"type": "list", "count": 3}}, "my.jsonl:1: unknown field 'constraint.count'; known: type, n, text"),
        (GOOD | {"constraint": {"type": "list"}}, "my.jsonl:1: constraint: constraint list needs n, at least 1"),
        (GOOD | {"constraint": {"type": "list", "n": True}}, "my.jsonl:1: constraint.n: Input should be a valid integer"),
        (GOOD | {"constraint": {"type": "contains"}}, "my.jsonl:1: constraint: constraint contains needs a text"),
        (GOOD | {"good_answer": ""}, "my.jsonl:1: good_answer is blank"),
    ],
)  # fmt: skip
def test_says_what_is_wrong_and_what_was_meant(row, expected):
    """Each mistake is one plain line, with a suggestion where there is a near one."""
    assert problems(row) == (expected,)


@pytest.mark.parametrize("answers", [[], ["up", " "]])
def test_refuses_empty_answers(answers):
    """No reference answer is written as null, never as an empty list or a blank."""
    (problem,) = problems(GOOD | {"answers": answers})

    assert problem.startswith("my.jsonl:1: answers: give at least one")


def test_refuses_repeated_ids_and_instructions():
    """Two lines may share neither id nor instruction, however it is spaced."""
    found = problems(GOOD, GOOD | {"instruction": "Which  way is up? "}, GOOD | {"id": "b", "instruction": "Or down?"})

    assert found == (
        "my.jsonl:2: id 'a' occurs already in line 1",
        "my.jsonl:2: instruction 'Which way is up?' occurs already in line 1",
    )


@pytest.mark.parametrize("text", ["", "\n \n"])
def test_refuses_an_empty_source(text):
    """A source without items is an error that names it."""
    with pytest.raises(MalformedItems, match=r"^my\.jsonl: no instructions"):
        read_items(text, "my.jsonl")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*GOOD, "constraint", "answers", "n"]), inner),
    max_leaves=6,
)


@given(st.lists(json_values.map(json.dumps) | st.text(max_size=20), max_size=4).map("\n".join))
@settings(max_examples=150, deadline=None)
def test_never_fails_in_another_way(text):
    """Whatever the text, the answer is a tuple of items or the one exception, each of its problems in one line."""
    try:
        items, problems = read_items(text, "my.jsonl"), ()
    except MalformedItems as error:
        items, problems = (), error.problems

    assert bool(items) != bool(problems)
    assert all(isinstance(item, Item) for item in items)
    assert all(problem.startswith("my.jsonl") and "\n" not in problem for problem in problems)
