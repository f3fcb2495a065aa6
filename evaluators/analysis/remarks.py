"""Whether the arms leave room for the effect that a claim is about."""

from __future__ import annotations

from evaluators.analysis.words import percent, points
from evaluators.results import Expectation, Rate


def no_room(expect: Expectation, first: Rate, second: Rate, smallest_effect: float) -> str:
    """A sentence when a ceiling or floor leaves less room than the smallest effect of interest; empty when there is room.

    The room above an arm is 1 minus the lower Wilson bound of its rate, the room below it the upper bound.
    """
    if first.low is None or first.high is None or second.low is None or second.high is None:
        return ""
    above, below = 1 - second.low, second.high
    less = f"less than the {points(smallest_effect)} of interest"
    if expect == "greater" and above < smallest_effect:
        return f"{_passes(second)}: at most {points(above)} points can be gained on it, {less}."
    if expect == "less" and below < smallest_effect:
        return f"{_passes(second)}: at most {points(below)} points can be lost from it, {less}."
    if expect != "less" and max(first.high, below) < smallest_effect:
        return f"{_passes(first)} and {_passes(second)}: so near to none that they can differ by {less}."
    if expect != "greater" and max(1 - first.low, above) < smallest_effect:
        return f"{_passes(first)} and {_passes(second)}: so near to all that they can differ by {less}."
    return ""


def _passes(rate: Rate) -> str:
    return f"{rate.arm} passes {rate.endpoint} in {percent(rate.rate or 0.0)} of answers"
