"""Corrections for asking several questions of one experiment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from scipy import stats

from evaluators.statistics.outcome import FloatArray

Correction = Literal["holm", "bonferroni", "bh", "by", "none"]


def adjust(p_values: Sequence[float | None], correction: Correction) -> list[float | None]:
    """Adjusted p-values in the order given; None (a test that was refused) stays None and does not count as a test.

    `holm` (Holm 1979) and `bonferroni` hold the chance of any false finding at the level one compares with, under every
    dependence; `bh` (Benjamini and Hochberg 1995) holds the expected share of false findings, for independent or positively
    dependent tests, `by` (Benjamini and Yekutieli 2001) for all.
    """
    known = np.array([p for p in p_values if p is not None], dtype=np.float64)
    adjusted = iter(_adjusted(known, correction).tolist() if len(known) else ())
    return [None if p is None else next(adjusted) for p in p_values]


def _adjusted(p: FloatArray, correction: Correction) -> FloatArray:
    if correction == "none":
        return p
    if correction == "holm":
        return _holm(p)
    if correction == "bonferroni":
        return np.minimum(len(p) * p, 1.0)
    return np.asarray(stats.false_discovery_control(p, method=correction))


def _holm(p: FloatArray) -> FloatArray:
    """The running maximum of (m - rank + 1) p, cut at 1.

    scipy has no Holm, and statsmodels' multipletests collects garbage at every call: a fifth of a second beside many scores.
    """
    order = np.argsort(p)
    stepped = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(stepped, 1.0)
    return adjusted


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Holm's step-down adjustment: the running maximum of (m - rank + 1) p, cut at 1."""
    return adjust(p_values, "holm")


def benjamini_hochberg(p_values: Sequence[float | None]) -> list[float | None]:
    """Benjamini and Hochberg's step-up adjustment: the running minimum from the largest of m p / rank."""
    return adjust(p_values, "bh")
