"""How far pixels are from the marks of each class, along paths that avoid borders (Bai & Sapiro 2007; Price 2010).

A step costs what the probability of some class changes by over it, and a little in any case. So a path within an object
is short, and one that crosses its border is long, whatever their lengths in pixels.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Real = NDArray[np.floating[Any]]
STEP = 0.01  # cost of a pixel, in units of probability, where nothing changes


def nearness(probabilities: Real, marks: NDArray[np.uint8], valid: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Distance to the marks of each class over that to the two nearest classes together, 0…1, shape (K, ...).

    Parameters
    ----------
    probabilities : ndarray, shape (K, ...)
        Of the classes at each pixel by its colour.
    marks : ndarray of uint8, the grid's shape
        1…K; 0 elsewhere.
    valid : ndarray of bool, the grid's shape
        Where paths may go.
    """
    from skimage.graph import MCP_Geometric  # takes 50 ms

    k = len(probabilities)
    out = np.ones((k, *marks.shape), np.float32)
    for label in range(k):
        cost = STEP + _slope(np.asarray(probabilities[label], np.float64))
        cost = np.where(valid, cost, -1.0)  # no path
        seeds = np.argwhere(marks == label + 1)
        if len(seeds):
            out[label] = MCP_Geometric(cost).find_costs(seeds.tolist())[0]
        else:
            out[label] = np.inf
    nearest = np.partition(out, min(1, k - 1), axis=0)[:2].sum(0)
    with np.errstate(invalid="ignore"):
        shares = np.where(np.isfinite(out), out / np.maximum(nearest, np.float32(1e-9)), 1)
    return np.asarray(np.minimum(shares, 1), np.float32)


def _slope(plane: NDArray[np.float64]) -> NDArray[np.float64]:
    """Length of the gradient."""
    square = np.zeros(plane.shape)
    for axis, length in enumerate(plane.shape):
        if length > 1:
            square += np.gradient(plane, axis=axis) ** 2
    return np.sqrt(square)
