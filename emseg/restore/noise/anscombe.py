"""The generalised Anscombe transform, which makes photon noise white, and its exact unbiased inverse.

A stored value is y = α p + n, with p a Poisson count of mean λ and n ~ N(0, σ²). With s = σ/α,
f(y) = 2 √(y/α + 3/8 + s²) has noise of level 1 (Anscombe 1948, Biometrika 35; Starck, Murtagh & Bijaoui 1998). A
denoiser estimates E[f | λ]. So the inverse maps E[f | λ] to λ, and is not the inverse of f itself (Mäkitalo & Foi 2011,
2013, IEEE Trans. Image Process. 20, 22).
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emseg.records import record
from emseg.restore.noise.level import noise_level

Array = NDArray[np.float64]
#: Counts. Above, the asymptotic inverse is off by less than 0.014 counts, measured up to 10,000; the noise there is 8
#: counts and more.
MOST = 60.0
ROUNDS, CLOSE = 12, 1e-3  # iterations of the search for the gain, and the relative error at which it stops
ENOUGH, LEAST = 7.0, 48  # counts a pixel that the search needs, and the least side in pixels for summing pixels
TINY = 1e-3  # smallest gain that the search assumes, relative to the standard deviation of all values


@record(frozen=True)
class Anscombe:
    """The transform for gain α and Gaussian noise σ, both in stored units.

    Attributes
    ----------
    gain : float
    sigma : float
    """

    gain: float
    sigma: float = 0.0

    def forward(self, y: NDArray[Any]) -> Array:
        """f(y): values whose noise has standard deviation 1."""
        s = self.sigma / self.gain
        found: Array = 2 * np.sqrt(np.maximum(np.asarray(y, np.float64) / self.gain + 0.375 + s * s, 0))
        return found

    def inverse(self, found: NDArray[Any]) -> Array:
        """The means α λ of the stored values, from the means of their transforms."""
        counts, means = self._table
        d = np.asarray(found, np.float64)
        s = self.sigma / self.gain
        far = np.maximum(d, means[-1])
        asymptotic = far**2 / 4 - 0.125 - s * s + np.sqrt(1.5) / (4 * far) - 11 / (8 * far**2)
        near = np.interp(d, means, counts)
        # A constant closes the gap between table and asymptotic inverse where they meet.
        joint = means[-1] ** 2 / 4 - 0.125 - s * s + np.sqrt(1.5) / (4 * means[-1]) - 11 / (8 * means[-1] ** 2)
        result: Array = self.gain * np.where(d < means[-1], near, asymptotic + counts[-1] - joint)
        return result

    @cached_property
    def _table(self) -> tuple[Array, Array]:
        """A table of λ and E[f | λ]."""
        from scipy.special import gammaln, xlogy

        s = self.sigma / self.gain
        counts = np.concatenate([np.linspace(0, 1, 101)[:-1], np.linspace(1, np.sqrt(MOST), 400) ** 2])
        p = np.arange(int(MOST + 10 * np.sqrt(MOST)))
        nodes, weight = np.polynomial.hermite_e.hermegauss(31 if s > 0 else 1)
        values = 2 * np.sqrt(np.maximum(p[:, None] + s * nodes + 0.375 + s * s, 0)) @ (weight / weight.sum())
        chance = np.exp(xlogy(p, counts[:, None]) - counts[:, None] - gammaln(p + 1))
        return counts, chance @ values


def photon_gain(plane: NDArray[Any], valid: NDArray[np.bool_] | None = None, sigma: float = 0.0) -> float:
    """The gain α with which the transform of a plane (H, W) has noise of level 1; 0 if no noise is found.

    No transform makes the noise of very few counts white. Sums over 2 × 2 pixels are counts too, with the same gain,
    and larger. So the function sums pixels until there are enough counts. Noise that is cut off at 0 is left out.
    """
    y, inside, side = np.asarray(plane, np.float64), np.ones(np.shape(plane), bool) if valid is None else valid, 1
    gain = _gain(y, inside, sigma)
    while (
        inside.any()
        and min(y.shape) >= 2 * LEAST
        and 0 <= y[inside].mean() < ENOUGH * max(gain, TINY * y[inside].std())
    ):
        y, inside, side = _summed(y), _summed(inside) == 4, 2 * side
        gain = _gain(y, inside, side * sigma) or gain
    return gain


def _gain(y: Array, valid: NDArray[np.bool_], sigma: float) -> float:
    """The gain by fixed-point iteration: the measured level squared corrects it; 0 if no noise is found."""
    mean = float(np.maximum(y[valid], 0).mean()) if valid.any() else 0.0
    level = noise_level(y.astype(np.float32), valid)
    if level <= 0 or mean <= 0:
        return 0.0
    gain = max(level**2 - sigma**2, 0.01 * level**2) / mean
    for _ in range(ROUNDS):
        transform = Anscombe(gain, sigma)
        nothing = float(transform.forward(np.zeros(1))[0])
        white = transform.forward(y).astype(np.float32)
        seen = noise_level(white, valid, (nothing, np.inf)) or noise_level(white, valid)
        gain *= max(seen, 0.1) ** 2
        if abs(seen - 1) < CLOSE:
            break
    return gain


def _summed(y: NDArray[Any]) -> Array:
    """Sums over squares of 2 × 2 pixels, without an odd last row or column."""
    height, width = (length // 2 * 2 for length in y.shape)
    found: Array = y[:height, :width].reshape(height // 2, 2, width // 2, 2).sum((1, 3), dtype=np.float64)
    return found
