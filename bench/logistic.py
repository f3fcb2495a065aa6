"""Logistic regression with a ridge, by Newton's method."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_STEPS = 25


def logistic(x: Floats, y: NDArray[np.bool_], weight: Floats, ridge: float) -> tuple[float, Floats]:
    """The constant and a weight for each column of x; the ridge is on standardised columns, the constant has none.

    Args:
        x: one row per example.
        y: what is to be told.
        weight: of each example.
        ridge: how strongly weights are drawn to 0.
    """
    centre, spread = x.mean(axis=0), np.maximum(x.std(axis=0), 1e-9)
    rows = np.column_stack([np.ones(len(x)), (x - centre) / spread])
    drawn = np.diag([0.0, *[ridge] * x.shape[1]])
    beta = np.zeros(rows.shape[1])
    for _ in range(_STEPS):
        p = 1 / (1 + np.exp(-rows @ beta))
        hessian = rows.T @ (rows * (weight * p * (1 - p))[:, None]) + drawn
        beta += np.linalg.solve(hessian, rows.T @ (weight * (y - p)) - drawn @ beta)
    scaled = beta[1:] / spread
    return float(beta[0] - scaled @ centre), scaled
