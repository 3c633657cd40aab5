"""The normal distribution without scipy, which takes a tenth of a second to load: more than many images."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def distribution(x: Array) -> Array:
    """Φ at some points (N,)."""
    return np.array([0.5 * math.erfc(-value * math.sqrt(0.5)) for value in x.tolist()])


def density(x: NDArray[Any]) -> NDArray[Any]:
    """φ."""
    found: NDArray[Any] = np.exp(-0.5 * x**2) / np.sqrt(2 * np.pi)
    return found
