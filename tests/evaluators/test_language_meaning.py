"""Word vectors, and what is learned on top of them: being about something, declining."""

import subprocess
import sys

import numpy as np
import pytest

from evaluators.language.declining import declining
from evaluators.language.meaning import gist, likeness, nearness, telling_words
from evaluators.language.relatedness import Context, Expected, relatedness
from evaluators.language.request import read_request

ANYTHING = Expected(
    factual=False, generation=False, response=False, personal=False, completion=False, invents=False, items=False, ideas=False
)


def test_words_of_one_field_are_near():
    """And those of two are not, whatever lexicon holds them."""
    assert nearness("textbook", ("book", "river")) > 0.4
    assert nearness("spoon", ("divorce", "parliament")) < 0.2


def test_a_text_is_nearest_to_itself():
    """A shared word is as near as can be; the whole points the same way."""
    words = telling_words("penguins swim in cold water")

    assert likeness(words, words) == pytest.approx((1, 1))
    assert likeness(words, telling_words("invoices are due")).nearest < 0.3


def test_every_text_has_a_gist():
    """A unit vector; without words it is zero."""
    assert np.linalg.norm(gist("I cannot say.")) == pytest.approx(1, abs=1e-5)
    assert not gist("... 。").any()


@pytest.mark.parametrize(
    ("instruction", "about", "elsewhere"),
    [
        ("What causes the tides?", "The pull of the moon on the sea.", "The goalkeeper saved a penalty."),
        ("How do I clean a window?", "Wipe the glass with vinegar and newspaper.", "The emperor signed the treaty."),
        ("Write a poem about autumn.", "Leaves fall red and gold.", "The server returned an error."),
    ],
)
def test_what_is_about_the_question_is_likelier(instruction, about, elsewhere):
    """More likely than not where it is, less where it is not."""
    context = Context.of(instruction)

    assert relatedness(about, context, ANYTHING, "opening") > 0.5 > relatedness(elsewhere, context, ANYTHING, "opening")


def test_without_words_nothing_can_be_told():
    """Neither of a text that says nothing, nor against a task that names no subject, nor by the words it must use."""
    assert relatedness("It is.", Context.of("What causes the tides?"), ANYTHING, "opening") is None
    assert relatedness("Waves crash.", Context.of("Write a sentence."), ANYTHING, "opening") is None
    assert relatedness("silver", Context.of("the moon", frozenset({"silver"})), ANYTHING, "opening") is None


@pytest.mark.parametrize(
    ("answer", "declines"),
    [
        ("I'd rather leave that to somebody who knows.", True),
        ("I couldn't even begin to answer this.", True),
        ("The moon pulls the water towards itself.", False),
        ("Because of gravity.", False),
    ],
)
def test_declining_is_told_by_what_the_words_mean(answer, declines):
    """In words that no phrase holds."""
    assert (declining(answer, read_request("What causes the tides?")) > 0.5) is declines


def test_the_vectors_leave_logging_alone():
    """Their package sets up logging when it is imported, and so it is not."""
    code = (
        "import logging, sys; from evaluators.language.meaning import gist; gist('moon');"
        "print(logging.getLogger().handlers, 'wordllama' in sys.modules, 'torch' in sys.modules)"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert told.stdout.strip() == "[] False False"
