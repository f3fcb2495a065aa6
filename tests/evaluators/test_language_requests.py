"""What instructions ask for, and how long they want it."""

import pytest

from evaluators.language.limits import Range, read_limits
from evaluators.language.request import read_request


@pytest.mark.parametrize(
    ("instruction", "kind"),
    [
        ("How many days are in a week?", "number"), ("In what year did it end?", "number"), ("What is 3 minus 8?", "number"),
        ("Who wrote Hamlet?", "person"), ("By whom was it painted?", "person"), ("Respond to a friend who failed.", "open"),
        ("Where is Oslo?", "place"), ("When was he born?", "time"), ("Is a bat a bird?", "yes_no"), ("True or false: bats fly.", "yes_no"),
        ("Why is the sky blue?", "reason"), ("How do I boil an egg?", "reason"), ("Hello, how are you?", "open"), ("Name a fruit.", "open"),
    ],
)  # fmt: skip
def test_the_kind_of_answer_is_read_from_the_question(instruction, kind):
    """A question word counts where it asks, not where it joins clauses."""
    assert read_request(instruction).answer_type == kind


@pytest.mark.parametrize(
    ("instruction", "stem"),
    [
        ("Complete the sentence: The sun rises in the", "The sun rises in the"),
        ("Finish the proverb: A stitch in time saves ...", "A stitch in time saves"),
        ("Please complete: Water is made of", "Water is made of"),
        ("The capital of Italy is", "The capital of Italy is"),
    ],
)
def test_a_completion_has_a_stem(instruction, stem):
    """What a completion goes on from, without the request around it."""
    assert read_request(instruction).stem == stem


@pytest.mark.parametrize(
    ("instruction", "allowed"),
    [
        ("Write a dialogue between two cats.", "dialogue"), ("Write an apology to a friend.", "apology"), ("Decline the invitation.", "apology"),
        ("Write a riddle about rain.", "question"), ("Write a template for a card.", "template"), ("Say hello five times.", "repetition"),
        ("Write an HTML list.", "markup"), ("Sort these words: b, a", "transform"), ("Translate it into French.", "foreign"),
    ],
)  # fmt: skip
def test_what_is_asked_for_is_no_fault(instruction, allowed):
    """Labels in a dialogue, sorry in an apology, slots in a template."""
    assert allowed in read_request(instruction).allows
    assert not read_request("What is the capital of France?").allows


def test_the_subject_is_what_remains_of_an_instruction():
    """Task words and function words say nothing about it."""
    assert read_request("Write two short sentences about winter, please.").subject == read_request("winter").subject
    assert read_request("Which has more caffeine, coffee or tea?").choice == ("coffee", "tea")


@pytest.mark.parametrize(
    ("instruction", "field", "bounds"),
    [
        ("Write one sentence about the ocean.", "sentences", Range(1, 1)),
        ("Summarize it in 2-3 sentences.", "sentences", Range(2, 3)),
        ("Write at least two sentences.", "sentences", Range(2, None)),
        ("In no more than 20 words, explain gravity.", "words", Range(None, 20)),
        ("Explain in fewer than ten words why ice floats.", "words", Range(None, 9)),
        ("Describe the sea in three words.", "words", Range(3, 3)),
        ("Answer in one word.", "words", Range(1, 1)),
        ("Use between 10 and 15 words.", "words", Range(10, 15)),
        ("Write a 50-word story.", "words", Range(35, 66)),
        ("Write a four-line poem.", "lines", Range(4, 4)),
        ("List three fruits.", "items", Range(3, 3)),
        ("Give me 5 synonyms for happy.", "items", Range(5, 5)),
        ("Give three words that rhyme with cat.", "items", Range(3, 3)),
        ("What are the 3 states of matter?", "items", Range(3, 3)),
        ("Give 10 minus 6 as one number.", "items", None),
        ("What poem has fourteen lines?", "lines", None),
        ("Say which 38 is, in one word.", "items", None),
        ('Translate "three short sentences" into French.', "sentences", None),
        ("What is the capital of France?", "words", None),
    ],
)
def test_lengths_are_read_from_the_wording(instruction, field, bounds):
    """Bounds, ranges, approximate and compound counts; only where a length is asked for."""
    assert getattr(read_limits(instruction), field) == bounds


@pytest.mark.parametrize(
    ("instruction", "form"),
    [("Write a haiku about autumn.", "haiku"), ("Tell a short joke.", "joke"), ("Suggest a title for a book.", "title"), ("Write a thank-you note.", "note"),
     ("Tell me what a poem is.", None), ("A learner does not know the word sonnet. Say what kind of thing it is.", None)],
)  # fmt: skip
def test_a_form_is_implied_where_it_is_to_be_written(instruction, form):
    """To ask about poems is not to ask for one."""
    assert read_limits(instruction).implied == form
