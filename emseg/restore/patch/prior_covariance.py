"""Prior covariances of patches: those of the most probable components of the mixture of photographs."""

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

LEAST_NOISE = 3.0  # grey levels: no guess of a missing pixel is nearer to the truth
LEAST = 4.0  # multiple of the noise variance: axes with less do not help to tell components apart, see `PatchMixture`


class PriorCovariances:
    """Covariances of the most probable component of each patch.

    Parameters
    ----------
    patches : ndarray of float32, shape (N, 64)
    sigma : float
        Standard error of the patches.
    unit : float
        Factor that brings the patches to units with white at 255.
    """

    def __init__(self, patches: Real, sigma: float, unit: float) -> None:
        noise = max(unit * sigma, LEAST_NOISE) ** 2
        x = np.ascontiguousarray(coordinates(patches * np.float32(unit))[1:])
        self.label = replace(photographs(), noise=noise, least=LEAST).log_joint(x).argmax(0)
        self.unit = unit

    def __getitem__(self, part: NDArray[np.intp] | slice) -> PriorCovariances:
        """The covariances of a part of the patches."""
        found = copy(self)
        found.label = self.label[part]
        return found

    def rows(self, pixels: NDArray[np.intp]) -> Real:
        """Rows (N, n, 64) of the covariances, for the pixels with indices (N, n)."""
        return self._in_units(_covariances(photographs())[self.label[:, None], pixels])

    @property
    def variances(self) -> Real:
        """Variances of the pixels; shape (N, 64)."""
        return self._in_units(np.einsum("kii->ki", _covariances(photographs()))[self.label])

    def _in_units(self, found: Real) -> Real:
        if self.unit != 1:
            found /= np.float32(self.unit**2)
        return found


@lru_cache(maxsize=1)
def _covariances(mixture: PatchMixture) -> Real:
    """Covariances of pixels (K, 64, 64), from those of the cosine coefficients without the constant."""
    return _of_pixels(mixture.axes, mixture.variances)


@lru_cache(maxsize=8)
def precisions(variance: float) -> Real:
    """(Σ_k + variance)⁻¹ of pixels (K, 64, 64). A constant added to a patch changes none of their forms."""
    mixture = photographs()
    return _of_pixels(mixture.axes, 1 / (mixture.variances + variance))


def _of_pixels(axes: NDArray[np.floating[Any]], values: NDArray[np.float64]) -> Real:
    """Matrices (K, 64, 64) of pixels, from axes and eigenvalues in cosine coefficients without the constant."""
    turned = cosines()[:, 1:] @ axes.astype(np.float32)
    found: Real = (turned * values[:, None].astype(np.float32)) @ np.swapaxes(turned, 1, 2)
    return found
