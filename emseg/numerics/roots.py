"""Roots of many increasing functions at once."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
STEPS = 200  # at most; about ten are enough


def increasing_roots(f: Callable[[Array], Array], low: Array, high: Array) -> Array:
    """Roots of increasing functions, elementwise, by Chandrupatla's method (1997): f(low) ≤ 0 ≤ f(high)."""
    a, b = np.array(low), np.array(high)
    fa, fb = f(a), f(b)
    t = np.full(a.shape, 0.5)
    with np.errstate(all="ignore"):
        for _ in range(STEPS):
            x = a + t * (b - a)
            fx = f(x)
            same = np.sign(fx) == np.sign(fa)
            c, fc = np.where(same, a, b), np.where(same, fa, fb)
            b, fb = np.where(same, b, a), np.where(same, fb, fa)
            a, fa = x, fx
            least = 2 * np.finfo(np.float64).eps * np.maximum(np.abs(a), np.abs(b)) / np.abs(b - a)
            least = np.where(np.isfinite(least), np.minimum(least, 0.5), 0.5)
            if ((least >= 0.5) | (fa == 0)).all():
                break
            # Inverse quadratic interpolation where three points bend gently, bisection elsewhere.
            xi, phi = (a - b) / (c - b), (fa - fb) / (fc - fb)
            step = fa / (fb - fa) * fc / (fb - fc) + (c - a) / (b - a) * fa / (fc - fa) * fb / (fc - fb)
            t = np.where((phi**2 < xi) & ((1 - phi) ** 2 < 1 - xi), step, 0.5)
            t = np.clip(np.where(np.isfinite(t), t, 0.5), least, 1 - least)
            t = np.where(fa == 0, 0.0, t)
    return np.where(np.abs(fa) < np.abs(fb), a, b)
