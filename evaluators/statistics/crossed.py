"""The test of a recipe claim: two ways of training, compared over items and training seeds, both taken as samples.

Every trained arm is an S x n table of outcomes: the same n items answered by the checkpoints of S training seeds. Other items
and other seeds would have given another difference; the variance of the difference counts both:

    V = Var_i(d_i) / n + max(s2 - within / n, 0) * (1/S_1 + 1/S_2)

with d_i the difference on item i, averaged over seeds; s2 the variance between seeds of an arm's rate; within the mean over
items of the variance between seeds on one item, so that within / n is what chance on single items contributes to s2 (and the
first term already holds). s2 and within are pooled over all trained arms of the experiment: two or three seeds of two arms
alone say little. An untrained arm has no training seed: it adds nothing to either pool and has no 1/S term.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from evaluators.statistics.clusters import variance_of_mean
from evaluators.statistics.outcome import FloatArray, IntArray, Refusal, TestResult, t_result

FEWEST_ITEMS = 10


@dataclass(frozen=True, slots=True)
class SeedVariance:
    """How much an arm's rate varies from one training seed to the next."""

    mean_square: float
    """s2: the variance between seeds of an arm's rate, chance on single items included."""
    chance: float
    """within / n: the part of it that is chance on single items."""
    degrees_of_freedom: int
    chance_degrees_of_freedom: int

    @property
    def excess(self) -> float:
        """The variance of the training seed itself: s2 - within / n, or 0 where that is negative."""
        return max(self.mean_square - self.chance, 0.0)


NO_SEED_VARIANCE = SeedVariance(0.0, 0.0, 1, 1)
"""Of two untrained arms."""


def seed_variance(arms: Sequence[FloatArray], *, paired: bool = False) -> SeedVariance | Refusal:
    """The seed variance pooled over trained arms, each (S_a, n_a), weighted by their degrees of freedom S_a - 1.

    Arms of a single seed carry no information on it and are left out. `paired`: seed k of one arm was built on seed k of
    another, so what these seeds have in common cancels in a difference; s2 is then the interaction mean square of the arms x
    seeds table of rates, sum (r_as - r_a - r_s + r)^2 / ((K - 1)(S - 1)): for two arms, half the variance of their paired seed
    differences. All arms must then have the same S seeds, in the same order.

    Raises:
        ValueError: `paired` with arms of different numbers of seeds.
    """
    arms = [arm for arm in arms if len(arm) > 1 and arm.shape[1] > 0]
    if not arms:
        return Refusal("no trained arm has two training seeds, so the variance between seeds is unknown")
    free = np.array([len(arm) - 1 for arm in arms])
    within = np.array([arm.var(axis=0, ddof=1).mean() / arm.shape[1] for arm in arms])
    chance = float(free @ within / free.sum())
    chance_df = int(free @ np.array([arm.shape[1] for arm in arms]))
    rates = [arm.mean(axis=1) for arm in arms]
    if paired and len(arms) > 1:
        mean_square, df = _interaction(rates)
    else:
        mean_square, df = float(free @ np.array([r.var(ddof=1) for r in rates]) / free.sum()), int(free.sum())
    return SeedVariance(mean_square, chance, df, chance_df)


def _interaction(rates: Sequence[FloatArray]) -> tuple[float, int]:
    """The arms x seeds interaction mean square of rates, K arrays of (S,), and its degrees of freedom."""
    if len({len(r) for r in rates}) > 1:
        raise ValueError("paired seeds need the same seeds in every arm")
    table = np.stack(rates)
    residual = table - table.mean(axis=0) - table.mean(axis=1, keepdims=True) + table.mean()
    df = (table.shape[0] - 1) * (table.shape[1] - 1)
    return float((residual**2).sum() / df), df


def crossed_test(
    first: FloatArray,
    second: FloatArray,
    seeds: SeedVariance,
    *,
    trained: tuple[bool, bool] = (True, True),
    families: IntArray | None = None,
    level: float = 0.95,
) -> TestResult | Refusal:
    """Crossed item x seed t-test of first (S_1, n) against second (S_2, n): t = mean(d) / sqrt(V), V as the module says.

    Degrees of freedom as in `combined_error`. With `families` (n,), numbered from 0, the item term is clustered by them. Pass
    `NO_SEED_VARIANCE` for two untrained arms.
    """
    if reason := _why_not(first, second, trained, families):
        return Refusal(reason)
    differences = first.mean(axis=0) - second.mean(axis=0)
    items = variance_of_mean(differences, families)
    error, df = combined_error(
        items.variance,
        seeds.mean_square,
        seeds.chance,
        seed_weight((len(first), len(second)), trained),
        Freedom(items.degrees_of_freedom, seeds.degrees_of_freedom, seeds.chance_degrees_of_freedom),
    )
    name = "crossed item x seed t-test" + ("" if families is None else ", items clustered by family")
    return t_result(name, float(differences.mean()), float(error), float(df), level)


def _why_not(first: FloatArray, second: FloatArray, trained: tuple[bool, bool], families: IntArray | None) -> str:
    n = first.shape[1]
    if n < FEWEST_ITEMS:
        return f"{n} {'item is' if n == 1 else 'items are'} too few for a t-test, which needs at least {FEWEST_ITEMS}"
    if any(is_trained and len(arm) < 2 for arm, is_trained in zip((first, second), trained, strict=True)):
        return "a claim about a way of training needs at least two training seeds in every trained arm"
    if families is not None and families.max() < 1:
        return "all items come from one template family, so nothing can be said beyond it"
    return ""


def seed_weight(seeds: tuple[int, int], trained: tuple[bool, bool] = (True, True)) -> float:
    """1/S_1 + 1/S_2 over the trained arms: the share of an arm's seed variance that is left in the difference of two arms."""
    return sum(1 / s for s, is_trained in zip(seeds, trained, strict=True) if is_trained)


class Freedom(NamedTuple):
    """Degrees of freedom of the three mean squares in V."""

    items: float
    seeds: float
    chance: float


def combined_error(
    item_variance: float | FloatArray,
    mean_square: float | FloatArray,
    chance: float | FloatArray,
    weight: float,
    freedom: Freedom,
) -> tuple[FloatArray, FloatArray]:
    """The standard error sqrt(V) and its Satterthwaite degrees of freedom, elementwise for experiments of one shape.

    df = V^2 / (Var_item^2 / df_item + (c s2)^2 / df_s2 + (c within/n)^2 / df_within), c = `weight`. The seed terms count in
    full also where max(..., 0) cut them off: not having seen a seed effect is not knowing that there is none. Never below the
    fewest degrees of freedom of a part, the bound that holds for sums of mean squares.
    Source: Satterthwaite (1946), An approximate distribution of estimates of variance components.
    """
    V = np.asarray(item_variance + weight * np.maximum(np.asarray(mean_square) - chance, 0.0))
    spread = (
        np.square(item_variance) / freedom.items
        + np.square(weight * np.asarray(mean_square)) / freedom.seeds
        + np.square(weight * np.asarray(chance)) / freedom.chance
    )
    fewest = min(freedom.items, freedom.seeds) if weight else freedom.items
    return np.sqrt(V), np.maximum(V**2 / spread, fewest)
