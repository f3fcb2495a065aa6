"""How large an experiment has to be: a closed form proposes designs, simulation judges them and corrects the closed form."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy import special

from compiler.checks.method.power import MOST_ITEMS, MOST_SEEDS, Chance, Needs, Question
from evaluators.statistics.crossed import Freedom, combined_error, seed_weight
from evaluators.statistics.planning import Simulation, room_above, seeds_of, why_no_test
from evaluators.statistics.simulation import HIGHEST_RATE

_EXPERIMENTS = 1_000
"""Simulated per trial design or effect: an error of at most 1.6 points of power, a few percent of the items."""
_FEWEST_ITEMS, _STEP = 20, 10
_EFFECT_STEP = 0.005
_TRIALS, _OFFERS = 5, 2
"""Simulated per number of seeds; numbers of seeds tried."""


def chance_of(question: Question, experiments: int | None = None) -> Chance:
    """The power of a planned claim at the effect that it asks about; 0, unsimulated, where no valid test exists."""
    if why := why_no_test(question):
        return Chance(0.0, 0.0, 0, why)
    if (room := room_above(question)) is not None:
        return Chance(0.0, 0.0, 0, f"a rate of {1 - room:.0%} leaves no room for {question.effect * 100:g} points more", room)
    return Simulation(question, experiments).chance()


def needs_of(question: Question, target: float, least_seeds: int = 3) -> Needs:
    """The detectable effect at the planned size, and the fewest items x seeds that find the effect asked about.

    No design with fewer than `least_seeds` is proposed for a claim about a way of training.
    """
    if (room := room_above(question)) is not None:  # no size helps, but smaller effects may be found
        return Needs(_detectable_within(question, room, target), None, question.seeds)
    testable = question
    if why_no_test(question):
        testable = replace(question, items=max(question.items, 50), seeds=max(question.seeds, least_seeds, 2))
    if why_no_test(testable):  # nothing to test: no size helps
        return Needs(None, None, question.seeds)
    simulation = Simulation(testable, _EXPERIMENTS)
    closed = ClosedForm(simulation, simulation.chance().power)
    detectable = _detectable(simulation, closed, target) if testable is question else None
    return Needs(detectable, *_cheapest(question, closed, target, least_seeds))


class ClosedForm:
    """The normal approximation of a claim's power at other sizes, shifted to agree with one simulated design.

    V(n, S) is the variance of the difference as the crossed test takes it; the power is the normal probability of
    effect / sqrt(V) - critical value + shift. The shift stands for all that a closed form leaves out.
    """

    def __init__(self, simulation: Simulation, power: float) -> None:
        self.question = simulation.question
        worst = max((endpoint.parts(self.question.effect) for endpoint in simulation.endpoints), key=lambda parts: parts[0])
        self.items_part, self.runs_part, self.seed_variance = worst
        clipped = np.clip(power, 0.5 / simulation.experiments, 1 - 0.5 / simulation.experiments)
        error, critical = self._error(self.question.items, self.question.seeds)
        self.shift = float(special.ndtri(clipped)) - self.question.effect / error + critical

    def _error(self, items: int, seeds: int) -> tuple[float, float]:
        """Standard error of the difference, and the critical value of its test."""
        question = self.question
        runs = [max(count, 1) for count in seeds_of(replace(question, seeds=seeds))]
        item_variance = (self.items_part + self.runs_part * sum(1 / run for run in runs)) / items
        weight = seed_weight((runs[0], runs[1]), question.trained) if question.recipe else 0.0
        chance = self.runs_part / items
        seed_df = max(sum(question.trained) * (seeds - 1), 1)
        error, df = combined_error(
            item_variance, self.seed_variance + chance, chance, weight, Freedom(items - 1, seed_df, seed_df * items)
        )
        tails = 1 if question.expect in ("equivalent", "not_worse") else 2
        alpha = question.alpha / (tails * (1 if question.correction == "none" else question.tests))
        return float(error), -float(special.stdtrit(float(df), alpha))

    def effect(self, target: float) -> float:
        """The effect found with the power `target` at the size that was simulated."""
        error, critical = self._error(self.question.items, self.question.seeds)
        return error * (float(special.ndtri(target)) + critical - self.shift)

    def items(self, seeds: int, target: float) -> int:
        """The fewest items, to the next ten, with the power `target`; more than `MOST_ITEMS` where that is not enough."""
        wanted = float(special.ndtri(target))
        low, high = 0, MOST_ITEMS // _STEP + 1
        while high - low > 1:
            middle = (low + high) // 2
            error, critical = self._error(middle * _STEP, seeds)
            enough = self.question.effect / error - critical + self.shift >= wanted
            low, high = (low, middle) if enough else (middle, high)
        return max(high * _STEP, _FEWEST_ITEMS)


def _detectable_within(question: Question, room: float, target: float) -> float | None:
    """The detectable effect of a question whose own effect does not fit."""
    if why_no_test(question):
        return None
    simulation = Simulation(replace(question, effect=room / 2), _EXPERIMENTS)
    return _detectable(simulation, ClosedForm(simulation, simulation.chance().power), target)


def _detectable(simulation: Simulation, closed: ClosedForm, target: float) -> float | None:
    """By bisection in half points: the same random numbers serve every trial effect, so that power rises smoothly with it."""
    rates = [endpoint.assumptions.base_rate for endpoint in simulation.question.endpoints]
    low, high = 0, max(int((HIGHEST_RATE - min(rates)) / _EFFECT_STEP), 1)

    def found(step: int) -> bool:
        return simulation.chance(step * _EFFECT_STEP).power >= target

    guess = round(closed.effect(target) / _EFFECT_STEP)
    near = [step for step in (guess + 2, guess - 2) if low < step < high]
    if not near and not found(high):
        return None
    for step in near:
        low, high = (low, step) if found(step) else (step, high)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if found(middle) else (middle, high)
    return round(high * _EFFECT_STEP, 4)


def _cheapest(question: Question, closed: ClosedForm, target: float, least_seeds: int) -> tuple[int | None, int]:
    """Items and seeds whose product is smallest, with no fewer seeds than planned; no items where none are enough."""
    counts = [question.seeds]
    if question.recipe and any(question.trained):
        counts = sorted({max(question.seeds, least_seeds, seeds) for seeds in (2, 3, 5, 7, MOST_SEEDS)})
    offers = sorted((closed.items(seeds, target) * max(seeds, 1), seeds) for seeds in counts)
    for cost, seeds in offers[:_OFFERS]:
        if cost <= 1.2 * MOST_ITEMS * max(seeds, 1):
            items = _fewest_items(replace(question, seeds=seeds), closed, target)
            if items is not None:
                return items, seeds
    return None, question.seeds


def _fewest_items(question: Question, closed: ClosedForm, target: float) -> int | None:
    """The fewest items, to the next ten or 4%, that reach the target with the question's seeds."""
    low, high = 0, MOST_ITEMS + _STEP  # the largest number known to be too small, the smallest known to be enough
    for _ in range(_TRIALS):
        items = min(max(closed.items(question.seeds, target), low + _STEP), high - _STEP, MOST_ITEMS)
        if items <= low or high - low <= max(_STEP, high // 25):
            break
        simulation = Simulation(replace(question, items=items), _EXPERIMENTS)
        power = simulation.chance().power
        low, high = (low, items) if power >= target else (items, high)
        closed = ClosedForm(simulation, power)
    return high if high <= MOST_ITEMS else None
