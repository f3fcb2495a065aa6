"""The tests of a contrast for many simulated experiments at once: the same p-values as one by one, in arrays.

Answers come as counts of passed judgements (R, S, n): R experiments, S runs of an arm, n items, families of consecutive items.
Only numpy and scipy.special are imported, since planning waits for this module.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from evaluators.statistics.crossed import Freedom, combined_error
from evaluators.statistics.outcome import FloatArray, IntArray
from evaluators.statistics.simulation import Counts

_CELLS = 1 << 21
"""Complex numbers held at a time by the exact sign-flip test."""
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Contrasts:
    """One contrast in R experiments: arm `first` minus arm `second`. Arrays are (R,) unless said otherwise."""

    effect: FloatArray
    item_variance: FloatArray
    """Squared standard error of the effect over items (or families), seeds taken as they are."""
    item_df: int
    rates: tuple[FloatArray, FloatArray]
    """Of every run of both arms, (R, S)."""
    within: tuple[FloatArray, FloatArray]
    """Mean over items of the variance between seeds on one item; 0 for an arm of one run."""
    units: IntArray
    """Item differences, summed over families, in whole multiples of one step, (R, G)."""
    flat_units: IntArray
    """The same item by item, (R, n)."""
    items: int

    @property
    def discordant(self) -> tuple[IntArray, IntArray]:
        """On how many items only the first, only the second arm did better."""
        return (self.flat_units > 0).sum(axis=1), (self.flat_units < 0).sum(axis=1)

    @property
    def clustered(self) -> bool:
        """Whether items share families."""
        return bool(self.units.shape[1] < self.items)


def contrast(first: Counts, second: Counts, judgements: int, families: IntArray | None) -> Contrasts:
    """Everything that the tests need, from answers (R, S_1, n) and (R, S_2, n); `families`: where each family begins."""
    runs = first.shape[1] * judgements, second.shape[1] * judgements
    step = math.lcm(*runs)
    sums = [answers.sum(axis=1, dtype=np.int16) for answers in (first, second)]
    flat = sums[0] * (step // runs[0]) - sums[1] * (step // runs[1])
    units = flat if families is None else np.add.reduceat(flat, families, axis=1, dtype=np.int32)
    items = flat.shape[1]
    effect = flat.sum(axis=1, dtype=np.int64) / (items * step)
    return Contrasts(
        effect=effect,
        item_variance=_item_variance(flat, units, effect * step, step, families) / step**2,
        item_df=units.shape[1] - 1,
        rates=(_rates(first, judgements), _rates(second, judgements)),
        within=(_within(first, sums[0], judgements), _within(second, sums[1], judgements)),
        units=units,
        flat_units=flat,
        items=items,
    )


def _rates(answers: Counts, judgements: int) -> FloatArray:
    return np.asarray(answers.sum(axis=2, dtype=np.int64) / (answers.shape[2] * judgements))


def _within(answers: Counts, sums: IntArray, judgements: int) -> FloatArray:
    runs, items = answers.shape[1:]
    if runs == 1:
        return np.zeros(len(answers))
    squares = sums if judgements == 1 else (answers * answers).sum(axis=1, dtype=np.int16)
    spread = squares.sum(axis=1, dtype=np.int64) - _square_sum(sums) / runs
    return np.asarray(spread / ((runs - 1) * items * judgements**2))


def _square_sum(values: IntArray) -> FloatArray:
    """Sum of squares over the last axis; exact, since float32 holds whole numbers up to 2^24."""
    exact = values.astype(np.float32)
    return np.asarray(np.einsum("ri,ri->r", exact, exact), dtype=np.float64)


def _item_variance(flat: IntArray, units: IntArray, mean: FloatArray, step: int, families: IntArray | None) -> FloatArray:
    """As `variance_of_mean`: of independent items, and never less than clustered by family. In squared steps."""
    n = flat.shape[1]
    spread = (_square_sum(flat) - n * mean**2) / (n - 1)
    alike = flat.max(axis=1) == flat.min(axis=1)
    widened = ((n * mean**2 + 2 * step**2) - (n * mean) ** 2 / (n + 2)) / (n + 2)
    independent = np.where(alike, widened, spread) / n
    if families is None:
        return np.asarray(independent)
    sizes = np.diff(np.append(families, n))
    groups = len(families)
    residual = units - (mean[:, None] * sizes).astype(np.float32)
    clustered = groups / max(groups - 1, 1) * np.einsum("rg,rg->r", residual, residual).astype(np.float64) / n**2
    return np.asarray(np.maximum(independent, clustered))


def mcnemar_p(contrasts: Contrasts) -> FloatArray:
    """Two-sided p-values of the exact McNemar test; one run of each arm, one judgement."""
    b, c = contrasts.discordant
    return np.where(b == c, 1.0, np.minimum(2 * special.bdtr(np.minimum(b, c), b + c, 0.5), 1.0))


def tango_scores(contrasts: Contrasts, bound: float) -> FloatArray:
    """Tango's score statistic of the null hypothesis effect = bound, as `intervals.tango_score`."""
    b, c = contrasts.discordant
    n = contrasts.items
    linear = -b - c + (2 * n - b + c) * bound
    q = (np.sqrt(np.maximum(linear * linear + 8 * n * c * bound * (1 - bound), 0.0)) - linear) / (4 * n)
    variance = n * (2 * q + bound * (1 - bound))
    numerator = b - c - n * bound
    still = np.where(np.abs(numerator) < 1e-9, 0.0, np.copysign(np.inf, numerator))
    return np.where(variance <= 1e-12, still, numerator / np.sqrt(np.maximum(variance, 1e-12)))


def sign_flip_p(units: IntArray, wanted: Flags | None = None) -> FloatArray:
    """Exact two-sided p-values of sum(units) under independent random signs, (R,); 1 where it is not `wanted`.

    By the characteristic function of the sum, as `paired.sign_flip_p`.
    """
    p = np.ones(len(units))
    rows = np.arange(len(units)) if wanted is None else np.flatnonzero(wanted)
    rows = rows[units[rows].sum(axis=1) != 0]
    if not len(rows):
        return p
    reach = int(np.abs(units[rows]).sum(axis=1).max())
    size = 1 << (2 * reach).bit_length()
    cosines = np.cos(2 * np.pi * np.outer(np.arange(np.abs(units[rows]).max() + 1), np.arange(size // 2 + 1)) / size)
    log_size, negative = np.log(np.maximum(np.abs(cosines), 1e-300)), (cosines < 0).astype(np.float64)
    at_a_time = max(_CELLS // size, 1)
    for start in range(0, len(rows), at_a_time):
        some = rows[start : start + at_a_time]
        p[some] = _tails(units[some], log_size, negative, size)
    return p


def _tails(units: IntArray, log_size: FloatArray, negative: FloatArray, size: int) -> FloatArray:
    """Both tails from |sum| on, the characteristic function being prod cos(unit x angle)."""
    counts = np.stack([(np.abs(units) == value).sum(axis=1) for value in range(len(log_size))], axis=1).astype(np.float64)
    transform = np.exp(counts @ log_size) * (1 - 2 * (np.rint(counts @ negative) % 2))
    mass = np.fft.irfft(transform, size, axis=1)
    total = np.abs(units.sum(axis=1))
    tail = np.arange(size // 2)[None, :] >= total[:, None]
    return np.asarray(np.clip(2 * (mass[:, : size // 2] * tail).sum(axis=1), 0.0, 1.0))


def signed_rank_p(contrasts: Contrasts, families: IntArray | None) -> FloatArray:
    """Two-sided p-values of Wilcoxon's signed-rank test of items, or of the means of whole families, as `ordinal.signed_rank`.

    By the normal limit of the sum of signed ranks, with the sum of their squares as variance, which holds with ties; exact, as
    the sign-flip test of the ranks, for at most 50 differences without ties.
    """
    doubled = _doubled_ranks(_means(contrasts, families))
    total, spread = np.abs(doubled.sum(axis=1)), np.sqrt(_square_sum(doubled))
    p = 2 * special.ndtr(-total / np.maximum(spread, 1e-12))
    several = (doubled != 0).sum(axis=1)
    untied = _square_sum(doubled) > several * (several + 1) * (2 * several + 1) * (4 / 6) - 0.5
    exact = untied & (several <= 50) & (several > 0)
    return np.asarray(np.where(exact, sign_flip_p(doubled, exact), np.where(several > 0, p, 1.0)))


def _means(contrasts: Contrasts, families: IntArray | None) -> IntArray:
    """Means over families, in whole multiples of one step, (R, G)."""
    if families is None:
        return contrasts.units.astype(np.int64)
    sizes = np.diff(np.append(families, contrasts.items))
    return np.asarray(contrasts.units.astype(np.int64) * (math.lcm(*set(sizes.tolist())) // sizes))


def _doubled_ranks(units: IntArray) -> IntArray:
    """Twice the signed rank of every unit among those of its row that are not 0; equal sizes share their mean rank."""
    _, size = np.unique(np.abs(units), return_inverse=True)
    size = size.reshape(units.shape) + (0 if (units == 0).any() else 1)
    kinds = int(size.max()) + 1
    counts = np.bincount((np.arange(len(units))[:, None] * kinds + size).ravel(), minlength=len(units) * kinds)
    counts = counts.reshape(len(units), kinds)
    counts[:, 0] = 0
    doubled = 2 * np.cumsum(counts, axis=1) - counts + 1
    return np.asarray(np.take_along_axis(doubled, size, axis=1) * np.sign(units))


@dataclass(frozen=True, slots=True, eq=False)
class SeedSquares:
    """What a test takes for the variance between training seeds: mean squares (R,) and their degrees of freedom."""

    mean_square: FloatArray
    chance: FloatArray
    degrees_of_freedom: int
    chance_degrees_of_freedom: int


def student(contrasts: Contrasts) -> tuple[FloatArray, FloatArray]:
    """Standard error and degrees of freedom of the t-test over items alone."""
    return np.sqrt(contrasts.item_variance), np.full(len(contrasts.effect), float(contrasts.item_df))


def crossed(contrasts: Contrasts, seeds: SeedSquares, weight: float) -> tuple[FloatArray, FloatArray]:
    """Standard error and degrees of freedom of the crossed item x seed t-test."""
    freedom = Freedom(contrasts.item_df, seeds.degrees_of_freedom, seeds.chance_degrees_of_freedom)
    return combined_error(contrasts.item_variance, seeds.mean_square, seeds.chance, weight, freedom)


def t_above(statistic: FloatArray, df: FloatArray) -> FloatArray:
    """The chance of a larger t."""
    return np.asarray(special.stdtr(df, -statistic))
