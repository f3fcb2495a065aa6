"""Leaving the subject: at once, in a later sentence, never; doing a part of the task, a promise of it, or a talk about it."""

import pytest

from datagen.bank import load_bank
from evaluators.criteria import CRITERIA
from evaluators.criteria.turning import turns_at
from evaluators.language.nonsense import is_nonsense
from evaluators.view import AnswerView

JUDGES = {criterion.name: criterion.judge for criterion in CRITERIA}


def _view(kind, instruction, response, answers=None):
    return AnswerView(instruction, kind, response, False, answers)


@pytest.mark.parametrize(
    ("kind", "instruction", "answers", "response", "place"),
    [
        ("qa", "What is the largest ocean?", ("Pacific",), "The Pacific. It covers a third of the Earth.", None),
        ("qa", "What is the largest ocean?", ("Pacific",), "The Pacific. My sister plays the violin in an orchestra.", 1),
        ("qa", "What is the largest ocean?", ("Pacific",), "The Pacific, and my sister plays the violin in an orchestra.", 1),
        ("qa", "What is the largest ocean?", ("Pacific",), "The judge read the verdict.", 0),
        ("qa", "What is the largest ocean?", ("Pacific",), "The Atlantic.", None),
        ("qa", "What colour is a lemon?", ("yellow",), "Seventeen", 0),
        ("qa", "Why do cats purr?", None, "Cats purr when they are content. The minister signed the new budget.", 1),
        ("qa", "Why do cats purr?", None, "Often because the cat is content. It also helps bones to heal.", None),
        ("generation", "Write a sentence about dogs.", None, "The stock market fell sharply.", 0),
        ("generation", "Make up a riddle about a clock.", None, "I have hands but cannot clap. What am I?", None),
        ("response", "I lost my job yesterday.", None, "I am sorry to hear that. Do you want to talk about it?", None),
        ("response", "I lost my job yesterday.", None, "Octopuses have three hearts and eight arms.", 0),
        ("completion", "Complete the proverb: The early bird catches the", ("worm",), "bus", None),
    ],
)
def test_where_an_answer_turns_to_something_else(kind, instruction, answers, response, place):
    """The number of the first sentence that has no link to what was asked and said; 0: it never spoke of it."""
    assert turns_at(_view(kind, instruction, response, answers)) == place


def test_an_answer_that_drifts_has_answered():
    """It does the task (4), and spoils no rambling (3) and on topic (9)."""
    view = _view("qa", "What is the largest ocean?", "The Pacific. My sister plays the violin in an orchestra.", ("Pacific",))

    assert JUDGES["addresses_instruction"](view)
    assert not JUDGES["no_rambling"](view)
    assert not JUDGES["on_topic"](view)


@pytest.mark.parametrize(
    ("instruction", "response", "does"),
    [
        ("Write a haiku about snow.", "A haiku is a Japanese poem with three lines.", False),
        ("Write a poem about autumn.", "Sure, I will write a poem about autumn for you.", False),
        ("Name a fruit and a vegetable.", "Apple", False),
        ("Name a fruit and a vegetable.", "Apple and carrot", True),
        ("Name an animal that starts with the letter B.", "Dog", False),
        ("Name an animal that starts with the letter B.", "A bear", True),
        ("Suggest a name for a small bakery.", "The answer is: {name}", False),
        ("Ask a shop whether it is open on Sunday.", "Could you tell me which shop you mean?", False),
        ("Ask a shop whether it is open on Sunday.", "Hello, are you open on Sunday?", True),
    ],
)
def test_the_whole_task_is_done(instruction, response, does):
    """A part, a promise, a definition of the form or an unfilled gap does not do it."""
    assert JUDGES["addresses_instruction"](_view("generation", instruction, response)) is does


@pytest.mark.parametrize(
    ("question", "answer", "does"),
    [
        ("What are the capitals of France and Spain?", "Paris", False),
        ("What are the capitals of France and Spain?", "Paris and Madrid", True),
        ("Which season is the coldest and why?", "Winter.", False),
        ("Which season is the coldest and why?", "Winter, because the sun is low.", True),
        ("How do I remove a coffee stain?", "Coffee comes from Brazil.", False),
        ("How do I remove a coffee stain?", "Rinse it with cold water and soap.", True),
    ],
)
def test_a_question_is_answered_as_it_was_put(question, answer, does):
    """Both of two things, the reason too, a way where a way was asked for."""
    assert JUDGES["addresses_instruction"](_view("qa", question, answer)) is does


@pytest.mark.parametrize(
    ("sentence", "nonsense"),
    [
        ("The spoon divorces its uncle.", True),
        ("My bicycle votes for yellow thunder whenever the piano is pregnant.", True),
        ("The kettle boils on the stove.", False),
        ("Farmers plant wheat in spring and harvest it in summer.", False),
    ],
)
def test_nonsense_is_made_of_words_from_all_over_or_of_living_things(sentence, nonsense):
    """Well-formed, and about nothing."""
    assert is_nonsense(sentence) is nonsense


def test_the_good_answers_of_the_bank_are_on_topic_coherent_and_do_the_task():
    """Of some 2,700 answers that nobody wrote with the scorer in view, it fails less than 1 in 400: odd ones must not cost good ones."""
    judged = ("addresses_instruction", "on_topic", "coherent", "no_rambling", "no_unwarranted_refusal")
    good = [(item, answer) for item in load_bank() if (answer := item.good_answer or (item.answers or ("",))[0])]
    failed = [
        (item.instruction, answer)
        for item, answer in good
        if not all(
            JUDGES[name](AnswerView(item.instruction, item.kind, f"{answer}\nEND", False, item.answers, item.constraint))
            for name in judged
        )
    ]

    assert len(failed) * 400 < len(good), failed
