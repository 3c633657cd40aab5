"""Sums of rows by the place each belongs to: a sparse product, or where rows are few the same sums without scipy."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray

Real = NDArray[np.float32]
FEW = 100_000  # rows, of which a dozen sums take less time than loading scipy's sparse matrices


class Places:
    """Where rows go.

    Parameters
    ----------
    places : ndarray of int, shape (N,)
    count : int
        How many places there are.
    """

    def __init__(self, places: NDArray[np.intp], count: int) -> None:
        self.shape = places.size, count
        self._matrix: Any = None
        if places.size > FEW or "scipy.sparse" in sys.modules:
            from scipy.sparse import csr_matrix

            n = places.size
            begin = np.arange(n + 1, dtype=np.int32)  # scipy takes indices of 32 bits as they are
            self._matrix = csr_matrix((np.ones(n, np.float32), places.astype(np.int32), begin), (n, count)).T
            return
        short = places.astype(np.uint16) if count <= 1 << 16 else places  # which numpy sorts by their digits
        self._order = np.argsort(short, kind="stable")
        counts = np.bincount(places, minlength=count)
        self._used = np.argsort(-counts, kind="stable")[: np.count_nonzero(counts)]  # the fullest first
        self._begin = (np.cumsum(counts) - counts)[self._used]
        self._counts = counts[self._used]

    def summed(self, rows: Real) -> Real:
        """Sums of rows (N, D) at each place, (count, D), each in the order of the rows."""
        found: Real
        if self._matrix is not None:
            found = self._matrix @ rows
            return found
        found = np.zeros((self.shape[1], rows.shape[1]), rows.dtype)
        sums = rows[self._order[self._begin]]
        for turn in range(1, int(self._counts.max(initial=0))):
            live = int(np.searchsorted(-self._counts, -turn))  # places with more rows than that
            sums[:live] += rows[self._order[self._begin[:live] + turn]]
        found[self._used] = sums
        return found
