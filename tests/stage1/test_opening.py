"""When a further seat is opened: the rule, without processes and clocks."""

from __future__ import annotations

import pytest
from toy import make_plan

from stage1.executors.opening import Busy, Opening
from stage1.time_left import usual_seconds

A, B, C = make_plan({name: [] for name in "abc"}).steps
USUAL = usual_seconds(A.kind)


def learned(opening: float, step: float) -> Opening:
    """Seats with a model that open in so many seconds, steps that take so many."""
    found = Opening({True: 99.0, False: 99.0})
    found.opened(True, opening)
    found.finished(A, step)
    return found


def test_without_a_seat_there_is_no_end_to_waiting() -> None:
    """So the first one is opened."""
    assert Opening().pays(True, Opening().until_free(True, [], []))


def test_a_seat_is_free_when_its_step_is_done() -> None:
    """By what steps of its kind took in this run, on average; before any was finished, by what is usual. The first counts."""
    steps = learned(10.0, 20.0)
    steps.finished(B, 40.0)

    assert steps.until_free(True, [Busy(A, 12.0), Busy(B, 5.0)], []) == pytest.approx(18.0)
    assert Opening().until_free(True, [Busy(A, USUAL / 4)], []) == pytest.approx(0.75 * USUAL)


def test_steps_that_wait_already_come_first() -> None:
    """Each takes the seat that is free first, for as long as a step takes."""
    steps, busy = learned(10.0, 20.0), [Busy(A, 15.0), Busy(B, 8.0)]  # free in 5 and in 12

    assert [steps.until_free(True, busy, [C] * waiting) for waiting in range(4)] == pytest.approx([5.0, 12.0, 25.0, 32.0])


def test_a_step_that_overruns_takes_as_long_again() -> None:
    """So that a wrong guess is found out in time: after 30 seconds instead of 20 another 30 are expected."""
    assert learned(10.0, 20.0).until_free(True, [Busy(A, 30.0)], []) == pytest.approx(30.0)


def test_a_seat_that_is_not_open_yet_opens_first() -> None:
    """Then it does its step; opening that takes longer than the last time takes as long again, too."""
    steps = learned(10.0, 20.0)

    assert steps.until_free(True, [Busy(A, 4.0, opening=True)], []) == pytest.approx(26.0)
    assert steps.left(True, 4.0) == pytest.approx(6.0)
    assert steps.left(True, 15.0) == pytest.approx(15.0)


def test_a_seat_of_its_own_is_worth_twice_its_opening() -> None:
    """As measured last for its kind; the other kind does not count."""
    steps = learned(10.0, 20.0)

    assert [steps.pays(True, wait) for wait in (19.0, 21.0)] == [False, True]
    assert not steps.pays(False, 190.0)
