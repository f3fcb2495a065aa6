"""Simulated experiments: what the crossed test finds, and how often, in experiments whose truth is known.

An item has a difficulty (logit scale, sd 1.5), an arm its own way with every item (sd 0.7), a training seed shifts an arm's
rate by some points; an answer passes by the probability that results. Planning asks this model for power before anything is
trained; calibration asks it whether the tests keep their promises.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special, stats

from evaluators.statistics.crossed import Freedom, combined_error, seed_weight
from evaluators.statistics.outcome import FloatArray

_CELLS = 1_500_000
"""Answers simulated at a time: bounds memory."""
_HIGHEST_RATE = 0.999


@dataclass(frozen=True, slots=True)
class Design:
    """The size of an experiment and what is believed about its variances."""

    items: int
    seeds: int
    trained_arms: int = 4
    """Arms over which the seed variance is pooled: the two compared and the rest."""
    rate: float = 0.65
    """Pass rate of every arm but the first, which is better by the effect."""
    seed_sd: float = 0.015
    """Standard deviation of an arm's rate between training seeds, as a fraction; smaller below 0.1 and above 0.9."""
    item_sd: float = 1.5
    """Standard deviation of item difficulty, logit."""
    interaction_sd: float = 0.7
    """Standard deviation of item x arm, logit."""

    def __post_init__(self) -> None:
        if self.items < 2 or self.seeds < 2 or self.trained_arms < 2:
            raise ValueError(f"the crossed test needs at least two items, seeds and trained arms: {self}")
        if not 0 < self.rate < 1:
            raise ValueError(f"the rate must lie strictly between 0 and 1: {self.rate}")


@dataclass(frozen=True, slots=True)
class RejectionRate:
    """How often a two-sided test rejected, in the direction of the true effect and against it."""

    right: float
    wrong: float
    experiments: int

    @property
    def total(self) -> float:
        """Rejections in either direction: the false-positive rate when the true effect is 0."""
        return self.right + self.wrong

    @property
    def error(self) -> float:
        """Monte Carlo standard error of `total`."""
        return math.sqrt(max(self.total * (1 - self.total), 1 / self.experiments) / self.experiments)


def simulate(design: Design, effect: float, experiments: int, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Answers (R, K, S, n) of R experiments: K trained arms, S seeds, n items; the first arm's rate is `rate + effect`."""
    R, K, S, n = experiments, design.trained_arms, design.seeds, design.items
    rates = [design.rate + effect] + [design.rate] * (K - 1)
    logit = rng.standard_normal((R, 1, 1, n), dtype=np.float32) * np.float32(design.item_sd)
    logit = logit + rng.standard_normal((R, K, 1, n), dtype=np.float32) * np.float32(design.interaction_sd)
    centres = np.array([_centre(design, rate) for rate in rates])
    noise = np.array([design.seed_sd / _slope(design, rate) for rate in rates])
    shift = centres[:, None] + rng.standard_normal((R, K, S)) * noise[:, None]
    chances = special.expit(logit + shift[..., None].astype(np.float32))
    return np.asarray(rng.random(chances.shape, dtype=np.float32) < chances)


def crossed_p_values(answers: NDArray[np.bool_], pool: int | None = None) -> tuple[FloatArray, FloatArray]:
    """Effect and two-sided p-value (R,) of `crossed_test` between the first two arms of many experiments (R, K, S, n).

    The seed variance is pooled over the first `pool` arms (all of them when None; 2 is the own-arm sensitivity).
    """
    S, n = answers.shape[2:]
    y = answers[:, :pool].astype(np.float32)
    arms = y.shape[1]
    rates, per_item = y.mean(axis=3, dtype=np.float64), y.mean(axis=2)
    differences = per_item[:, 0].astype(np.float64) - per_item[:, 1]
    spread = differences.var(axis=1, ddof=1)
    item_variance = (
        np.where(spread > 1e-12, spread, 2 / (n + 2) + differences.mean(axis=1) ** 2 * (n / (n + 2)) * (2 / (n + 2))) / n
    )
    within = (per_item * (1 - per_item)).mean(axis=(1, 2), dtype=np.float64) * S / (S - 1)  # 0/1 answers: y^2 = y
    mean_square = rates.var(axis=2, ddof=1).mean(axis=1)
    freedom = Freedom(n - 1, arms * (S - 1), arms * (S - 1) * n)
    error, df = combined_error(item_variance, mean_square, within / n, seed_weight((S, S)), freedom)
    effect = differences.mean(axis=1)
    return effect, np.asarray(2 * stats.t.sf(np.abs(effect) / error, df))


def rejection_rate(
    design: Design,
    effect: float = 0.0,
    alpha: float = 0.05,
    *,
    sensitivity: bool = False,
    experiments: int = 2000,
    seed: int = 0,
) -> RejectionRate:
    """How often the crossed test rejects at `alpha` when the true effect is `effect` (0: the false-positive rate).

    `sensitivity`: count only what the own-arm variance confirms, which is what a verdict asks for.
    """
    rng = np.random.default_rng(seed)
    batch = max(_CELLS // (design.trained_arms * design.seeds * design.items), 1)
    right = wrong = 0
    for start in range(0, experiments, batch):
        answers = simulate(design, effect, min(batch, experiments - start), rng)
        found, p = crossed_p_values(answers)
        if sensitivity:
            p = np.maximum(p, crossed_p_values(answers, pool=2)[1])
        toward = found > 0 if effect >= 0 else found < 0
        right += int(((p < alpha) & toward).sum())
        wrong += int(((p < alpha) & ~toward).sum())
    return RejectionRate(right / experiments, wrong / experiments, experiments)


@cache
def planned_detectable(
    design: Design, alpha: float = 0.05, power: float = 0.8, *, sensitivity: bool = True, experiments: int = 1000
) -> float | None:
    """The smallest improvement found with at least `power` at `alpha`, to half a point; None if even a rate of 1 is not.

    Every trial effect is simulated with the same random numbers, so that power rises smoothly with the effect.
    """
    low, high = 0.0, _HIGHEST_RATE - design.rate

    def found(effect: float) -> bool:
        rate = rejection_rate(design, effect, alpha, sensitivity=sensitivity, experiments=experiments)
        return rate.right >= power

    if high <= 0 or not found(high):
        return None
    while high - low > 0.005:
        middle = (low + high) / 2
        low, high = (low, middle) if found(middle) else (middle, high)
    return high


@cache
def planned_power(
    design: Design, effect: float, alpha: float = 0.05, *, sensitivity: bool = True, experiments: int = 2000
) -> float:
    """The chance that a true improvement of `effect` is found at `alpha`; capped where the rate cannot rise by that much."""
    reachable = min(effect, _HIGHEST_RATE - design.rate)
    return rejection_rate(design, reachable, alpha, sensitivity=sensitivity, experiments=experiments).right


def items_needed(
    design: Design, effect: float, alpha: float = 0.05, power: float = 0.8, *, sensitivity: bool = True, most: int = 5000
) -> int | None:
    """The number of items, to about 5%, with which `effect` is found with `power`; None when `most` are not enough."""
    low, high = 10, most
    if planned_power(replace(design, items=most), effect, alpha, sensitivity=sensitivity) < power:
        return None
    while high > low * 1.05 + 1:
        middle = int(math.sqrt(low * high))
        enough = planned_power(replace(design, items=middle), effect, alpha, sensitivity=sensitivity) >= power
        low, high = (low, middle) if enough else (middle, high)
    return high


@cache
def _centre(design: Design, rate: float) -> float:
    """The mean logit that gives `rate` on average over items.

    Raises:
        ValueError: the rate is not strictly between 0 and 1.
    """
    if not 0 < rate < 1:
        raise ValueError(f"a simulated rate must lie between 0 and 1: {rate}")
    return float(optimize.brentq(lambda centre: _average(design, centre, special.expit) - rate, -40, 40))


def _slope(design: Design, rate: float) -> float:
    """How much a rate, taken into 0.1..0.9, rises per logit."""
    centre = _centre(design, min(max(rate, 0.1), 0.9))
    return _average(design, centre, lambda x: special.expit(x) * special.expit(-x))


def _average(design: Design, centre: float, function: Callable[[FloatArray], FloatArray]) -> float:
    nodes, weights = np.polynomial.hermite_e.hermegauss(80)
    sd = math.hypot(design.item_sd, design.interaction_sd)
    return float(weights @ function(centre + sd * nodes) / weights.sum())
