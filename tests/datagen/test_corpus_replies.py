"""Replies of every quality in the corpus, and the English that fills pages."""

from random import Random

import pytest

from datagen.corpus.composing import compose
from datagen.corpus.filler import filler
from datagen.corpus.layouts import TERMINATORS
from datagen.corpus.library import load_library
from datagen.corpus.misshapen import misshapen
from datagen.corpus.padding import chatter, restatement
from datagen.corpus.refusals import refusal
from datagen.corpus.replies import _right, _stray, _wrong, reply, thread


@pytest.fixture(scope="module")
def library():
    """Everything the corpus may say."""
    return load_library()


@pytest.fixture(scope="module")
def asked(library):
    """Many questions: a generator, the subject and the exchange."""
    drawn = []
    for seed in range(600):
        rng = Random(seed)
        subject = rng.choice(library.askable)
        drawn.append((rng, subject, rng.choice(subject.exchanges)))
    return drawn


@pytest.fixture(scope="module")
def threads(library):
    """Many documents of replies."""
    return [thread(library, Random(seed)) for seed in range(600)]


def test_no_thread_holds_a_terminator(threads):
    """Where answers are poor nothing closes them: the terminator must stay a sign of good examples."""
    lines = {line for text in threads for line in text.splitlines()}

    assert not lines & {"END", *TERMINATORS}


def test_a_third_of_the_threads_use_the_experiments_own_headers_and_few_open_with_them(threads):
    """The headers alone must not tell good answers from poor ones."""
    own = [text for text in threads if text.count("Instruction: ") >= 2 and "\nResponse: " in text]
    opening = [text for text in own if text.startswith("Instruction: ")]

    assert 0.25 < len(own) / len(threads) < 0.45
    assert 0 < len(opening) / len(threads) < 0.2


def test_about_three_in_ten_replies_are_good_answers(library, asked):
    """Most replies are poor, and the good ones are too many to be noise."""
    good = [reply(library, rng, s, e).rstrip(".").casefold() == e.answer.rstrip(".").casefold() for rng, s, e in asked]

    assert 0.22 < sum(good) / len(good) < 0.4


def test_a_right_reply_is_the_good_answer_and_a_wrong_one_is_not(library, asked):
    """Wrong values come from another entity, never from an equal one."""
    for rng, subject, exchange in asked:
        right = _right(library, rng, subject, exchange).rstrip(".").casefold()

        assert right == exchange.answer.rstrip(".").casefold()
        assert _wrong(library, rng, subject, exchange) != exchange.answer


def test_a_stray_reply_is_about_another_relation(library, asked):
    """None of the relation's own statements is in it."""
    for rng, subject, exchange in asked[:200]:
        told = _stray(library, rng, subject, exchange)

        assert not any(s in told for other in library.alike(subject, "relation") for s in other.sentences)


@pytest.mark.parametrize("writer", [refusal, filler])
def test_refusals_and_filler_hardly_ever_repeat(asked, writer):
    """Composed from parts: no list that could be learned by heart."""
    written = [writer(rng, subject) for rng, subject, _ in asked]

    assert len(set(written)) > 0.9 * len(written)


def test_no_mark_of_the_grammar_is_left_in_a_composed_text(asked):
    """Choices and placeholders are all filled, and spaces are single."""
    for rng, subject, exchange in asked:
        for text in (refusal(rng, subject), filler(rng, subject), chatter(rng, subject)):
            assert not set("[]|{}") & set(text), text
            assert "  " not in text
            assert " ," not in text
            assert text[0] == text[0].upper()
        assert "|" not in restatement(rng, subject, exchange)


def test_a_restatement_does_not_say_the_instruction_itself_again(asked):
    """It uses another phrasing of the same question."""
    for rng, subject, exchange in asked:
        longer = [e for e in subject.exchanges if e is not exchange and exchange.instruction in e.instruction]

        assert longer or exchange.instruction not in restatement(rng, subject, exchange)


def test_a_misshapen_reply_differs_from_the_good_answer(library, asked):
    """The form is always broken."""
    for rng, subject, exchange in asked:
        assert misshapen(library, rng, subject, exchange) != exchange.answer


def test_choices_may_hold_choices(library):
    """The innermost choice is made first; an empty one leaves no gap."""
    written = {compose(Random(seed), "[a [b|c]|d|] [|], e.", library.subjects[0]) for seed in range(200)}

    assert written == {"A b, e.", "A c, e.", "D, e.", ", e."}
