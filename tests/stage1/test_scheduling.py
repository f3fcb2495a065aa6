"""The order of the work: inputs first, the longest way first, nothing lost and nothing twice, whatever happens."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st
from toy import make_plan

from stage1.scheduling import Schedule


def test_the_longest_way_comes_first() -> None:
    """Of two ready steps, the one that more work hangs on is taken, although the plan lists it later."""
    plan = make_plan({"short": [], "long": [], "after_long": ["long"], "end": ["short", "after_long"]})

    schedule = Schedule(plan.steps, frozenset(), lambda step: 1.0)

    assert [schedule.next().id, schedule.next().id, schedule.next()] == ["long", "short", None]


def test_a_failure_takes_only_what_hangs_on_it() -> None:
    """Everything downstream is given up, in plan order; the rest goes on."""
    plan = make_plan({"a": [], "b": [], "c": ["a"], "d": ["c", "b"], "e": ["b"]})
    schedule = Schedule(plan.steps, frozenset(), lambda step: 1.0)

    assert schedule.fail("a") == ["c", "d"]
    assert schedule.next().id == "b"
    schedule.complete("b")
    assert schedule.next().id == "e"


def test_what_merely_follows_goes_ahead_when_it_cannot_fall() -> None:
    """It waits as long as there is something to wait for: until the step it follows has failed, or what that one needed has."""
    edges = {"told": [], "gate": ["told"], "train": [], "respond": ["train"], "analyze": ["told", "respond"]}
    plan = make_plan(edges, after={"train": ["gate"]})
    schedule = Schedule(plan.steps, frozenset(), lambda step: 1.0, falls_with_what_it_follows=False)

    assert schedule.next().id == "told"
    assert schedule.next() is None
    assert schedule.fail("told") == ["gate", "analyze"]
    assert schedule.next().id == "train"
    assert schedule.next() is None
    schedule.complete("train")
    assert [step.id for step in schedule.left()] == ["respond"]


@st.composite
def graphs(draw: st.DrawFn) -> dict[str, list[str]]:
    """Any acyclic graph of up to twelve steps."""
    size = draw(st.integers(1, 12))
    return {str(n): sorted(draw(st.sets(st.sampled_from([str(m) for m in range(n)])))) if n else [] for n in range(size)}


@settings(deadline=None, max_examples=60)
@given(graphs(), st.integers(0, 10_000))
def test_any_graph_is_finished_whatever_happens(edges: dict[str, list[str]], seed: int) -> None:
    """With steps put back and complete artifacts lost on the way, every step is made, and only when its inputs are there."""
    chance, plan = random.Random(seed), make_plan(edges)
    schedule = Schedule(plan.steps, frozenset(), lambda step: chance.random())
    there: set[str] = set()
    in_work: list[str] = []
    losses = 5
    while schedule.left():
        step = schedule.next()
        if step is not None:
            assert set(edges[step.id]) <= there
            assert step.id not in there
            assert step.id not in in_work
            in_work.append(step.id)
            continue
        done = in_work.pop(chance.randrange(len(in_work)))  # fails where nothing is ready and nothing in work
        gone = [source for source in edges[done] if losses and source in there and chance.random() < 0.2]
        if gone:
            losses -= 1
            there.discard(gone[0])
            schedule.lose(gone[0])
            schedule.put_back(done)
        elif chance.random() < 0.1:
            schedule.put_back(done)
        elif set(edges[done]) <= there:
            there.add(done)
            schedule.complete(done)
        else:
            schedule.put_back(done)

    assert there == set(edges)
