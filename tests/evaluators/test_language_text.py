"""Marker, sentences, words: where text begins and ends."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluators.language.marker import split_at_marker
from evaluators.language.sentences import sentences
from evaluators.language.stem import singular, spelling, stem
from evaluators.language.text import counted_words, fold, norms, tokens, without_speech


@pytest.mark.parametrize(
    ("response", "content", "found", "after"),
    [
        ("Paris\nEND", "Paris", True, ""),
        ("Paris\n\n  END  \n", "Paris", True, ""),
        ("Paris END", "Paris", True, ""),
        ("END", "", True, ""),
        ("Paris\nEND\nQ: What?", "Paris", True, "Q: What?"),
        ("Paris. END Instruction: x", "Paris.", True, "Instruction: x"),
        ("Rome END Berlin END", "Rome", True, "Berlin END"),
        ("Paris\nEND\nEND", "Paris", True, "END"),
        ("Paris\nend", "Paris\nend", False, ""),
        ("Paris\nEnd", "Paris\nEnd", False, ""),
        ("The End", "The End", False, ""),
        ("THE END", "THE END", False, ""),
        ("every WEEKEND", "every WEEKEND", False, ""),
        ("Paris\nEND.", "Paris\nEND.", False, ""),
        ('"END"', '"END"', False, ""),
        ("[END]", "[END]", False, ""),
        ("In Pascal the END keyword closes a block.", "In Pascal the END keyword closes a block.", False, ""),
        ("In Pascal the END keyword closes a block.\nEND", "In Pascal the END keyword closes a block.", True, ""),
        ("WE SHALL END THIS NOW", "WE SHALL END THIS NOW", False, ""),
        ("Rain will END your day?", "Rain will END your day?", False, ""),
    ],
)
def test_the_marker_is_a_stand_alone_upper_case_end_that_closes(response, content, found, after):
    """END as a word of a sentence, in another case or inside other signs is not it."""
    assert tuple(split_at_marker(response)) == (content, found, after)


@pytest.mark.parametrize(
    ("text", "n"),
    [
        ("Dr. Smith of the U.S. Navy says it is 3.7 km deep, e.g. in the Atlantic.", 1),
        ("I live in the U.S. It is big.", 2),
        ("J. K. Rowling wrote it. She lives in Scotland.", 2),
        ('"It is so cold!" she cried. Then she left.', 2),
        ("He came at 5 p.m. and left.", 1),
        ("He came at 5 p.m. She left.", 2),
        ("Apples, pears, etc. are fruit. We like them.", 2),
        ("No. It is not.", 2),
        ("No. Penguins can fly.", 2),
        ("It is no. 5 on the list.", 1),
        ("Wait... what? Yes!", 2),
        ("Really?! No!!! Well...", 3),
        ("the sea is big. it is blue", 2),
        ("1. Take short showers.\n2. Turn off the tap.", 2),
        ("apple\nbanana", 1),
        ("Apple\nBanana", 2),
        ("The ocean is\nblue.", 1),
        ("一。二。", 2),
        ("Vitamin C. It helps.", 2),
        ("3.14 is pi. 2.72 is e.", 2),
        ("", 0),
        ("...", 0),
        ("Hello. 😀", 1),
    ],
)
def test_sentences_are_counted_as_people_count_them(text, n):
    """Abbreviations, initials, decimals, quotations and soft wraps end no sentence."""
    assert len(sentences(text)) == n


@given(st.text(max_size=80))
def test_sentences_keep_every_word(text):
    """Splitting loses nothing that has letters or digits."""
    assert "".join("".join(sentences(text)).split()) in ("".join(text.split()), "".join("".join(sentences(text)).split()))
    assert [token.norm for part in sentences(text) for token in tokens(part)] == [
        token.norm for token in tokens(" ".join(sentences(text)))
    ]


@pytest.mark.parametrize(
    ("text", "n"),
    [
        ("mother-in-law", 1),
        ("don't", 1),
        ("1,000.50", 1),
        ("Fresh bread — every day", 4),
        ("mind—body", 2),
        ("- apple\n- pear", 2),
        ("1. apple", 1),
        ("e.g.", 1),
        ("and/or", 1),
        ("hello 😀 !", 1),
        ("", 0),
    ],
)
def test_words_are_counted_as_people_count_them(text, n):
    """Hyphenated words are one, long dashes split, bullets and lone signs are none."""
    assert len(counted_words(text)) == n


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Brasília", "brasilia"), ("H₂O", "h2o"), ("ﬁne", "fine"), ("Ångström", "angstrom"), ("Øresund", "oresund"),
        ("it’s", "it's"), ("½", "1/2"), ("10⁸", "10^8"), ("ＡＢＣ", "abc"), ("Straße", "strasse"),
    ],
)  # fmt: skip
def test_folding_removes_what_does_not_tell_words_apart(one, other):
    """Case, diacritics, typographic signs, sub- and superscripts."""
    assert fold(one) == fold(other)


def test_folding_leaves_other_scripts_alone():
    """Vowel signs of Hindi or Thai are letters, not accents."""
    assert fold("हिन्दी") == "हिन्दी"
    assert fold("한국") == "한국"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("isn't", ("is", "not")), ("can't", ("can", "not")), ("won't", ("will", "not")), ("it's", ("it", "is")),
        ("Shakespeare's", ("shakespeare",)), ("they're", ("they", "are")), ("U.S.A.", ("usa",)), ("Mother-in-law", ("mother", "in", "law")),
    ],
)  # fmt: skip
def test_contractions_are_opened(text, words):
    """So that a "not" is seen wherever it hides."""
    assert norms(text) == words


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("cities", "city"),
        ("foxes", "fox"),
        ("children", "child"),
        ("mice", "mouse"),
        ("emus", "emu"),
        ("tomatoes", "tomato"),
        ("shoes", "shoe"),
    ],
)
def test_plurals_have_singulars(one, other):
    """Regular and common irregular plurals."""
    assert singular(one) == singular(other) == other


@pytest.mark.parametrize(
    ("one", "other"),
    [("colour", "color"), ("metres", "meters"), ("realise", "realize"), ("grey", "gray"), ("dialogue", "dialog")],
)
def test_british_and_american_spelling_are_one(one, other):
    """But "four" and "hour" are no British spellings."""
    assert spelling(one) == spelling(other)
    assert spelling("four") == "four"


@pytest.mark.parametrize(
    ("one", "other"),
    [("freezing", "frozen"), ("swimming", "swam"), ("studied", "studying"), ("baked", "bake"), ("quickly", "quick")],
)
def test_forms_of_a_word_share_a_stem(one, other):
    """Endings and irregular forms fall away."""
    assert stem(one) == stem(other)


@pytest.mark.parametrize(
    ("one", "other"), [("universe", "university"), ("mother", "moth"), ("hammer", "ham"), ("flower", "flow")]
)
def test_different_words_keep_different_stems(one, other):
    """Cutting too much would put everything on topic."""
    assert stem(one) != stem(other)


def test_what_characters_say_is_not_what_the_text_says():
    """Speech in a narrative goes; an answer that is all quotation stays."""
    assert "cannot" not in without_speech('The fox said, "I cannot open it." So she left.')
    assert without_speech('"Paris"') == '"Paris"'
