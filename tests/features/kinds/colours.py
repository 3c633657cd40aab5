"""Colours for the tests of features: random ones, and those where formulas have their corners."""

from __future__ import annotations

import numpy as np

CORNERS = [[0, 0, 0], [255, 255, 255], [9, 9, 9], [200, 200, 3], [200, 3, 200], [255, 0, 0], [0, 255, 0], [0, 0, 255]]


def stored(dtype: str) -> np.ndarray:
    """Stored values (3, N) of a type that has a unit scale."""
    eight = np.concatenate([CORNERS, np.random.default_rng(0).integers(0, 256, (500, 3))]).T
    if dtype == "float64":
        return eight / 255
    return (eight * (np.iinfo(dtype).max // 255)).astype(dtype)


def unit(values: np.ndarray) -> np.ndarray:
    """The same from 0 to 1, as colours (N, 3)."""
    return values.T / (1.0 if values.dtype.kind == "f" else np.iinfo(values.dtype).max)
