"""Whether the arms leave room for the effect that a claim is about."""

from __future__ import annotations

from evaluators.analysis.words import percent, points
from evaluators.results import Expectation, Rate


def no_room(expect: Expectation, first: Rate, second: Rate, smallest_effect: float) -> str:
    """A sentence when both arms are so near to none or to all that they cannot differ by what is of interest; else empty.

    The room above an arm is 1 minus the lower Wilson bound of its rate, the room below it the upper bound. What the arm to be
    beaten leaves to gain is the check of headroom's business.
    """
    if first.low is None or first.high is None or second.low is None or second.high is None:
        return ""
    less = f"that they can differ by less than the {points(smallest_effect)} points of interest"
    if expect != "less" and max(first.high, second.high) < smallest_effect:
        return f"{_passes(first)} and {_passes(second)}: so near to none {less}."
    if expect != "greater" and max(1 - first.low, 1 - second.low) < smallest_effect:
        return f"{_passes(first)} and {_passes(second)}: so near to all {less}."
    return ""


def _passes(rate: Rate) -> str:
    return f"{rate.arm} passes {rate.endpoint} in {percent(rate.rate or 0.0)}"
