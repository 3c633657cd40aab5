"""Gaussian means of planes over the pixels that are known (normalised convolution, Knutsson & Westin 1993)."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]
Number = TypeVar("Number", bound=np.floating[Any])
# Share of the weights, by bytes of a number, below which nothing known lies near. It is about eight times the spacing
# of float32 at 1. Any value from there to 1e-4 changes only pixels with next to nothing known within reach.
LEAST = {4: 1e-6, 8: 1e-9}
REACH = 3.0  # standard deviations beyond which weights count as 0: 0.3 % of a Gaussian's lies there


class MaskedBlur:
    """Blurs planes over known pixels alone; what is not known becomes a mean of what lies around.

    Parameters
    ----------
    known : ndarray of bool, shape (...), or None
        Which pixels count; None for all.
    reach : float
        Standard deviations beyond which weights are 0.
    boxes_from : float
        Standard deviation above which three boxes of the same variance stand for the Gaussian; their cost does not
        grow with the width.
    """

    def __init__(self, known: NDArray[np.bool_] | None, reach: float = REACH, boxes_from: float = np.inf) -> None:
        self.known = None if known is None or known.all() else known
        self.reach, self.boxes_from = reach, boxes_from
        self._shares: dict[tuple[float, int], Floats] = {}

    def __call__(self, plane: NDArray[Number], width: float, out: Any = None) -> NDArray[Number]:
        """The plane or volume (...) blurred with standard deviation `width`.

        Parameters
        ----------
        plane : ndarray of float32 or float64
            Where a pixel is not known, its value may be anything, NaN too.
        width : float
            In pixels.
        out : ndarray, optional
            Where the result goes. Its precision is that of the result; without it, that of the plane is.
        """
        out = np.empty_like(plane) if out is None else out
        found: NDArray[Number] = out
        if self.known is None:
            self._blur(plane, width, out)
            return found
        key = width, out.itemsize
        if key not in self._shares:
            share = np.empty_like(out)
            self._blur(self.known.astype(out.dtype), width, share)
            self._shares[key] = np.maximum(share, out.dtype.type(LEAST[out.itemsize]), out=share)
        self._blur(np.where(self.known, plane, 0).astype(out.dtype, copy=False), width, out)
        out /= self._shares[key]
        return found

    def _blur(self, plane: Floats, width: float, out: Floats) -> None:
        from scipy import ndimage  # takes a tenth of a second to load

        if width == 0:
            out[...] = plane
        elif width <= self.boxes_from:
            ndimage.gaussian_filter(plane, width, output=out, truncate=self.reach)
        else:
            # Three boxes of side w have the variance 3 (w² - 1) / 12.
            side = 2 * round((np.sqrt(4 * width**2 + 1) - 1) / 2) + 1
            for _ in range(3):
                ndimage.uniform_filter(plane, side, output=out)
                plane = out
