"""Values that were cut off at the ends of their range, as what they are: incomplete data, with an E-step of their own.

Of a pixel that is stored as the smallest number all that is known is that mean plus noise was no larger. Given an
estimate μ of the mean, the expectation of what it was before, E[μ + n | μ + n ≤ end] = μ - σ φ(a)/Φ(a) with
a = (end - μ)/σ, takes its place (Dempster, Laird & Rubin 1977, section 4.2), and likewise at the other end.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emseg.numerics.normal import below
from emseg.restore.colour_rotation import turned
from emseg.restore.noise.unclip import SHARE, unclipped
from emseg.restore.patch.patches import Real

Array = NDArray[np.float64]
ROUNDING = 1e-3  # grey levels, within which a value is at an end


@dataclass(frozen=True, eq=False)
class Censored:
    """Channels of an image with noise that was cut off.

    Attributes
    ----------
    values : ndarray of float32, shape (C, H, W)
        As stored.
    sigma : ndarray, shape (C,)
        Noise level of each.
    ends : (float, float)
        Smallest and largest value that can be stored.
    axes : ndarray, shape (D, C)
        Orthonormal rows: what is denoised are these combinations of channels.
    """

    values: Real
    sigma: Array
    ends: tuple[float, float]
    axes: Array

    @property
    def exist(self) -> bool:
        """Whether so many values are at an end that it counts as one."""
        return any(self._at(plane, sign).mean() >= SHARE for plane in self.values for sign in (1, -1))

    def completed(self, estimate: Real, of_stored: bool = False) -> Real:
        """The noisy combinations as they are expected to have been before, given an estimate of their mean.

        Parameters
        ----------
        estimate : ndarray of float32, shape (D, H, W)
        of_stored : bool
            It is the mean of values that were cut off.
        """
        means = turned(self.axes.T, estimate)
        found = self.values.copy()
        for mean, noisy, out, sigma in zip(means, self.values, found, self.sigma.tolist(), strict=True):
            if sigma == 0:
                continue
            clean = np.clip(unclipped(mean, noisy, sigma, self.ends) if of_stored else mean, *self.ends)
            for sign in (1, -1):
                there = self._at(noisy, sign)
                out[there] = clean[there] - sign * sigma * below(sign * (self._end(sign) - clean[there]) / sigma)
        return turned(self.axes, found)

    def _end(self, sign: int) -> float:
        return self.ends[0] if sign > 0 else self.ends[1]

    def _at(self, plane: Real, sign: int) -> NDArray[np.bool_]:
        """Where the lower end is reached, or the upper one, if the sign is negative."""
        reached: NDArray[np.bool_] = sign * (plane - self._end(sign)) <= ROUNDING
        return reached
