"""What photographs make of a patch: a covariance for each, to hold on to where patches like it are few or uncertain."""

from __future__ import annotations

from copy import copy
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emseg.restore.patch.patch_mixture import PatchMixture, coordinates
from emseg.restore.patch.patches import Real, cosines
from emseg.restore.patch.photographs import photographs

LEAST_NOISE = 3.0  # grey levels; a guess is never nearer to the truth
LEAST = 4.0  # of the noise: axes with less do not help to tell components apart here, see `PatchMixture`


class Expected:
    """Covariances of the components that patches most probably come from.

    Parameters
    ----------
    patches : ndarray of float32, shape (N, 64)
    sigma : float
        How far they may be off.
    unit : float
        What brings them to units in which white has 255.
    """

    def __init__(self, patches: Real, sigma: float, unit: float) -> None:
        noise = max(unit * sigma, LEAST_NOISE) ** 2
        x = np.ascontiguousarray(coordinates(patches * np.float32(unit))[1:])
        self.label = replace(photographs(), noise=noise, least=LEAST).log_joint(x).argmax(0)
        self.unit = unit

    def __getitem__(self, part: NDArray[np.intp] | slice) -> Expected:
        """Those of some of the patches."""
        found = copy(self)
        found.label = self.label[part]
        return found

    def rows(self, pixels: NDArray[np.intp]) -> Real:
        """Rows of the covariances, (N, n, 64), of pixels (N, n)."""
        return self._in_units(_covariances(photographs())[self.label[:, None], pixels])

    @property
    def variances(self) -> Real:
        """Variances of pixels, (N, 64)."""
        return self._in_units(np.einsum("kii->ki", _covariances(photographs()))[self.label])

    def _in_units(self, found: Real) -> Real:
        if self.unit != 1:
            found /= np.float32(self.unit**2)
        return found


@lru_cache(maxsize=1)
def _covariances(mixture: PatchMixture) -> Real:
    """Covariances of pixels, (K, 64, 64), from those of cosine coefficients but the constant."""
    return _of_pixels(mixture.axes, mixture.variances)


@lru_cache(maxsize=8)
def precisions(variance: float) -> Real:
    """(Σ_k + variance)⁻¹ of pixels, (K, 64, 64), which do not mind a constant added to a patch."""
    mixture = photographs()
    return _of_pixels(mixture.axes, 1 / (mixture.variances + variance))


def _of_pixels(axes: NDArray[np.floating[Any]], values: NDArray[np.float64]) -> Real:
    """Matrices (K, 64, 64) with these axes, in cosine coefficients but the constant, and values."""
    turned = cosines()[:, 1:] @ axes.astype(np.float32)
    found: Real = (turned * values[:, None].astype(np.float32)) @ np.swapaxes(turned, 1, 2)
    return found
