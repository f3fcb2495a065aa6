"""Expected power before a run: a port, and an answer by interpolation for when nothing better is handed in."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: sizes as counts, effect and alpha as fractions; `tests` share alpha, as Holm's first step does."""

    items: int
    seeds: int
    effect: float
    alpha: float
    tests: int
    recipe: bool = True
    """Whether the claim is about a way of training; else about one checkpoint."""


class Power(Protocol):
    """Answers questions of power."""

    @property
    def source(self) -> str:
        """How its answers come about, in a few words."""

    def power(self, question: Question, /) -> float:
        """Probability of finding the effect, as a fraction."""


@dataclass(frozen=True, slots=True)
class Anchored:
    """Interpolates between powers that were simulated once.

    Crossed item x seed t-test, training-seed noise of 3 points, +10 points, alpha .05: .63 at 130 items x 3 seeds, .84 at
    130 x 5 and at 400 x 3. Exact McNemar test of one seed, 30% discordant pairs: .49 at 130 items, .80 at 249. Between these
    the standard error is taken as sqrt(a/items + b/seeds + c/(items seeds)), which the three crossed anchors determine.
    """

    source: str = "interpolated between simulated anchors (3 points of seed noise)"

    def power(self, question: Question, /) -> float:
        """Probability of finding the effect, as a fraction."""
        critical = NormalDist().inv_cdf(1 - question.alpha / (2 * max(1, question.tests)))
        return NormalDist().cdf(question.effect / self._error(question) - critical)

    def _error(self, question: Question) -> float:
        """Standard error of the difference, as a fraction."""
        n, seeds = question.items, question.seeds
        if not question.recipe or seeds == 1:
            return 0.10 / (1.935 + (math.sqrt(n) - math.sqrt(130)) * 0.1976) if n >= 130 else 0.0517 * math.sqrt(130 / n)
        return math.sqrt(13.0 / n + 23.5 / seeds + 4352.0 / (n * seeds)) / 100


ANCHORS = Anchored()


def detectable(power: Power, question: Question, target: float) -> float:
    """The smallest effect (fraction) that is found with the wanted power, to half a point; 1.0 where there is none below."""
    grid = (step / 200 for step in range(1, 200))
    return next((effect for effect in grid if power.power(replace(question, effect=effect)) >= target), 1.0)


def enough(power: Power, question: Question, target: float) -> tuple[int | None, int]:
    """The cheapest items (to the next ten) and seeds with the wanted power; no items where 2000 with 10 seeds are too few."""
    more = sorted({max(question.seeds, least) for least in (3, 5, 7, 10)})
    counts = more if question.recipe else [question.seeds]
    start = max(10, question.items // 10 * 10)
    found = []
    for seeds in counts:
        asked = replace(question, seeds=seeds)
        items = next((n for n in range(start, 2001, 10) if power.power(replace(asked, items=n)) >= target), None)
        found += [(items, seeds)] if items is not None else []
    return min(found, key=lambda both: both[0] * both[1]) if found else (None, question.seeds)
