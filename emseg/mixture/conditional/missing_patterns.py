"""Missing values: samples grouped by which of their dimensions were observed."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.intp]
WORD = 64  # dimensions whose pattern fits an integer


def grouped(x: NDArray[np.floating[Any]]) -> list[tuple[Indices, Indices]]:
    """Observed dimensions of planar samples x (D, N) and the columns where just these were, for each such set.

    Columns of which nothing was observed are left out. The list is empty where nothing is missing.
    """
    holes = np.isnan(x)
    if not holes.any():
        return []
    codes: NDArray[Any]
    if len(x) <= WORD:
        codes = np.zeros(x.shape[1], np.uint64)
        for d, row in enumerate(holes):
            codes |= row.astype(np.uint64) << np.uint64(d)
    else:
        codes = np.unique(np.packbits(holes, axis=0), axis=1, return_inverse=True)[1].ravel()
    order = np.argsort(codes, kind="stable")
    edges = np.flatnonzero(np.diff(codes[order])) + 1
    groups = [(np.flatnonzero(~holes[:, which[0]]), which) for which in np.split(order, edges)]
    return [(seen, which) for seen, which in groups if seen.size]
