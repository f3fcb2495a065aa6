"""Word order: sentences fit, heaps of their words do not."""

import random

import pytest

from evaluators.language.word_classes import word_classes
from evaluators.language.word_order import is_disordered, order_fit, orders

SENTENCES = [
    "The carpenter measured the plank twice before he cut it.",
    "Although the bus was late, nobody in the queue complained.",
    "Add a spoon of vinegar to the water and stir it slowly.",
    "Her brother has never liked the taste of olives.",
    "Coral reefs grow in warm, shallow parts of the ocean.",
    "I would love to see the mountains again next summer.",
    "Don't forget to lock the gate when you leave.",
    "A bridge carries the road over the railway and into the town.",
]


@pytest.mark.parametrize("sentence", SENTENCES)
def test_a_sentence_is_in_order(sentence):
    """Sentences of many makes, none of which the table was counted on."""
    assert not is_disordered(sentence)


@pytest.mark.parametrize(
    "heap",
    [
        "plank the twice carpenter he measured before cut it the",
        "The of in water spoon to add stir slowly it and vinegar.",
        "of was although nobody late queue bus the in complained the",
        "mountains would the again I summer see love next to",
    ],
)
def test_a_heap_of_words_is_not(heap):
    """The same words without an order."""
    assert is_disordered(heap)


def test_an_order_is_better_than_most_orders_of_the_same_words():
    """A sentence fits better than nine in ten shuffles of its words."""
    rng = random.Random(3)
    for sentence in SENTENCES:
        words = sentence.rstrip(".").split()
        shuffled = [order_fit(" ".join(rng.sample(words, len(words)))).mean for _ in range(40)]
        assert sum(order_fit(sentence).mean > each for each in shuffled) >= 36, sentence


@pytest.mark.parametrize(
    "text", ["12 + 5 = 17, and 17 - 5 = 12 again", "red, green, blue, white, black, grey", "To go or to stay?", ""]
)
def test_sums_lists_and_questions_are_not_judged(text):
    """What has an order of its own is left alone."""
    assert not is_disordered(text)


def test_every_class_has_its_row():
    """The table knows each class that a word can have, at any place of a sentence."""
    known = orders().place
    odd = "I'll say that it's the Smiths' 3rd (and last) unbelievable nation-wide émigré's test, quickly walking; 北京!"

    assert set(word_classes(odd)) <= known.keys()
    assert orders().odds.shape == (len(known), len(known))
