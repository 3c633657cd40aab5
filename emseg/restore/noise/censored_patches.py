"""Values that were cut off at the ends of their range: the E-step for censored data.

A pixel stored at the lower end says only that mean plus noise was no larger. Given an estimate μ of the mean, its
expected value before is E[μ + n | μ + n ≤ end] = μ - σ φ(a)/Φ(a) with a = (end - μ)/σ (Dempster, Laird & Rubin 1977,
section 4.2). The upper end is the mirror image.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emseg.numerics.truncated_line import inverse_mills
from emseg.records import record
from emseg.restore.colour_rotation import rotated
from emseg.restore.noise.unclip import SHARE, unclipped
from emseg.restore.patch.patches import Real

Array = NDArray[np.float64]
ROUNDING = 1e-3  # grey levels: a value so close to an end counts as being at the end


@record(frozen=True, eq=False)
class Censored:
    """Noisy channels of an image, cut off at the ends of their range.

    Attributes
    ----------
    values : ndarray of float32, shape (C, H, W)
        The stored values.
    sigma : ndarray, shape (C,)
        Noise level of each channel.
    ends : (float, float)
        Smallest and largest value that can be stored.
    axes : ndarray, shape (D, C)
        Orthonormal rows. The denoiser works on these combinations of channels.
    """

    values: Real
    sigma: Array
    ends: tuple[float, float]
    axes: Array

    @property
    def exist(self) -> bool:
        """Whether enough values are at an end for censoring to matter."""
        return any(self._at(plane, sign).mean() >= SHARE for plane in self.values for sign in (1, -1))

    def completed(self, estimate: Real, of_stored: bool = False) -> Real:
        """Expected values of the noisy combinations before the cut, given an estimate of their means.

        Parameters
        ----------
        estimate : ndarray of float32, shape (D, H, W)
        of_stored : bool
            Whether the estimate is the mean of the cut values; it is then unclipped first.
        """
        means = rotated(self.axes.T, estimate)
        found = self.values.copy()
        for mean, noisy, out, sigma in zip(means, self.values, found, self.sigma.tolist(), strict=True):
            if sigma == 0:
                continue
            clean = np.clip(unclipped(mean, noisy, sigma, self.ends) if of_stored else mean, *self.ends)
            for sign in (1, -1):
                there = self._at(noisy, sign)
                room = sign * (self._end(sign) - clean[there]) / sigma
                out[there] = clean[there] - sign * sigma * inverse_mills(room)
        return rotated(self.axes, found)

    def _end(self, sign: int) -> float:
        """The lower end for a positive sign, else the upper end."""
        return self.ends[0] if sign > 0 else self.ends[1]

    def _at(self, plane: Real, sign: int) -> NDArray[np.bool_]:
        """Mask of the values at the lower end for a positive sign, else at the upper end."""
        reached: NDArray[np.bool_] = sign * (plane - self._end(sign)) <= ROUNDING
        return reached
