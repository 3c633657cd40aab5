"""How many pixels say as much as one independent sample.

Neighbouring pixels differ less from one another than pixels at random, so N of them are fewer than N observations. With
ρ(h) the autocorrelation of what a model leaves unexplained, the mean of N pixels has the variance of that of N / A
independent ones, where A = Σ_h ρ(h) over all lags h (Bayley & Hammersley 1946; in the plane, Cressie 1993, 1.3).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from emseg.records import record

Planes = NDArray[np.float32]
#: Lags are at most this part of the image: values that go together over longer distances are structure.
LARGEST_LAG = 12
FAINT = 0.05  # correlation that counts as none; regions are the same with .02 and .1
ENOUGH = 1 << 20  # pixels, about, of the lines along each axis that are looked at


def independent_area(residuals: Sequence[Planes]) -> float:
    """The number of pixels A that one independent observation takes.

    Parameters
    ----------
    residuals : sequence of ndarray, shape (D, L, n)
        For each axis of the image, lines along it of each pixel's values less the mean of its class; NaN where there
        is no data.

    Returns
    -------
    float
        At least 1.
    """
    lines = [_Lines.of(along) for along in residuals if along.shape[2] > 1]
    if not lines or any(one.variance <= 0 for one in lines):
        return 1.0
    distances, rho = [0], [1.0]
    for h in lags(max(min(one.length for one in lines) // LARGEST_LAG, 1)):
        now = float(np.mean([one.correlation(h) for one in lines]))
        if now <= FAINT:
            break
        distances.append(h)
        rho.append(now)
    r, d = np.arange(1.0, distances[-1] + 1), len(lines)
    sphere = {1: 2.0, 2: 2 * np.pi, 3: 4 * np.pi}[d]
    return 1 + sphere * float((r ** (d - 1) * np.interp(r, distances, rho)).sum())


@record(frozen=True, eq=False)
class _Lines:
    """Residuals along one axis.

    Attributes
    ----------
    known : ndarray of float32, shape (D, L, n)
        0 where nothing is known.
    seen : ndarray of bool, shape (L, n)
        Where something is.
    variance : float
    """

    known: Planes
    seen: NDArray[np.bool_]
    variance: float

    @classmethod
    def of(cls, along: Planes) -> _Lines:
        seen = np.asarray(np.isfinite(along).all(0), np.bool_)
        known = np.where(seen, along, np.float32(0))
        return cls(known, seen, float((known**2).sum()) / max(int(seen.sum()), 1))

    @property
    def length(self) -> int:
        return int(self.seen.shape[1])

    def correlation(self, h: int) -> float:
        """ρ(h)."""
        pairs = int((self.seen[:, :-h] & self.seen[:, h:]).sum())
        products = float(np.einsum("dln,dln->", self.known[..., :-h], self.known[..., h:]))
        return products / max(pairs, 1) / self.variance


def lags(far: int) -> list[int]:
    """1, 2, 3, 4, 6, 8, 12, … up to `far`."""
    steps = [h for i in range(far.bit_length()) for h in (1 << i, 3 << i)]
    return sorted({h for h in steps if h <= far})


def sampled_lines(grid: NDArray[np.int32]) -> list[NDArray[np.int32]]:
    """Lines (L, n) along each axis of a grid (*shape): all of them, or some evenly spread ones where there are many."""
    found = []
    for axis, n in enumerate(grid.shape):
        lines = np.moveaxis(grid, axis, -1).reshape(-1, n)
        found.append(lines[:: max(1, -(-grid.size // ENOUGH))])
    return found
