"""`Stats`: the one value that flows from the E-step to the M-step."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emseg.records import record


@record(frozen=True, eq=False)
class Stats:
    """Expected sufficient statistics of a mixture: additive over samples, scalable, a few kilobytes.

    Attributes
    ----------
    n : ndarray, shape (..., K)
        Σ_i c_i r_ik, the expected number of samples of each component.
    t : ndarray, shape (..., K, P)
        Σ_i c_i r_ik T(x_i), the family's sufficient statistic; T begins with the constant 1, so t_0 is n, and more than
        that where samples are expected that were not recorded.

    Leading axes, where there are any, hold independent mixtures that are fitted side by side.
    """

    n: NDArray[np.float64]
    t: NDArray[np.float64]

    def __add__(self, other: Stats) -> Stats:
        return Stats(self.n + other.n, self.t + other.t)

    def __mul__(self, factor: float) -> Stats:
        return Stats(self.n * factor, self.t * factor)

    __rmul__ = __mul__
