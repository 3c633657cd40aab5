"""Means of squares: what scipy's `uniform_filter` gives to the last bit, which takes a tenth of a second to load."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Real = NDArray[np.float32]
BAND = 1 << 16  # values filtered at once: they stay in the cache


def box_mean(plane: Real, side: int) -> Real:
    """Mean of the square of `side` pixels around each pixel of a plane (H, W), which is mirrored at its edges."""
    height, width = plane.shape
    down, found = np.empty((height, width), np.float32), np.empty((height, width), np.float32)
    step = max(1, BAND // height)
    for start in range(0, width, step):
        down[:, start : start + step] = _running(plane[:, start : start + step], side)
    step = max(1, BAND // width)
    for start in range(0, height, step):
        found[start : start + step] = _running(down[start : start + step].T, side).T
    return found


def _running(lines: NDArray[Any], side: int) -> NDArray[Any]:
    """Running means along the first axis, by sums in double precision that lose a value and gain one at a time."""
    half = side // 2
    padded = np.pad(lines, ((half, side - 1 - half), (0, 0)), "symmetric").astype(np.float64)
    sums = np.empty(lines.shape)
    sums[0] = np.add.accumulate(padded[:side], axis=0)[-1]
    np.subtract(padded[side:], padded[:-side], out=sums[1:])
    np.add.accumulate(sums, axis=0, out=sums)
    sums /= side
    return sums
