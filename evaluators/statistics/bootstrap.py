"""Bootstrap interval for aggregates that have no formula."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np
from scipy import stats

from evaluators.statistics.outcome import FloatArray, Interval, Refusal


def stratified_bca(
    values: FloatArray, strata: Sequence[str], *, level: float = 0.95, resamples: int = 10_000, seed: int = 0
) -> Interval | Refusal:
    """Bias-corrected and accelerated bootstrap interval of the mean of `values` (n,), items drawn within their strata.

    The mean is taken as sum_h (n_h / n) mean_h, with the share of every stratum held fixed, as a stratified split drew it.
    Source: Efron (1987), Better bootstrap confidence intervals; scipy.stats.bootstrap.
    """
    names, codes = np.unique(list(strata), return_inverse=True)
    groups = [values[codes == h] for h in range(len(names))]
    if any(len(group) < 2 for group in groups):
        return Refusal("every stratum needs at least two items")
    if all(np.ptp(group) == 0 for group in groups):
        return Refusal("all values of a stratum are equal: resampling them shows no spread")
    shares = np.array([len(group) / len(values) for group in groups])

    def statistic(*samples: FloatArray, axis: int = -1) -> FloatArray:
        means = [share * sample.mean(axis=axis) for share, sample in zip(shares, samples, strict=True)]
        return np.asarray(sum(means))

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # degenerate resamples are dealt with below
        found = stats.bootstrap(
            groups,
            statistic,
            method="BCa",
            n_resamples=resamples,
            confidence_level=level,
            rng=np.random.default_rng(seed),
            batch=500,
        ).confidence_interval
    if not np.isfinite([found.low, found.high]).all():
        return Refusal("the bootstrap distribution is degenerate")
    return Interval(float(found.low), float(found.high))
