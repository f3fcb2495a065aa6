"""An overall order of several arms from item by item comparisons."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evaluators.statistics.outcome import FloatArray, IntArray, Refusal

_PRIOR = 0.5
"""Wins that every arm is given over every other beforehand: an arm that always won would be infinitely strong."""
_STEPS = 2000
_TOLERANCE = 1e-8


@dataclass(frozen=True, slots=True)
class Order:
    """Strengths of K arms, with what resampling says of them."""

    strengths: FloatArray
    """(K,), log scale, summing to 0: arm i beats arm j with probability 1 / (1 + exp(s_j - s_i))."""
    low: FloatArray
    high: FloatArray
    """(K,), percentiles of the bootstrap."""
    wins: FloatArray
    """(K,), share of comparisons won, ties counting half."""


def bradley_terry(wins: FloatArray) -> FloatArray:
    """Log-strengths (..., K) from wins (..., K, K), wins[i, j] being how often i beat j, a tie half a win for both.

    The maximum of the likelihood prod (p_i / (p_i + p_j))^wins[i, j], found by minorization-maximization: p_i <- W_i / sum_j
    n_ij / (p_i + p_j). It exists where no group of arms wins all its comparisons with the rest. Sources: Bradley and Terry
    (1952), Rank analysis of incomplete block designs; Hunter (2004), MM algorithms for generalized Bradley-Terry models.
    """
    won = wins.sum(axis=-1)
    played = wins + np.swapaxes(wins, -1, -2)
    p = np.ones_like(won)
    for _ in range(_STEPS):
        new = won / (played / (p[..., :, None] + p[..., None, :])).sum(axis=-1)
        new /= np.exp(np.log(new).mean(axis=-1, keepdims=True))
        moved = float(np.abs(np.log(new / p)).max())
        p = new
        if moved < _TOLERANCE:
            break
    return np.asarray(np.log(p))


def overall_order(
    scores: FloatArray, families: IntArray | None = None, *, level: float = 0.95, resamples: int = 500, seed: int = 0
) -> Order | Refusal:
    """Bradley-Terry strengths of K arms from their scores (K, n) on the same items, NaN where one has none.

    Every item is a comparison of every two arms that both have a score on it. The interval draws items (whole `families`) with
    replacement.
    """
    arms = len(scores)
    if arms < 2:
        return Refusal("one arm has no order")
    better = _comparisons(scores)
    units = better if families is None else np.stack([np.bincount(families, weights=column) for column in better.T], axis=1)
    if len(units) < 2:
        return Refusal("one item, or one family of items, says nothing about others")
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(len(units), np.full(len(units), 1 / len(units)), size=resamples)
    prior = _PRIOR * (1 - np.eye(arms))
    total = units.sum(axis=0).reshape(arms, arms)
    resampled = bradley_terry((drawn @ units).reshape(resamples, arms, arms) + prior)
    low, high = np.quantile(resampled, [(1 - level) / 2, (1 + level) / 2], axis=0)
    played = (total + total.T).sum(axis=1)
    shares = np.divide(total.sum(axis=1), played, out=np.full(arms, 0.5), where=played > 0)
    return Order(bradley_terry(total + prior), low, high, shares)


def _comparisons(scores: FloatArray) -> FloatArray:
    """Wins of row over column arm on every item, (n, K * K)."""
    difference = scores.T[:, :, None] - scores.T[:, None, :]
    wins = np.where(np.abs(difference) < 1e-9, 0.5, np.where(difference > 0, 1.0, 0.0))
    wins[np.isnan(difference)] = 0.0
    wins[:, np.arange(len(scores)), np.arange(len(scores))] = 0.0
    return np.asarray(wins.reshape(len(wins), -1))
