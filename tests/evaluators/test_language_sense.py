"""Gibberish, word salad, endings, topics: whether words make sense, and about what."""

import pytest

from evaluators.language.continuation import asks_anew, goes_on_to_others
from evaluators.language.gibberish import is_gibberish
from evaluators.language.grammar import breaks_off, is_salad, scripts
from evaluators.language.request import read_request
from evaluators.language.topics import lexicon


@pytest.mark.parametrize("text", ["asdkjh qwoeiru zxmcnv lkjhsdf", "xqzt vbrrk plmnt qqwrt", "asdfgh", "a" * 60])
def test_keyboard_noise_is_gibberish(text):
    """Letters that make no words."""
    assert is_gibberish(text)


@pytest.mark.parametrize(
    "text",
    ["Tbilisi", "Louis Armstrong", "rhythm", "Go straight ahead and turn left at the church.", "It isn't the yen but the yuan.", "Ouagadougou and Ljubljana",
     "pneumonoultramicroscopicsilicovolcanoconiosis", "42", "H2O", "巴黎", "Привет", ""],
)  # fmt: skip
def test_names_rare_words_and_other_scripts_are_not(text):
    """A scorer must not punish what it has not seen."""
    assert not is_gibberish(text)


@pytest.mark.parametrize(
    "text",
    [
        "light the of plants and is to sugar a the into",
        "France the is Paris of capital",
        "One of the is",
        "lantern under of the of walk is",
    ],
)
def test_impossible_orders_are_salad(text):
    """Function words in orders that no sentence has."""
    assert is_salad(text)


@pytest.mark.parametrize(
    "text",
    ["It is what it is.", "What she ate was in the fridge.", "That is the man I spoke of and he is tall.", "Silent snow covers sleeping mountains.",
     "The will of the people", "a can of beans", "Vitamin A is good.", "the US is big", "apple, banana, cherry", "The opposite of off is on."],
)  # fmt: skip
def test_odd_but_well_formed_sentences_are_not(text):
    """Stranded prepositions, nouns that look like verbs, lists."""
    assert not is_salad(text)


@pytest.mark.parametrize(
    ("text", "limit", "cut"),
    [
        ("The sky is blue because the", False, True), ("Here are three fruits:", False, True), ("apples, pears,", False, True), ("x = ", False, True),
        ("He ran to", False, True), ("Paris", True, False), ("The capital of France is Paris", True, True), ("The capital of France is Paris", False, False),
        ("It is on", False, False), ("I know what it is", False, False), ("He said (hi)", True, False), ("Hello :)", False, False), ("Done.", True, False), ("", False, False),
    ],
)  # fmt: skip
def test_an_ending_in_mid_sentence_is_seen(text, limit, cut):
    """By its last sign or word; at the token limit also by a missing full stop."""
    assert breaks_off(text, limit) is cut


def test_scripts_are_told_apart():
    """Latin, Cyrillic, Chinese; digits and signs belong to none."""
    assert scripts("abc 123 !") == {"LATIN"}
    assert scripts("aбв巴") == {"LATIN", "CYRILLIC", "CJK"}


def test_the_topic_lexicon_knows_only_its_own_neighbours():
    """A misspelt neighbour would be a topic without words."""
    book = lexicon()
    with_words = {topic for topics in book.topics_of.values() for topic in topics}

    assert set(book.near) == with_words


def test_going_on_to_others_is_a_continuation():
    """The same statement about the next thing, or the same question without a label."""
    request = read_request("What is the capital of France?")

    assert goes_on_to_others(("Paris.", "The capital of Spain is Madrid."), request, ["Paris"])
    assert not goes_on_to_others(("Paris.", "It has been the capital of France since 987."), request, ["Paris"])
    assert not goes_on_to_others(("Canberra, not Sydney.", "Sydney is not the capital of Australia."), request, ["Canberra"])
    assert asks_anew(("Paris.", "What is the capital of Spain?"), "What is the capital of France?")
    assert not asks_anew(("I am fine.", "How are you?"), "What is the capital of France?")
