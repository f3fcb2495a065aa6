"""Refusals, deflections, filler, echo: whether anything is answered at all."""

import pytest

from evaluators.language.echo import is_echo
from evaluators.language.filler import is_filler
from evaluators.language.patterns import phrases
from evaluators.language.refusal import after_turn, asks_back, asks_to_clarify, declines_to_know, refuses, sends_elsewhere
from evaluators.language.request import read_request
from evaluators.language.stance import Asked, read_stance
from evaluators.language.stem import stem


@pytest.mark.parametrize(
    "sentence",
    [
        "I'm sorry, but I can't help with that.", "As an AI language model, I am unable to answer.", "I must respectfully decline.",
        "I'd rather not write about that topic.", "It would not be appropriate for me to write this.", "I won't be answering that.",
        "Unfortunately, I am not permitted to share that information.", "Sorry, that is beyond my capabilities.", "Unable to comply.",
        "This request cannot be fulfilled.", "That's not something I can help with.", "I do not have access to that information.",
        "That question is outside my area of expertise.", "Sorry, I can't.", "No comment.", "I refuse.", "My policy does not allow it.",
        "I'm not comfortable discussing this.", "We are unable to process your request.", "I cannot list fruits.", "Lo siento, no puedo.",
    ],
)  # fmt: skip
def test_a_refusal_speaks_of_the_answerer_and_the_request(sentence):
    """In many phrasings, with and without sorry."""
    assert refuses(sentence, frozenset({stem("fruits")}))


@pytest.mark.parametrize(
    "sentence",
    [
        "Penguins cannot fly.", "I'm sorry to hear that.", "I can't help but smile.", "I cannot open this door alone.", "We can't play outside.",
        "Unfortunately, I can't make it on Saturday.", "I'm not allowed to eat sugar.", "I don't have a dog.", "I can't tell you how happy I am.",
        "I will not go gentle into that night.", "I do not like green eggs.", "I can't believe it.", "You can't miss it.", "No.",
        "I must decline your invitation.", "Friends don't refuse to help.", "I cannot undo it.", "A circle has no corners.",
    ],
)  # fmt: skip
def test_sorry_cannot_and_no_alone_are_no_refusal(sentence):
    """What is said of others, of feelings and of one's own life."""
    assert not refuses(sentence)


@pytest.mark.parametrize(
    "sentence",
    [
        "I don't know.",
        "I have no idea.",
        "It's hard to say.",
        "I'm not sure.",
        "Beats me.",
        "Who knows?",
        "I can't remember.",
        "Not sure.",
    ],
)
def test_not_knowing_is_told(sentence):
    """The usual ways."""
    assert declines_to_know(sentence)


@pytest.mark.parametrize(
    "sentence",
    [
        "Look it up on Wikipedia.",
        "Please consult an atlas.",
        "Google it.",
        "You should ask your teacher.",
        "A travel agent would know.",
    ],
)
def test_sending_elsewhere_is_told(sentence):
    """To books, searches and people."""
    assert sends_elsewhere(sentence)


@pytest.mark.parametrize(
    "sentence",
    [
        "I am sure it is Paris.",
        "Look up at the stars.",
        "He could not find it.",
        "Ask your hotel for a map.",
        "You will find them in Australia.",
    ],
)
def test_neither_is_told_where_it_is_not(sentence):
    """Certainty, stars and good advice."""
    assert not declines_to_know(sentence)
    assert not sends_elsewhere(sentence)


def test_questions_back_and_clarifications():
    """Small talk asks back, but clarifies nothing."""
    assert asks_back("How are you?")
    assert not asks_to_clarify("How are you?")
    assert asks_to_clarify("Could you clarify what you mean?")
    assert not asks_back("I wonder.")
    assert after_turn("I am not sure, but I think it is Paris.") == "I think it is Paris."


@pytest.mark.parametrize(
    ("sentences", "gives_reference", "stance"),
    [
        (["I can't help with that."], False, "refuses"),
        (["I can't help with that.", "Please ask an expert."], False, "refuses"),
        (["I don't know."], False, "deflects"),
        (["I'm not sure, but I think it is Lyon."], False, "answers"),
        (["I can't be certain, but it is Paris."], True, "answers"),
        (["Why do you ask?"], False, "deflects"),
        (["I haven't got a clue."], False, "deflects"),
        (["What is the capital of France?"], False, "answers"),
        (["Paris."], True, "answers"),
        ([], False, "answers"),
    ],
)
def test_the_stance_weighs_what_stands_beside(sentences, gives_reference, stance):
    """A hedge with an answer answers; an echo is neither refusal nor deflection; silence declines nothing."""
    asked = Asked(read_request("What is the capital of France?"), "qa", gives_reference)

    assert read_stance(sentences, asked) == stance


def test_an_apology_that_was_asked_for_is_the_answer():
    """But a machine's refusal of the task stays one."""
    asked = Asked(read_request("Write an apology to a neighbour."), "generation", None)

    assert read_stance(["I am sorry, I cannot undo it.", "I can't help being loud."], asked) == "answers"
    assert read_stance(["As an AI, I cannot write an apology."], asked) == "refuses"


@pytest.mark.parametrize(
    "text",
    [
        "That is a great question. There are many aspects to consider, and people see it in different ways.", "It depends.", "Many things.",
        "France is a very interesting topic with many different aspects that are important in various ways.",
        "There are several ways to do that, and it really depends on various things.",
    ],
)  # fmt: skip
def test_filler_says_nothing_in_particular(text):
    """However often it names its subject."""
    assert is_filler(text, frozenset({stem("france")}))


@pytest.mark.parametrize("text", ["Paris.", "A true friend listens even when you say nothing.", "We can't play outside because of the rain.", "You're very welcome!",
                                  "A museum is a place where people look at old things."])  # fmt: skip
def test_plain_words_are_no_filler(text):
    """Simple sentences that say one thing."""
    assert not is_filler(text, frozenset())


@pytest.mark.parametrize(
    ("instruction", "text", "echo"),
    [
        ("What is the capital of France?", "What is the capital of France?", True),
        ("What is the capital of France?", "The capital of France is the capital of France.", True),
        ("What is the capital of France?", "The capital of France is Lyon.", False),
        ("Complete the sentence: The opposite of hot is", "The opposite of hot is", True),
        ("Is the Sun a star?", "The Sun is a star.", False),
        ("Which is larger, the Sun or the Moon?", "The Sun is larger.", False),
        ("Sort these words: pear, apple", "apple, pear", False),
        ("Write the word hello five times.", "hello hello hello hello hello", False),
        ('Translate "Good morning" into Spanish.', "Good morning", True),
    ],
)
def test_an_echo_gives_back_the_question_and_nothing_with_it(instruction, text, echo):
    """Answers made of the question's words by right are none."""
    assert is_echo(text, read_request(instruction)) is echo


@pytest.mark.parametrize("name", ["refusals", "filler", "requests", "limits", "replies"])
def test_every_phrase_file_compiles(name):
    """A misspelt macro or a broken pattern would otherwise show only when it is first needed."""
    sections = phrases(name)

    assert sections
    assert all(sections.values())
