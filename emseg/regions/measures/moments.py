"""Second moments of regions: axes, eccentricity, orientation, as scikit-image's `regionprops` defines them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from emseg.regions.measures.runs import Runs

Array = NDArray[np.float64]
#: Differences of moments, relative to their sum, that are rounding: a disc has no long axis.
ROUNDING = 1e-10


def covariances(runs: Runs, sides: Sequence[float]) -> Array:
    """Covariance matrices of the places of each region's pixels, shape (R, d, d); d is the number of axes.

    Parameters
    ----------
    runs : Runs
        Of the regions.
    sides : sequence of float
        Lengths of a pixel's sides by axis, which places are multiplied by.
    """
    d = len(runs.places)
    apart = (runs.middles - runs.centres.T[:, runs.owners]) * np.asarray(sides, np.float64)[:, None]
    out = np.zeros((runs.regions, d, d))
    for i in range(d):
        for j in range(i + 1):
            products = runs.lengths * apart[i] * apart[j]
            if i == j == d - 1:  # pixels of a run lie evenly around its middle
                products += runs.lengths * (runs.lengths**2 - 1) / 12 * sides[-1] ** 2
            out[:, i, j] = out[:, j, i] = np.bincount(runs.owners, products, runs.regions) / np.maximum(runs.areas, 1)
    return out


def axis_lengths(covariance: Array) -> Array:
    """Lengths of the axes of the ellipse, or ellipsoid, with these covariances, the longest first; shape (R, d)."""
    d = covariance.shape[-1]
    spread = np.maximum(np.linalg.eigvalsh(covariance)[:, ::-1], 0)
    # The variance along a half axis a of a solid is a² / (d + 2).
    return np.asarray(2 * np.sqrt((d + 2) * spread))


def eccentricity(covariance: Array) -> Array:
    """Of the ellipses with these covariances (R, 2, 2): 0 is a circle, and 1 a line; shape (R,)."""
    long, short = axis_lengths(covariance).T
    left = 1 - np.divide(short, long, out=np.ones_like(long), where=long > 0) ** 2
    return np.asarray(np.sqrt(np.where(left > ROUNDING, left, 0)))


def orientation(covariance: Array) -> Array:
    """Angles in degrees from the rows' axis, which points down, to the long axis; -90 to 90, positive to the right.

    Parameters
    ----------
    covariance : ndarray, shape (R, 2, 2)
        Along the rows' axis and the columns'.
    """
    down, right, both = covariance[:, 0, 0], covariance[:, 1, 1], covariance[:, 0, 1]
    least = ROUNDING * (down + right)
    across, along = (np.where(np.abs(part) > least, part, 0.0) for part in (2 * both, down - right))
    return np.asarray(np.degrees(np.arctan2(across, along)) / 2)
