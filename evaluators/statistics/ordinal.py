"""Scores with more than two values: the signed-rank test on items."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from scipy import stats

from evaluators.statistics.clusters import variance_of_mean
from evaluators.statistics.outcome import FloatArray, IntArray, Refusal, TestResult, t_result
from evaluators.statistics.paired import sign_flip_p

_MOST_EXACT = 100
"""Differences up to which the distribution of the rank sum is computed exactly, ties included."""


def signed_rank(differences: FloatArray, families: IntArray | None = None, level: float = 0.95) -> TestResult | Refusal:
    """Wilcoxon's signed-rank test that item differences (n,), averaged over seeds, are symmetric around 0.

    Differences of 0 are dropped, equal ones share their mean rank; exact given the ranks, beyond 100 differences by the normal
    limit. With `families` the means of whole families are ranked. The interval is Student's on the item differences, clustered
    by family. Source: Wilcoxon (1945), Individual comparisons by ranking methods.
    """
    n = len(differences)
    if n < 2:
        return Refusal("no item was applicable to both arms" if n == 0 else "one item has no spread to test by")
    units = differences if families is None else np.bincount(families, weights=differences) / np.bincount(families)
    if families is not None and len(units) < 2:
        return Refusal("all items come from one template family, so nothing can be said beyond it")
    variance, df = variance_of_mean(differences, families)
    name = "Wilcoxon signed-rank test on items" + ("" if families is None else ", whole families ranked")
    result = t_result(name, float(differences.mean()), math.sqrt(variance), df, level)
    return replace(result, p=signed_rank_p(np.asarray(units)))


def signed_rank_p(differences: FloatArray) -> float:
    """The two-sided p-value of Wilcoxon's signed-rank test of differences (n,)."""
    known = differences[np.abs(differences) > 1e-12].round(12)  # equal ones stay equal in whatever order they were averaged
    if len(known) <= _MOST_EXACT:
        return sign_flip_p(np.sign(known) * stats.rankdata(np.abs(known)))
    return float(stats.wilcoxon(known, zero_method="wilcox", method="approx").pvalue)
