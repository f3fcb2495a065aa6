"""The contract for scoring answers made elsewhere: one JSON object a line in, one out."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluators.answers_file import MalformedAnswers, read_answers, score_lines
from evaluators.scoring import ALL

ROW = {
    "id": "q1",
    "kind": "qa",
    "instruction": "What is the capital of France?",
    "answers": ["Paris"],
    "constraint": {"type": "one_word", "n": None, "text": None},
    "response": "Paris\nEND",
    "hit_token_limit": False,
}


def line(**changes):
    """A good line with these keys changed; `...` leaves a key out."""
    return json.dumps({key: value for key, value in (ROW | changes).items() if value is not ...})


def problems(*lines):
    """The messages that these lines are refused with."""
    with pytest.raises(MalformedAnswers) as raised:
        read_answers(lines, "in.jsonl")
    return list(raised.value.problems)


def test_a_line_in_gives_a_line_out():
    """The judgement of every criterion, by id, in the order of the contract."""
    answers, warnings = read_answers([line()], "in.jsonl")

    [written] = map(json.loads, score_lines(answers))
    assert written == {"id": "q1", "criteria": dict.fromkeys(ALL, True)}
    assert warnings == []


def test_order_and_ids_are_kept():
    """Ids may be strings or whole numbers and come back as they were."""
    answers, _ = read_answers([line(id="b"), line(id=7), line(id="ü\ud800")], "in.jsonl")

    assert [json.loads(text)["id"] for text in score_lines(answers)] == ["b", 7, "ü\ud800"]
    assert all(text.isascii() for text in score_lines(answers))


def test_layout_of_the_file_does_not_matter():
    """A byte order mark, carriage returns and blank lines are no lines of their own, and count for line numbers."""
    answers, _ = read_answers(["\ufeff" + line() + "\r\n", "\r\n", "   ", line(id="q2")], "in.jsonl")

    assert [answer.id for answer in answers] == ["q1", "q2"]
    assert problems("\ufeff", line(), "{") == [
        "in.jsonl:3: not JSON: Expecting property name enclosed in double quotes (column 2)"
    ]


@pytest.mark.parametrize(
    ("key", "value"), [("answers", None), ("answers", ...), ("answers", []), ("constraint", None), ("constraint", ...)]
)
def test_answers_and_constraint_may_be_null_or_left_out(key, value):
    """Without references, factual correctness is null; an empty list gives none either."""
    answers, warnings = read_answers([line(**{key: value})], "in.jsonl")

    [written] = map(json.loads, score_lines(answers))
    assert (written["criteria"]["factually_correct"] is None) == (key == "answers")
    assert warnings == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"id": ...}, "missing `id`"),
        ({"response": ..., "hit_token_limit": ...}, "missing `response`, `hit_token_limit`"),
        ({"id": True}, "`id` must be a string or a whole number, not true or false"),
        ({"id": None}, "`id` must be a string or a whole number, not null"),
        ({"kind": "question"}, '`kind` must be one of completion, qa, generation, response, not "question"'),
        ({"kind": ["qa"]}, '`kind` must be one of completion, qa, generation, response, not ["qa"]'),
        ({"instruction": ""}, "`instruction` must not be empty"),
        ({"instruction": 3}, "`instruction` must be a string, not a number"),
        ({"response": None}, "`response` must be a string, not null"),
        ({"hit_token_limit": 0}, "`hit_token_limit` must be true or false, not a number"),
        ({"hit_token_limit": "false"}, "`hit_token_limit` must be true or false, not a string"),
        ({"answers": "Paris"}, "`answers` must be null or a list of strings"),
        ({"answers": ["Paris", 3]}, "`answers` must be null or a list of strings"),
        ({"constraint": "one_word"}, "`constraint` must be null or an object with a `type`"),
        ({"constraint": {"n": 3}}, "`constraint` must be null or an object with a `type`"),
        ({"constraint": {"type": "list", "n": "3"}}, "`constraint.n` must be null or a whole number of at least 1"),
        ({"constraint": {"type": "list", "n": 0}}, "`constraint.n` must be null or a whole number of at least 1"),
        ({"constraint": {"type": "list", "n": 2.5}}, "`constraint.n` must be null or a whole number of at least 1"),
        ({"constraint": {"type": "list", "n": True}}, "`constraint.n` must be null or a whole number of at least 1"),
        ({"constraint": {"type": "list", "n": float("inf")}}, "`constraint.n` must be null or a whole number of at least 1"),
        ({"constraint": {"type": "contains", "text": 3}}, "`constraint.text` must be null or a string, not a number"),
    ],
)
def test_a_malformed_line_is_an_error_that_names_it(changes, message):
    """What is missing or mistyped, with file and line."""
    assert problems(line(), line(**changes)) == [f"in.jsonl:2: {message}"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[1]", "expected an object, got a list"),
        ("null", "expected an object, got null"),
        ("{'id': 1}", "not JSON: "),
        ("[" * 100_000, "not JSON that can be read"),
        ("1" * 5000, "not JSON that can be read"),
    ],
)
def test_what_is_no_object_is_an_error(text, message):
    """Broken JSON, deep nesting and endless numbers get a message, not a traceback."""
    [problem] = problems(text)

    assert problem.startswith(f"in.jsonl:1: {message}")


def test_all_malformed_lines_are_named_at_once():
    """Nobody should have to find them one by one."""
    assert [problem.split(": ")[0] for problem in problems("{", line(), line(id=...), "[]")] == [
        "in.jsonl:1",
        "in.jsonl:3",
        "in.jsonl:4",
    ]


@pytest.mark.parametrize("lines", [[], [""], ["\ufeff"]])
def test_a_file_without_answers_is_an_error(lines):
    """An empty result would look like success."""
    assert problems(*lines) == ["in.jsonl:1: the file holds no answers; one JSON object a line is expected"]


@pytest.mark.parametrize(
    ("changes", "warning"),
    [
        ({"constraint": {"type": "rhymes", "n": 2}}, 'unknown constraint type "rhymes" is ignored'),
        ({"model": "x"}, "unknown key `model` is ignored"),
        ({"constraint": {"type": "list", "n": 1, "max": 3}}, "unknown key `max` of a constraint is ignored"),
        ({"constraint": {"type": "words_max"}}, 'a constraint of type "words_max" without its `n` is ignored'),
        ({"constraint": {"type": "contains", "text": " "}}, 'a constraint of type "contains" without its `text` is ignored'),
    ],
)
def test_what_is_ignored_is_warned_about_once(changes, warning):
    """The first line is named, the same thing on later lines is not repeated."""
    answers, warnings = read_answers([line(id="a"), line(id="b", **changes), line(id="c", **changes)], "in.jsonl")

    assert warnings == [f"in.jsonl:2: {warning}"]
    assert len(answers) == 3


def test_an_ignored_constraint_is_as_none():
    """It must not be held against the answer."""
    answers, _ = read_answers([line(constraint={"type": "rhymes"}), line(id="q2", constraint=None)], "in.jsonl")

    first, second = (json.loads(text)["criteria"] for text in score_lines(answers))
    assert first == second


def test_whole_numbers_may_be_written_as_floats():
    """Other languages write 3 as 3.0."""
    answers, _ = read_answers([line(constraint={"type": "list", "n": 3.0})], "in.jsonl")

    assert answers[0].view.constraint.n == 3


def test_an_id_that_comes_twice_is_warned_about():
    """Both are judged; the reader of the output is told that ids are not unique."""
    answers, warnings = read_answers([line(), line()], "in.jsonl")

    assert len(answers) == 2
    assert warnings == ['in.jsonl:2: the id "q1" was given before, on line 1']


@given(st.lists(st.one_of(st.text(max_size=30), st.recursive(st.none() | st.booleans() | st.floats() | st.text(max_size=5),
       lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(sorted(ROW)), inner, max_size=7)).map(json.dumps)),
       max_size=3))  # fmt: skip
@settings(max_examples=100, deadline=None)
def test_anything_is_read_or_refused(lines):
    """Untrusted lines never end in another error."""
    try:
        answers, _ = read_answers(lines, "in.jsonl")
    except MalformedAnswers:
        return
    assert len(list(score_lines(answers))) == len(answers)
