"""Blending two estimates pixel by pixel: members shrunk once, and members shrunk twice.

The second shrinking removes noise where an image repeats itself, and faint texture where it does not. Removed noise is
small relative to the contrast around the pixel, and removed texture is larger. So the weight of the second estimate is
linear in the logarithms of both. `tests/benchmarks/blend_weights.py` fits the three coefficients.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emseg.numerics.box_mean import box_mean
from emseg.restore.patch.patches import Real

#: c₀, c₁, c₂ of w = c₀ + c₁ log(e + FAINT) + c₂ log(v + FLAT), with e the mean squared difference of the estimates and
#: v the variance around a pixel, both in units of σ².
WEIGHTS = -0.728, -0.401, 0.463
FAINT, FLAT = 3e-4, 0.05  # keep the logarithms finite; chosen with the coefficients
AROUND, WINDOW = 15, 25  # pixels a side of the squares over which variances and means are taken
LEAST, MOST = -0.5, 1.5  # bounds of the weight


def features(once: Real, twice: Real, sigma: float) -> tuple[Real, Real]:
    """log(e + FAINT) and log(v + FLAT) of two estimates (H, W) of a channel."""
    taken = box_mean((twice - once) ** 2, WINDOW)
    contrast = box_mean((once - box_mean(once, AROUND)) ** 2, WINDOW)
    faint: Real = np.log(np.maximum(taken / sigma**2, 0) + FAINT)
    flat: Real = np.log(np.maximum(contrast / sigma**2, 0) + FLAT)
    return faint, flat


def blended(estimates: Real, sigma: NDArray[np.float64]) -> Real:
    """One estimate of each channel, from two.

    Parameters
    ----------
    estimates : ndarray of float32, shape (2, C, H, W)
        With members shrunk once, and twice.
    sigma : ndarray, shape (C,)
        Noise level of each channel.

    Returns
    -------
    ndarray of float32, shape (C, H, W)
    """
    found: Real = np.empty_like(estimates[0])
    for c, s in enumerate(sigma.tolist()):
        once, twice = estimates[:, c]
        taken, contrast = features(once, twice, s)
        weight = np.clip(WEIGHTS[0] + WEIGHTS[1] * taken + WEIGHTS[2] * contrast, LEAST, MOST)
        found[c] = once + weight * (twice - once)
    return found
