"""Normal distributions cut to an interval: its probability, and the mean and second moment within it.

The closed form goes through the scaled complementary error function, so that no tail is too far. Where only a mean
below a bound is wanted, to six digits, `inverse_mills` does without scipy, which takes a tenth of a second to load.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emseg.numerics.normal import density, distribution
from emseg.records import NamedRecord

Array = NDArray[np.float64]
LOG_2PI = float(np.log(2 * np.pi))
# Width of an interval times its distance from 0 below which differences of its ends would cancel. Quadrature takes
# their place, which twelve points make exact to rounding up to a width times distance of about 3.
NARROW, SLIVER_NODES = 0.5, 12
LOWEST = -1e9  # stands for a bound at -∞, where the density is zero
FAR, POINTS = 12.0, 1 << 13  # of a table of ratios: linear between its points, they are right to 5e-7
TERMS = 6  # of the continued fraction beyond it, whose first that is left out is 1e-8 there


class Cut(NamedRecord):
    """What is known of a normal distribution in a box.

    Attributes
    ----------
    log_p : ndarray, shape (...)
        Logarithm of the probability of the box.
    first : ndarray, shape (..., C)
        Mean of the distribution cut to the box.
    second : ndarray, shape (..., C, C)
        Its second moments, E[x xᵀ].
    """

    log_p: Array
    first: Array
    second: Array


def line(low: Array, high: Array) -> Cut:
    """Standard normal distributions cut to low ≤ z ≤ high; shapes (..., 1)."""
    from scipy.special import erf, erfcx

    root = np.sqrt(2.0)
    low, high = np.broadcast_arrays(low, high)
    shape, low, high = low.shape, low.ravel(), high.ravel()
    turned = high < -low  # to where the bound nearer to zero is the lower one
    a, b = np.where(turned, -high, low), np.where(turned, -low, high)
    if (b == np.inf).all():
        log_p, first, second = _half_line(a)
        return Cut(log_p.reshape(shape[:-1]), np.where(turned, -first, first).reshape(shape), second.reshape(*shape, 1))
    with np.errstate(all="ignore"):
        ratio = np.where(b < np.inf, np.exp(-0.5 * (b - a) * (b + a)), 0.0)  # φ(b) / φ(a)
        # P / φ(a); beyond zero, m(a) - m(b) φ(b) / φ(a), m being Mills' ratio.
        mills, rest = (np.sqrt(np.pi / 2) * erfcx(np.maximum(z, 0) / root) for z in (a, b))
        inside = a <= 0
        p = np.where(inside, 0.5 * (erf(b / root) - erf(a / root)), mills - rest * ratio)
        hazard = np.where(inside, np.exp(-0.5 * a**2 - 0.5 * LOG_2PI), 1.0) / p  # φ(a) / P
        log_p = np.log(p) - np.where(inside, 0.0, 0.5 * a**2 + 0.5 * LOG_2PI)
        first = hazard * (1 - ratio)
        second = 1.0 + np.where(hazard > 0, a * hazard, 0.0) - np.where(ratio > 0, b * hazard * ratio, 0.0)
        narrow = (b - a) * np.maximum(np.abs(b), 1) < NARROW  # where differences would cancel
    if narrow.any():
        log_p[narrow], first[narrow], second[narrow] = _sliver(a[narrow], b[narrow])
    first = np.where(turned, -first, first)
    return Cut(log_p.reshape(shape[:-1]), first.reshape(shape), second.reshape(*shape, 1))


def _half_line(a: Array) -> tuple[Array, Array, Array]:
    """log P, E[z] and E[z²] of standard normal distributions cut to z ≥ a, (M,)."""
    from scipy.special import erfcx, log_ndtr

    with np.errstate(over="ignore"):
        hazard = np.sqrt(2 / np.pi) / erfcx(a / np.sqrt(2.0))  # φ(a) / P
        return log_ndtr(-a), hazard, 1.0 + np.maximum(a, LOWEST) * hazard


def _sliver(a: Array, b: Array) -> tuple[Array, Array, Array]:
    """log P, E[z] and E[z²] of standard normal distributions cut to a narrow a ≤ z ≤ b, (M,), by quadrature."""
    points, weights = legendre(SLIVER_NODES)
    half = 0.5 * (b - a)[:, None]
    z = 0.5 * (a + b)[:, None] + half * points
    density = half * weights * np.exp(-0.5 * (z - a[:, None]) * (z + a[:, None]))
    p = density.sum(-1)
    share = density / p[:, None]
    log_p = np.log(p) - 0.5 * a**2 - 0.5 * LOG_2PI
    return log_p, (share * z).sum(-1), (share * z * z).sum(-1)


@lru_cache
def legendre(n: int) -> tuple[Array, Array]:
    """Points and weights of Gauss and Legendre's rule on [-1, 1]."""
    from scipy.special import roots_legendre

    points, weights = roots_legendre(n)
    return points, weights


def inverse_mills(a: NDArray[Any]) -> Array:
    """φ(a)/Φ(a) = -E[n | n ≤ a], n ~ N(0, 1), to 1e-6 relative and without scipy: from a table, linear between points.

    Beyond the table it is Laplace's continued fraction (Abramowitz & Stegun 26.2.14).
    """
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
