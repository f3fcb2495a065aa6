"""Which examples share an optimizer step."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainers.batching import fill, plan_batches

GROUPS = st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=40)


@given(groups=GROUPS, batch_size=st.integers(1, 12), epochs=st.integers(1, 3), seed=st.integers(0, 9))
def test_whole_epochs_see_everything_equally_often(groups, batch_size, epochs, seed):
    """In every pass each example comes once, and the pairs of a prompt come together."""
    batches = plan_batches(groups, len, batch_size, epochs, seed)

    assert Counter(index for batch in batches for index in batch) == dict.fromkeys(range(len(groups)), epochs)
    for batch in batches:
        for group in {groups[index] for index in batch}:
            assert {index for index in batch if groups[index] == group} == {
                i for i, other in enumerate(groups) if other == group
            }


@given(count=st.integers(1, 60), batch_size=st.integers(1, 12))
def test_batches_of_single_examples_are_full(count, batch_size):
    """Without groups, every batch but the last of a pass has exactly the size asked for."""
    batches = plan_batches([str(number) for number in range(count)], len, batch_size, 1, 0)

    assert all(len(batch) == batch_size for batch in batches[:-1])
    assert len(batches) == -(-count // batch_size)


@given(sizes=st.lists(st.integers(1, 5), min_size=1, max_size=30), batch_size=st.integers(5, 12))
def test_groups_fill_batches_as_nearly_as_they_can(sizes, batch_size):
    """A batch ends only where one more group would have left it further from the size asked for."""
    batches = list(fill([[0] * size for size in sizes], batch_size))

    assert sum(map(len, batches)) == sum(sizes)
    assert all(abs(len(batch) - batch_size) <= 2 for batch in batches[:-1])  # half of the largest group


@pytest.mark.parametrize(("epochs", "steps"), [(1, 5), (0.5, 2), (1.5, 7), (0.01, 1), (2.25, 11), (1.01, 5)])
def test_fraction_of_an_epoch(epochs, steps):
    """A fraction of a pass is a rounded number of its steps, and there is always one step."""
    assert len(plan_batches([str(number) for number in range(20)], len, 4, epochs, 0)) == steps


def test_order_hangs_on_the_seed_and_the_epoch():
    """The same seed gives the same order, another seed another, and each pass its own."""
    groups = [str(number) for number in range(20)]
    first = plan_batches(groups, len, 4, 2, seed=1)

    assert plan_batches(groups, len, 4, 2, seed=1) == first
    assert plan_batches(groups, len, 4, 2, seed=2) != first
    assert first[:5] != first[5:]


@given(sizes=st.lists(st.integers(1, 50), min_size=1, max_size=20), budget=st.integers(1, 3000))
def test_token_budget_is_met_to_the_nearest_step(sizes, budget):
    """No step more or less would come nearer to the budget."""
    groups = [str(number) for number in range(len(sizes))]

    def cost(batch):
        return sum(sizes[index] for index in batch)

    batches = plan_batches(groups, cost, 3, 1, 0, token_budget=budget)

    costs = [cost(batch) for batch in batches]
    after = plan_batches(groups, cost, 3, len(batches) + 1, 0)[len(batches)]
    missed = abs(sum(costs) - budget)
    assert missed <= abs(sum(costs) + cost(after) - budget)
    assert len(costs) == 1 or missed <= abs(sum(costs[:-1]) - budget)
