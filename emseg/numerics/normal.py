"""The normal distribution without scipy, which takes a tenth of a second to load: more than many images."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
FAR, POINTS = 12.0, 1 << 13  # of a table of ratios: linear between its points, they are right to 5e-7
TERMS = 6  # of the continued fraction beyond it


def distribution(x: Array) -> Array:
    """Φ at some points (N,)."""
    return np.array([0.5 * math.erfc(-value * math.sqrt(0.5)) for value in x.tolist()])


def density(x: NDArray[Any]) -> NDArray[Any]:
    """φ."""
    found: NDArray[Any] = np.exp(-0.5 * x**2) / np.sqrt(2 * np.pi)
    return found


def below(a: NDArray[Any]) -> Array:
    """φ(a)/Φ(a) = -E[n | n ≤ a], n ~ N(0, 1)."""
    x, ratios = _table()
    far = np.maximum(-np.asarray(a, np.float64), FAR)
    found = np.zeros_like(far)
    for term in range(TERMS, 0, -1):  # Φ(-t) = φ(t) / (t + 1/(t + 2/(t + 3/(t + …))))
        found = term / (far + found)
    result: Array = np.where(a < -FAR, far + found, np.interp(a, x, ratios))
    return result


@lru_cache
def _table() -> tuple[Array, Array]:
    x = np.linspace(-FAR, FAR, POINTS)
    return x, density(x) / distribution(x)
