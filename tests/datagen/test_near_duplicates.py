"""Specification of what counts as a near-duplicate."""

from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datagen.near_duplicates import NEAR_DUPLICATE, near_duplicate_pairs, normalise, similarity

words = st.lists(st.sampled_from(["what", "is", "the", "capital", "river", "of", "in", "France", "Peru", "7", "+"]), max_size=9)
texts = st.lists(words.map(" ".join), max_size=12)


def grams(parts, size: int) -> set:
    """All runs of `size` parts."""
    return {tuple(parts[i : i + size]) for i in range(len(parts) - size + 1)}


def plain_jaccard(first, second, size: int) -> float:
    """Jaccard similarity of n-grams as anybody would compute it, with no normalisation but lower case."""
    one, other = grams(first, size), grams(second, size)
    return len(one & other) / len(one | other) if one | other else 0.0


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("What is the capital of France?", "what is  the capital of France"),
        ("What is the capital of France?", "What is the capital of France, please?"),
        ("Write one sentence that says which city is the capital of Peru.", "Write one sentence that says which city is the capital of Mali."),
    ],
)  # fmt: skip
def test_the_same_words_are_near_duplicates(first, second):
    """Case, spacing, punctuation and a word more or less do not make another instruction; nor does one short word in a dozen."""
    assert similarity(first, second) >= NEAR_DUPLICATE


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("What is the capital of France?", "What is the capital of Germany?"),
        ("What does 3 plus 8 make?", "What does 5 plus 9 make?"),
        ("What is the capital of France?", "Complete the sentence: The capital city of France is"),
        ("What does 7 + 5 make?", "What does 7 - 5 make?"),
    ],
)
def test_a_shared_template_or_a_shared_entity_is_no_reason(first, second):
    """Another entity in the same short template, other words about the same entity, and another operator are other instructions."""
    assert similarity(first, second) < NEAR_DUPLICATE


def test_normalise_keeps_what_carries_meaning():
    """Case, quotes and punctuation go; digits, operators and letters of any script stay."""
    assert normalise('  "Is 7 + 5 = 12?"  (YES, ÉTÉ!) ') == "is 7 + 5 = 12 yes été"


@given(texts)
@settings(max_examples=60, deadline=None)
def test_finds_exactly_the_pairs_at_or_above_the_threshold(texts):
    """The shortcut through rare grams finds what comparing everything with everything finds."""
    for threshold in (0.3, 0.7, NEAR_DUPLICATE, 1.0):
        expected = {(i, j) for i, j in combinations(range(len(texts)), 2) if similarity(texts[i], texts[j]) >= threshold}

        assert near_duplicate_pairs(texts, threshold) == expected


@given(st.text(max_size=30), st.text(max_size=30))
@settings(max_examples=60, deadline=None)
def test_similarity_is_a_similarity(first, second):
    """It lies from 0 to 1, does not depend on the order, and is 1 for a text and itself."""
    assert 0 <= similarity(first, second) <= 1
    assert similarity(first, second) == similarity(second, first)
    assert similarity(first, first) == 1


@given(words.map(" ".join), words.map(" ".join))
@settings(max_examples=200, deadline=None)
def test_no_independent_count_calls_near_what_we_call_different(first, second):
    """Texts below our threshold are below 0.8 in plain 5-character and 3-word Jaccard similarity too."""
    if similarity(first, second) < NEAR_DUPLICATE:
        assert plain_jaccard(first.lower(), second.lower(), 5) < 0.8
        assert plain_jaccard(first.lower().split(), second.lower().split(), 3) < 0.8
