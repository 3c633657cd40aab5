"""`SensorLimits`: between which values samples are what they seem, and beyond which none were recorded."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from emseg.records import NamedRecord, record

Array = NDArray[np.float64]
Indices = NDArray[np.intp]
# Relative. In single precision, whose spacing is 1.2e-7, a value at a limit may seem to lie as far within.
CLOSE = 1e-6


class CensoredColumns(NamedRecord):
    """Columns of which the same dimensions are censored, on the same sides.

    Attributes
    ----------
    seen, cut : ndarray of int
        Dimensions that are what they seem, and those that are censored.
    low, high : ndarray, shape (C,)
        Between which values the censored ones really lie.
    which : ndarray of int
        The columns.
    """

    seen: Indices
    cut: Indices
    low: Array
    high: Array
    which: Indices


@record(frozen=True, eq=False)
class SensorLimits:
    """Limits of a sensor, by dimension; infinite where there is none.

    Attributes
    ----------
    low, high : ndarray, shape (D,)
        Values ≤ low or ≥ high are censored: known to lie there, no more.
    least, most : ndarray, shape (D,)
        Samples with a value below or above are truncated: they were not recorded.
    log_scale : ndarray, shape (D,)
        Logarithm of the unit of density along each dimension, which a probability does not have.
    """

    low: Array
    high: Array
    least: Array
    most: Array
    log_scale: Array

    @classmethod
    def of(
        cls,
        d: int,
        censored: tuple[float, float] = (-np.inf, np.inf),
        truncated: tuple[float, float] = (-np.inf, np.inf),
    ) -> SensorLimits:
        """The same limits in each of D dimensions."""
        low, high, least, most = (np.full(d, value, np.float64) for value in (*censored, *truncated))
        return cls(low, high, least, most, np.zeros(d))

    @property
    def truncates(self) -> bool:
        """Whether anything was not recorded."""
        return bool(np.isfinite(self.least).any() or np.isfinite(self.most).any())

    def affine(self, shift: Array, scale: Array) -> SensorLimits:
        """The limits of shift + scale · x."""
        low, high, least, most = (shift + scale * limit for limit in (self.low, self.high, self.least, self.most))
        return SensorLimits(low, high, least, most, self.log_scale - np.log(scale))

    def __getitem__(self, seen: Indices) -> SensorLimits:
        """The limits of some dimensions."""
        return SensorLimits(self.low[seen], self.high[seen], self.least[seen], self.most[seen], self.log_scale[seen])

    def censored_columns(self, x: NDArray[np.floating[Any]]) -> list[CensoredColumns]:
        """The censored columns of planar samples x (D, N), grouped by which dimensions are censored, and where."""
        below, above = x <= (self.low + _slack(self.low))[:, None], x >= (self.high - _slack(self.high))[:, None]
        censored = np.flatnonzero(below.any(0) | above.any(0))
        if not censored.size:
            return []
        packed = np.packbits(np.concatenate([below[:, censored], above[:, censored]]), axis=0)
        codes = np.unique(packed, axis=1, return_inverse=True)[1].ravel()
        order = np.argsort(codes, kind="stable")
        groups = np.split(censored[order], np.flatnonzero(np.diff(codes[order])) + 1)
        return [self._columns(below[:, which[0]], above[:, which[0]], which) for which in groups]

    def _columns(self, below: NDArray[np.bool_], above: NDArray[np.bool_], which: Indices) -> CensoredColumns:
        cut, seen = np.flatnonzero(below | above), np.flatnonzero(~(below | above))
        low = np.where(below, self.least, self.high)[cut]
        high = np.where(below, self.low, self.most)[cut]
        return CensoredColumns(seen, cut, low, high, which)


def _slack(limit: Array) -> Array:
    return np.where(np.isfinite(limit), CLOSE * np.maximum(np.abs(limit), 1), 0.0)
