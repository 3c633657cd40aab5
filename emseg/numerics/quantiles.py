"""Quantiles of a few numbers, without what NumPy loads for its own."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def quantiles(values: NDArray[np.floating[Any]], *shares: float) -> list[float]:
    """Quantiles with linear interpolation: the same numbers as `np.quantile`, to the last bit.

    `np.quantile` calls `np.unique`, which loads NumPy's masked arrays: 13 ms, a fourteenth of a small segmentation.

    Parameters
    ----------
    values : ndarray, shape (N,)
        Numbers without NaN, at least one.
    *shares : float
        Shares of the values that lie below, 0 to 1.

    Notes
    -----
    Definition 7 of Hyndman & Fan (1996, The American Statistician 50(4), 361-365).
    """
    place = (values.size - 1) * np.array(shares)
    below = place.astype(np.intp)
    above = np.minimum(below + 1, values.size - 1)
    ordered = np.partition(values, [*below.tolist(), *above.tolist()])
    low, high = ordered[below], ordered[above]
    step, part = high - low, place - below
    found: list[float] = np.where(part < 0.5, low + step * part, high - step * (1 - part)).tolist()
    return found
