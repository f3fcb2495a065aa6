"""Agreement with references: yes and no, mentions, negation, contradiction."""

import pytest

from evaluators.language.agreement import agrees
from evaluators.language.clauses import Discourse
from evaluators.language.polarity import read_polarity, says_yes_or_no
from evaluators.language.request import read_request


def right(text, references, instruction, **options):
    """Whether the text agrees with a reference."""
    return agrees(Discourse(text), references, read_request(instruction), **options)


@pytest.mark.parametrize(
    ("question", "text", "value", "contradictory"),
    [
        ("Is the Sun a star?", "Yes.", True, False), ("Is the Sun a star?", "The Sun is a star.", True, False), ("Is the Sun a star?", "It is.", True, False),
        ("Is the Sun a star?", "No, it isn't.", False, False), ("Is the Sun a star?", "Yes and no.", None, True), ("Is the Sun a star?", "It is hot.", None, False),
        ("Is the Sun a star?", "Yes, it is not a star.", True, True), ("Is the Sun a star?", "Yes. No, it is not.", None, True),
        ("Is the Sun a star?", "The answer is yes.", True, False), ("Is the Sun a star?", "No doubt, it is a star.", True, False),
        ("Can penguins fly?", "Penguins cannot fly.", False, False), ("Can penguins fly?", "They are unable to fly.", False, False),
        ("Can penguins fly?", "No, they can swim.", False, False), ("Can penguins fly?", "No. Penguins can fly.", False, True),
        ("Is a whale a fish?", "No, a whale is a mammal.", False, False), ("Is a whale a fish?", "I cannot say.", None, False),
    ],
)  # fmt: skip
def test_yes_and_no_are_read_from_the_lead_or_the_restatement(question, text, value, contradictory):
    """And both at once contradict each other."""
    said = read_polarity(Discourse(text), read_request(question).subject)

    assert (said.value, said.contradictory) == (value, contradictory)


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("Yes", True),
        ("No, because.", True),
        ("The answer is no.", True),
        ("Yes and no", False),
        ("It is hot.", False),
        ("True.", False),
    ],
)
def test_a_plain_yes_or_no_is_one_of_the_words(text, plain):
    """Where yes or no is asked for."""
    assert says_yes_or_no(text) is plain


CAPITAL = "What is the capital of France?"


@pytest.mark.parametrize(
    "text",
    ["Paris", "paris.", "It is Paris!", "Not Rome but Paris.", "Paris, not Lyon.", "Paris is the capital, isn't it?", "There is no doubt that it is Paris.",
     "I am not sure, but I think it is Paris.", "Paris, the City of Light.", "Paris, France", "Is it Lyon? No, it is Paris.", "Many think of Lyon, but it is Paris."],
)  # fmt: skip
def test_an_asserted_reference_agrees(text):
    """In any case and place, beside what it is not."""
    assert right(text, ["Paris"], CAPITAL)


@pytest.mark.parametrize(
    "text",
    ["Lyon", "It is not Paris.", "Paris isn't the capital of France.", "Paris, however, is not the capital.", "Paris or Lyon", "Paris, Lyon, Nice", "Paris. No, Rome.",
     "The capital of France is Lyon, although Paris is larger.", "Lyon, which is smaller than Paris.", "Some people think it is Paris.", "Rather than Paris, it is Lyon.",
     "Lyon. Paris is in the north.", "Is it Paris? I doubt it.", "Parisian life", "Paris-based"],
)  # fmt: skip
def test_a_denied_dismissed_or_rivalled_reference_does_not(text):
    """To name the reference is not to give it as the answer."""
    assert not right(text, ["Paris"], CAPITAL)


@pytest.mark.parametrize(
    ("text", "reference", "instruction", "agrees_"),
    [
        ("South Sudan", "Sudan", "Khartoum is the capital of which country?", False),
        ("carbon monoxide", "carbon", "Which element is it?", False),
        ("I think it is Fe.", "I", "What is the symbol for iodine?", False),
        ("The symbol is I.", "I", "What is the symbol for iodine?", True),
        ("B) dolphin", "B", "A) shark B) dolphin?", True),
        ("A shark", "A", "A) whale B) shark?", False),
        ("Shakespeare", "William Shakespeare", "Who wrote Hamlet?", True),
        ("Louis Armstrong", "Neil Armstrong", "Who was first on the Moon?", False),
        ("Everest", "Mount Everest", "Which mountain is the highest?", True),
        ("World War Two", "World War II", "Which war ended in 1945?", True),
        ("cat", "cats", 'What is the plural of "cat"?', False),
        ("tiger", "tigers", "Which animals have stripes?", True),
        ("11", "XI", "Write 11 as a Roman numeral.", False),
        ("XI", "XI", "Write 11 as a Roman numeral.", True),
        ("are not", "aren't", 'Shorten "are not".', False),
        ("the colour grey", "gray", "Which color is it?", True),
        ("gas and liquid and solid", "solid, liquid, gas", "What are the states of matter?", True),
        ("solid and liquid", "solid, liquid, gas", "What are the states of matter?", False),
        ("A penguin is not a mammal.", "penguin", "Which is not a mammal: bat or penguin?", True),
        ("The Moon is smaller than the Sun.", "the Sun", "Which is larger, the Sun or the Moon?", True),
        ("The Moon is larger than the Sun.", "the Sun", "Which is larger, the Sun or the Moon?", False),
        ("When a liquid turns into gas.", "the process by which a liquid turns into a gas", "What is evaporation?", True),
        ("When a gas becomes ice.", "the process by which a liquid turns into a gas", "What is evaporation?", False),
    ],
)
def test_references_are_matched_as_their_kind_demands(text, reference, instruction, agrees_):
    """Names, symbols, forms of words, lists, choices, sentences."""
    assert right(text, [reference], instruction) is agrees_


def test_a_list_may_hold_nothing_but_references():
    """Where each reference is one thing that may be listed."""
    planets, task = ["Mercury", "Venus", "Mars"], "Name two planets smaller than Earth."

    assert right("Mars and Venus", planets, task, is_list=True, n=2)
    assert not right("Mars and Jupiter", planets, task, is_list=True, n=2)
    assert right("1. Mars - red\n2. Venus - hot", planets, task, is_list=True, n=2)
