"""What a test returns: a result that can also be asked about other nulls, or a refusal that says why there is none."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


class Interval(NamedTuple):
    """A confidence interval, as fractions."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Refusal:
    """No valid answer exists for this input, and why."""

    reason: str


@dataclass(frozen=True, slots=True)
class TestResult:
    """A two-sided test of effect = 0, with what equivalence and non-inferiority need."""

    __test__ = False  # not a test case, whatever pytest makes of the name

    test: str
    effect: float
    p: float
    interval: Interval
    level: float
    """Coverage of `interval`."""
    score: Callable[[float], float]
    """Bound -> the statistic (t or z) of the null hypothesis effect = bound; it falls as the bound rises."""
    degrees_of_freedom: float = math.inf
    """Of the statistic: infinite for z."""

    def p_above(self, bound: float) -> float:
        """One-sided p-value against effect <= bound."""
        return float(special.stdtr(self.degrees_of_freedom, -self.score(bound)))

    def p_below(self, bound: float) -> float:
        """One-sided p-value against effect >= bound."""
        return float(special.stdtr(self.degrees_of_freedom, self.score(bound)))


def t_result(test: str, effect: float, standard_error: float, degrees_of_freedom: float, level: float) -> TestResult:
    """The t-test and t-interval of an effect; the interval is cut to [-1, 1], where differences of rates live.

    t = effect / standard_error, with `degrees_of_freedom`; `standard_error` must be positive.
    """
    half = float(special.stdtrit(degrees_of_freedom, (1 + level) / 2)) * standard_error
    return TestResult(
        test=test,
        effect=effect,
        p=float(2 * special.stdtr(degrees_of_freedom, -abs(effect) / standard_error)),
        interval=Interval(max(effect - half, -1.0), min(effect + half, 1.0)),
        level=level,
        score=lambda bound: (effect - bound) / standard_error,
        degrees_of_freedom=degrees_of_freedom,
    )
