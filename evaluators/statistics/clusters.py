"""The variance of a mean over items, where items of one template family resemble each other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from evaluators.statistics.outcome import FloatArray, IntArray


class MeanVariance(NamedTuple):
    """The squared standard error of a mean, and the degrees of freedom it was estimated with."""

    variance: float
    degrees_of_freedom: int


def family_codes(families: Sequence[str]) -> IntArray | None:
    """Families numbered 0..G-1, (n,); an empty name stands alone; None when no two items share a family."""
    names = [name or f"\0{i}" for i, name in enumerate(families)]
    labels, codes = np.unique(names, return_inverse=True)
    return None if len(labels) == len(names) else codes.astype(np.int64)


def variance_of_mean(values: FloatArray, families: IntArray | None = None) -> MeanVariance:
    """The squared standard error of the mean of `values` (n,), clustered by `families` (n,) where given.

    Independent items: Var(x) / n, n - 1 degrees of freedom. Families: G/(G-1) sum_g (sum_{i in g} (x_i - mean))^2 / n^2, with
    G - 1 degrees of freedom (Liang and Zeger 1986; Miller 2024, Adding error bars to evals), and never less than the former,
    because few families make the clustered estimate fall short. Where all values are equal the data know no spread; it is then
    taken as if one more item had favoured each side (Bonett and Price 2012), which keeps standard errors positive.
    """
    n = len(values)
    if np.ptp(values) < 1e-12:
        widened = np.append(values, [1.0, -1.0])
        independent = float(widened.var() / n)
    else:
        independent = float(values.var(ddof=1) / n)
    if families is None:
        return MeanVariance(independent, n - 1)
    sums = np.bincount(families, weights=values - values.mean())
    groups = len(sums)
    clustered = float(groups / (groups - 1) * (sums**2).sum() / n**2) if groups > 1 else 0.0
    return MeanVariance(max(independent, clustered), groups - 1)
