"""Tests on paired items: exact McNemar for one checkpoint against another, sign-flip for differences averaged over seeds.

Both condition on the checkpoints at hand. They say nothing about the training that made them: with several seeds they stay
blind to the variance between seeds (see `crossed`).
"""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction

import numpy as np
from scipy import fft, stats

from evaluators.statistics.clusters import variance_of_mean
from evaluators.statistics.intervals import tango, tango_score
from evaluators.statistics.outcome import FloatArray, IntArray, Refusal, TestResult, t_result

MCNEMAR = "exact McNemar test"
RESOLUTION = 1e-12
"""Smallest p-value told apart: exact ones are sums of float64 terms, and nobody needs more."""
_LARGEST_GRID = 1 << 19
_RESAMPLES = 20_000


def mcnemar_exact(first: FloatArray, second: FloatArray, level: float = 0.95) -> TestResult | Refusal:
    """Exact McNemar test of 0/1 outcomes (n,) of two checkpoints on the same items, with Tango's interval of the difference.

    Two-sided binomial test of b against c at probability 1/2, where b and c count the items only the first, only the second
    passed. Source: McNemar (1947), Note on the sampling error of the difference between correlated proportions or percentages.
    """
    n = len(first)
    if n == 0:
        return Refusal("no item was applicable to both arms")
    b, c = int((first > second).sum()), int((first < second).sum())
    p = float(stats.binomtest(b, b + c).pvalue) if b + c else 1.0
    return TestResult(
        test=MCNEMAR,
        effect=(b - c) / n,
        p=max(p, RESOLUTION),
        interval=tango(b, c, n, level),
        level=level,
        score=lambda bound: tango_score(b, c, n, bound),
    )


def sign_flip(
    differences: FloatArray, families: IntArray | None = None, level: float = 0.95, seed: int = 0
) -> TestResult | Refusal:
    """Sign-flip (permutation) test that item differences (n,), averaged over seeds, are symmetric around 0.

    p = share of the 2^m sign patterns, over items or whole families, whose |sum| is at least the observed one (Fisher 1935, The
    design of experiments, section 21). The interval is Student's on the item differences, clustered by family.
    """
    n = len(differences)
    if n == 0:
        return Refusal("no item was applicable to both arms")
    units = differences if families is None else np.asarray(np.bincount(families, weights=differences), dtype=np.float64)
    if families is not None and len(units) < 2:
        return Refusal("all items come from one template family, so nothing can be said beyond it")
    name = "sign-flip test on items averaged over seeds" + ("" if families is None else ", flipping whole families")
    effect, p = float(differences.mean()), sign_flip_p(units, seed)
    if n == 1:
        b, c = max(effect, 0.0), max(-effect, 0.0)
        return TestResult(name, effect, p, tango(b, c, 1, level), level, lambda bound: tango_score(b, c, 1, bound))
    variance, df = variance_of_mean(differences, families)
    return replace(t_result(name, effect, math.sqrt(variance), df, level), p=p)


def sign_flip_p(units: FloatArray, seed: int = 0) -> float:
    """Two-sided p-value of sum(units) under independent random signs; exact when the units lie on a common grid.

    On a grid, the sum's distribution is the Fourier transform of its characteristic function prod_i cos(u_i t): exact for any
    number of units, up to `RESOLUTION`. Otherwise 20,000 random patterns, seeded, the observed one counted in
    (Phipson and Smyth 2010: a Monte Carlo p-value is never 0).
    """
    units = units[np.abs(units) > 1e-12]
    if len(units) == 0:
        return 1.0
    grid = _on_grid(units)
    p = _resampled_p(units, seed) if grid is None else _exact_p(grid)
    return min(max(p, RESOLUTION, 2.0 ** (1 - len(units))), 1.0)


def _on_grid(units: FloatArray) -> IntArray | None:
    """The units as whole multiples of one step, or None when there is none coarse enough to sum over."""
    step = 1
    for value in np.unique(np.round(np.abs(units), 9)):
        step = math.lcm(step, Fraction(float(value)).limit_denominator(1000).denominator)
        if step > _LARGEST_GRID:
            return None
    whole = np.rint(units * step)
    if np.abs(whole - units * step).max() > 1e-6 * step or np.abs(whole).sum() * 2 >= _LARGEST_GRID:
        return None
    return whole.astype(np.int64)


def _exact_p(grid: IntArray) -> float:
    total, reach = abs(int(grid.sum())), int(np.abs(grid).sum())
    size = fft.next_fast_len(2 * reach + 1)
    angles = 2 * np.pi * np.arange(size) / size
    transform = np.ones(size)
    for value, count in zip(*np.unique(np.abs(grid), return_counts=True), strict=True):
        transform *= np.cos(value * angles) ** count
    mass = fft.fft(transform).real / size
    return float(2 * mass[total : reach + 1].sum()) if total else 1.0


def _resampled_p(units: FloatArray, seed: int) -> float:
    rng = np.random.default_rng(seed)
    observed = abs(units.sum()) - 1e-9
    as_large = 0
    for _ in range(_RESAMPLES // 1000):
        signs = rng.integers(0, 2, (1000, len(units)), dtype=np.int8) * 2 - 1
        as_large += int((np.abs(signs @ units) >= observed).sum())
    return (as_large + 1) / (_RESAMPLES + 1)
