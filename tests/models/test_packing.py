"""Groups for one pass each: complete, within the budget, few, and even."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.packing import split_by_tokens

LENGTHS = st.lists(st.integers(1, 40), max_size=30)


@pytest.mark.parametrize("padded", [True, False])
@given(lengths=LENGTHS, budget=st.integers(1, 100))
def test_groups_hold_everything_once_within_the_budget(padded, lengths, budget):
    """Every index once; a group keeps its tokens, with padding where there is any, within the budget unless it is one sequence."""
    groups = split_by_tokens(lengths, budget, padded=padded)

    assert sorted(index for group in groups for index in group) == list(range(len(lengths)))
    for group in groups:
        sizes = [lengths[index] for index in group]
        assert len(group) == 1 or (len(group) * max(sizes) if padded else sum(sizes)) <= budget


@given(lengths=LENGTHS, budget=st.integers(1, 100))
def test_without_padding_the_most_tokens_come_first(lengths, budget):
    """So that memory which does not suffice runs out in the first pass, when least is lost."""
    sizes = [sum(lengths[index] for index in group) for group in split_by_tokens(lengths, budget, padded=False)]

    assert sizes == sorted(sizes, reverse=True)


@given(lengths=LENGTHS, budget=st.integers(1, 100))
def test_with_padding_the_longest_comes_first(lengths, budget):
    """It decides how long every other one of its group is made."""
    longest = [max(lengths[index] for index in group) for group in split_by_tokens(lengths, budget)]

    assert longest == sorted(longest, reverse=True)


@given(lengths=LENGTHS, budget=st.integers(1, 100))
def test_without_padding_there_are_no_more_groups_than_first_fit_makes(lengths, budget):
    """First fit decreasing, written down naively: being even never costs a pass."""
    rooms = []
    for length in sorted(lengths, reverse=True):
        place = next((place for place, room in enumerate(rooms) if room >= length), None)
        if place is None:
            rooms.append(budget - length)
        else:
            rooms[place] -= length

    assert len(split_by_tokens(lengths, budget, padded=False)) <= len(rooms)


@given(lengths=st.lists(st.integers(1, 10), min_size=1, max_size=60), budget=st.integers(40, 100))
def test_without_padding_what_remains_of_a_batch_is_no_small_group(lengths, budget):
    """Short sequences: no group is smaller than another by more than two of them, unless a smaller one would make another group."""
    sizes = [sum(lengths[index] for index in group) for group in split_by_tokens(lengths, budget, padded=False)]

    assert max(sizes) - min(sizes) <= 2 * max(lengths) or len(sizes) > -(-sum(lengths) // budget)


def test_a_batch_goes_through_in_equal_passes():
    """64 examples of 160 to 350 tokens, 3,155 at a time: six passes of about 2,700 tokens, not five full ones and a small one."""
    draw = random.Random(0)
    lengths = [draw.randint(160, 350) for _ in range(64)]

    sizes = [sum(lengths[index] for index in group) for group in split_by_tokens(lengths, 3155, padded=False)]

    assert len(sizes) == -(-sum(lengths) // 3155)
    assert max(sizes) - min(sizes) < 0.1 * max(sizes)
