"""The criteria as a set: their names, what they say of themselves, and what holds of every answer."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compiler.records import Constraint
from evaluators.criteria import CRITERIA
from evaluators.scoring import score_answer
from evaluators.view import AnswerView

INSTRUCTIONS = (
    "What is the capital of France?",
    "How many days are there in a week? Answer with a number only.",
    "List three fruits.",
    "Write two sentences about winter.",
    "Complete the sentence: The sun rises in the",
    "Is the Sun a star? Answer yes or no.",
    "Which is larger, the Sun or the Moon?",
    "I have a headache. What can I do?",
)
CONSTRAINTS = st.one_of(
    st.none(),
    st.builds(Constraint, type=st.sampled_from(("one_word", "yes_no", "number"))),
    st.builds(Constraint, type=st.sampled_from(("list", "sentences", "words_max")), n=st.one_of(st.none(), st.integers(1, 9))),
    st.builds(Constraint, type=st.sampled_from(("contains", "starts_with")), text=st.one_of(st.none(), st.text(max_size=8))),
)
PIECES = st.sampled_from(
    (
        "Paris",
        "not",
        "or",
        "7",
        "-",
        "1.",
        "\n",
        "END",
        "\nEND",
        ".",
        ", ",
        " and ",
        "I can't",
        "because",
        "?",
        "[x",
        "**",
        "```",
        "é",
        "½",
        "is",
    )
)
RESPONSES = st.one_of(
    st.text(max_size=60), st.lists(PIECES, max_size=12).map(" ".join), st.lists(PIECES, max_size=12).map("".join)
)
VIEWS = st.builds(
    AnswerView,
    instruction=st.one_of(st.sampled_from(INSTRUCTIONS), st.text(min_size=1, max_size=40)),
    kind=st.sampled_from(("completion", "qa", "generation", "response")),
    response=RESPONSES,
    hit_token_limit=st.booleans(),
    answers=st.one_of(st.none(), st.lists(st.one_of(st.text(max_size=10), PIECES), min_size=1, max_size=3).map(tuple)),
    constraint=CONSTRAINTS,
)


def view(response, instruction=INSTRUCTIONS[0], kind="qa", answers=("Paris",), constraint=None, hit=False):
    """An answer to the question for the capital of France, or to another instruction."""
    return AnswerView(instruction, kind, response, hit, answers, constraint)


def test_there_are_nine_in_the_order_of_the_contract():
    """Names and order are a contract that specs, files and reports rely on."""
    assert [criterion.name for criterion in CRITERIA] == [
        "ends_with_end", "proper_structure", "no_rambling", "addresses_instruction", "appropriate_length",
        "no_unwarranted_refusal", "factually_correct", "coherent", "on_topic",
    ]  # fmt: skip


@pytest.mark.parametrize("criterion", CRITERIA, ids=lambda criterion: criterion.name)
def test_a_criterion_says_what_it_sees_and_what_it_cannot(criterion):
    """Each has a one-sentence definition, what it looks at and what it is blind to."""
    assert criterion.definition.endswith(".")
    assert criterion.sees
    assert criterion.blind_to


@given(VIEWS)
@settings(max_examples=150, deadline=None)
def test_any_answer_gets_a_judgement(answer):
    """Whatever the text, every criterion judges, and only factual correctness without references is null."""
    judged = score_answer(answer)

    assert all(isinstance(value, bool) for name, value in judged.items() if name != "factually_correct")
    assert (judged["factually_correct"] is None) == (not answer.answers)


@given(VIEWS)
@settings(max_examples=100, deadline=None)
def test_blanks_around_a_response_change_nothing(answer):
    """A decoder may keep or drop the blank after `Response:` and the line break after the marker."""
    padded = AnswerView(
        answer.instruction, answer.kind, f" {answer.response}\n", answer.hit_token_limit, answer.answers, answer.constraint
    )

    assert score_answer(padded) == score_answer(answer)


@given(VIEWS)
@settings(max_examples=100, deadline=None)
def test_a_marker_added_to_what_ended_by_itself_changes_only_its_own_criterion(answer):
    """Ending by end-of-sequence without the marker fails criterion 1 and no other."""
    if answer.marked.found:
        return
    bare = AnswerView(answer.instruction, answer.kind, answer.response, False, answer.answers, answer.constraint)
    closed = AnswerView(answer.instruction, answer.kind, answer.response + "\nEND", False, answer.answers, answer.constraint)

    assert score_answer(bare) | {"ends_with_end": True} == score_answer(closed)


@given(st.text(alphabet=st.characters(blacklist_categories=("Cs",)), min_size=1, max_size=40).filter(str.strip))
@settings(max_examples=60, deadline=None)
def test_what_follows_the_marker_spoils_the_first_three_and_nothing_else(tail):
    """Content criteria look at the text before the first marker line."""
    clean, followed = score_answer(view("Paris.\nEND")), score_answer(view(f"Paris.\nEND\n{tail}"))

    spoilt = dict.fromkeys(("ends_with_end", "proper_structure", "no_rambling"), False)
    assert followed == clean | spoilt


@given(
    st.sampled_from(
        ("Paris", "the Nile", "Mount Everest", "carbon dioxide", "42", "1,000", "Au", "São Paulo", "half", "100 °C")
    )
)
@settings(max_examples=20, deadline=None)
def test_a_reference_answers_itself_in_any_case_and_dress(reference):
    """Case, a full stop, quotation marks and bold type do not make a right answer wrong."""
    for dressed in (reference, reference.lower(), f"{reference}.", f'"{reference}"', f"**{reference}**", f"It is {reference}."):
        judged = score_answer(view(f"{dressed}\nEND", instruction="Which one is it?", answers=(reference,)))
        assert judged["factually_correct"], dressed


@pytest.mark.parametrize("response", ["", "  \n", "END", "\nEND\n"])
def test_nothing_said_has_no_artefacts_and_refuses_nothing(response):
    """An empty response passes 2, 3 and 6; it does no task, has no length, no fact, no language and no subject."""
    judged = score_answer(view(response))

    passed = {name for name, value in judged.items() if value}
    assert passed - {"ends_with_end"} == {"proper_structure", "no_rambling", "no_unwarranted_refusal"}


def test_no_length_in_characters_is_held_against_an_answer():
    """A story that was asked for may be as long as it likes: there is no character cap."""
    lines = [
        f"On day {day} the dog followed another road and met a {animal}."
        for day, animal in enumerate(("cat", "fox", "hen", "owl") * 20)
    ]
    story = view(" ".join(lines) + "\nEND", instruction="Write a story about a lost dog.", kind="generation", answers=None)

    assert len(story.response) > 4000
    assert score_answer(story)["appropriate_length"]


@pytest.mark.parametrize(
    "unit",
    ["a", " ", "(", "[x", "\n", "END\n", "x END ", '"', ",", "1", "1 ", "one ", "a and ", "the of ", "i can not ", "sorry, but i ", "a-", "a'",
     "- ", "1. ", "<a ", "**", "```", "Q: ", "{a} ", ". ", "not ", "million ", "巴黎", "😀", "\x00", "e\u0301", "Is it? ", ":) "],
)  # fmt: skip
def test_ten_thousand_characters_of_anything_are_judged_in_bounded_time(unit):
    """No pattern may blow up on hostile text: two seconds of processor time is a hundred times what it takes."""
    text = (unit * 10_000)[:10_000]
    started = time.process_time()
    for instruction in (INSTRUCTIONS[1], INSTRUCTIONS[2], INSTRUCTIONS[5]):
        score_answer(view(text, instruction=instruction, answers=("7", "Paris"), hit=True))

    assert time.process_time() - started < 6


def test_judgements_do_not_depend_on_the_process():
    """Python hashes strings anew in every process; the judgements of the labelled set must not notice."""
    script = (
        "import pathlib;from evaluators.criteria.agreement import read_labelled;from evaluators.scoring import score_answer;"
        "path = pathlib.Path('evaluators/labelled/round_3.jsonl');"
        "print([score_answer(each.view) for each in read_labelled(path.read_text().splitlines())])"
    )
    root = Path(__file__).parents[2]
    runs = {
        subprocess.run(
            [sys.executable, "-c", script],
            cwd=root,
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }

    assert len(runs) == 1
