"""Samples as the E-step sees them: blocks of sufficient statistics with weights.

`Rows` are distinct feature vectors. `Cells` are groups of neighbouring rows that share one responsibility: with the mean of T over
the group in place of T(x), the E-step yields a lower bound on ℓ that EM climbs (Verbeek, Nunnink & Vlassis 2006, eq. 8).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emseg.mixture.gaussian import Gaussian

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Rows:
    """Weighted samples.

    Attributes
    ----------
    x : ndarray, shape (D, N)
        Planar samples; float32 or float64, which is also the precision of the E-step.
    weight : ndarray, shape (N,)
        Counts c_i.
    products : bool
        Whether T(x) holds the mixed products.
    """

    x: NDArray[np.floating]
    weight: NDArray[np.floating]
    products: bool = True

    @property
    def d(self) -> int:
        """Dimension of the samples."""
        return len(self.x)

    @property
    def n_rows(self) -> int:
        """Number of distinct rows."""
        return self.x.shape[1]

    @property
    def n_monomials(self) -> int:
        """Length of T(x)."""
        return Gaussian.n_monomials(self.d, self.products)

    @property
    def dtype(self) -> np.dtype[np.floating]:
        """Precision of the E-step."""
        return self.x.dtype

    def blocks(self, size: int) -> Iterator[tuple[NDArray[np.floating], NDArray[np.floating]]]:
        """T (P, B) and weights (B,) for consecutive blocks; the buffer is reused from block to block."""
        buffer = np.empty((self.n_monomials, min(size, self.n_rows)), self.x.dtype)
        for start in range(0, self.n_rows, size):
            x = self.x[:, start : start + size]
            t = buffer[:, : x.shape[1]] if x.shape[1] == buffer.shape[1] else np.empty((len(buffer), x.shape[1]), x.dtype)
            Gaussian.monomials(x, t)
            yield t, self.weight[start : start + size]


@dataclass(frozen=True, eq=False)
class Cells:
    """Groups of samples with the mean of T over each.

    Attributes
    ----------
    t : ndarray, shape (P, M)
        Mean of T(x) over the samples of a cell.
    weight : ndarray, shape (M,)
        Summed counts.
    d : int
        Dimension of the samples.
    """

    t: NDArray[np.floating]
    weight: NDArray[np.floating]
    d: int

    @property
    def n_rows(self) -> int:
        """Number of cells."""
        return self.t.shape[1]

    @property
    def n_monomials(self) -> int:
        """Length of T(x)."""
        return len(self.t)

    @property
    def dtype(self) -> np.dtype[np.floating]:
        """Precision of the E-step."""
        return self.t.dtype

    def blocks(self, size: int) -> Iterator[tuple[NDArray[np.floating], NDArray[np.floating]]]:
        """T (P, B) and weights (B,) for consecutive blocks."""
        for start in range(0, self.n_rows, size):
            yield self.t[:, start : start + size], self.weight[start : start + size]
