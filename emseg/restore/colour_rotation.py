"""Orthonormal changes of colour space, which decorrelate channels; the channel of largest variance comes first."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

SAMPLE = 100_000  # pixels from which principal axes are estimated
#: Luminance and two differences, orthonormal rows: the opponent colours of Dabov et al. (2007), ICIP.
OPPONENT = np.array([[1, 1, 1], [1, 0, -1], [1, -2, 1]]) / np.sqrt([[3], [2], [6]])


def axes_of_colour(planes: NDArray[Any], colour: str) -> NDArray[np.float64]:
    """Rows of an orthonormal transform of channels (C, H, W).

    RGB gets opponent colours, other bands get their principal axes.
    """
    c = len(planes)
    if c == 1:
        return np.ones((1, 1))
    if colour == "rgb":
        return OPPONENT
    flat = planes.reshape(c, -1)[:, :: max(1, planes[0].size // SAMPLE)].astype(np.float64)
    if flat.shape[1] < 2:
        return np.eye(c)
    axes = np.linalg.eigh(np.cov(flat))[1].T[::-1]
    return np.ascontiguousarray(axes * np.where(axes.sum(1, keepdims=True) < 0, -1, 1))


def rotated(axes: NDArray[np.float64], planes: NDArray[np.float32]) -> NDArray[np.float32]:
    """Channels (C, H, W) multiplied by a matrix (D, C)."""
    if len(planes) == 1:
        return planes
    found: NDArray[np.float32] = np.einsum("dc,chw->dhw", axes.astype(np.float32), planes)
    return found
