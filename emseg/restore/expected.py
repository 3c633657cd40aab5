"""What photographs make of a patch: a covariance for each, to hold on to where patches like it are few or uncertain."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np

from emseg.restore.mixture import PatchMixture, coordinates
from emseg.restore.patches import AREA, Real, cosines
from emseg.restore.prior import photographs

LEAST_NOISE = 3.0  # grey levels; a guess is never nearer to the truth


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
        self.label = replace(photographs(), noise=noise, least=1.0).log_joint(x).argmax(0)
        self.unit = unit

    def covariances(self, part: slice) -> Real:
        """Those of a part of the patches, (n, 64, 64)."""
        found: Real = _covariances(photographs())[self.label[part]]
        if self.unit != 1:
            found /= np.float32(self.unit**2)
        return found


@lru_cache(maxsize=1)
def _covariances(mixture: PatchMixture) -> Real:
    """Covariances of pixels, (K, 64, 64), from those of cosine coefficients but the constant."""
    turned = cosines()[:, 1:] @ mixture.axes.astype(np.float32)
    found: Real = (turned * mixture.variances[:, None].astype(np.float32)) @ np.swapaxes(turned, 1, 2)
    assert found.shape[1:] == (AREA, AREA)
    return found
