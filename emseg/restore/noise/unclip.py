"""Undoing the bias at the ends of the range, where cut-off noise has a mean that is not zero."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from emseg.numerics.normal import density, distribution

SHARE = 1e-3  # share of pixels at an end above which the end counts
GRID = 512  # points of the table of the inverse: linear between them, it is exact to 1e-4 σ


def unclipped(
    estimate: NDArray[np.float32], noisy: NDArray[Any], sigma: float, ends: tuple[float, float]
) -> NDArray[np.float32]:
    """The μ with E[clip(μ + n)] = estimate, n ~ N(0, σ²). The estimate stays where the noisy values show no cut.

    Parameters
    ----------
    estimate, noisy : ndarray, of one shape
    sigma : float
    ends : (float, float)
        Smallest and largest value that can be stored.
    """
    for end, sign in zip(ends, (1.0, -1.0), strict=True):
        if (sign * (noisy - end) <= 0).mean() < SHARE:
            continue
        # In units of σ above the end, the mean of max(μ + n, 0) is μ Φ(μ) + φ(μ).
        mu = np.linspace(-3, 5, GRID)
        seen = mu * distribution(mu) + density(mu)
        above = sign * (estimate - end) / sigma
        lifted = np.interp(above, seen, mu).astype(np.float32)
        estimate = np.where(above < mu[-1], end + sign * sigma * lifted, estimate).astype(np.float32)
    return estimate
