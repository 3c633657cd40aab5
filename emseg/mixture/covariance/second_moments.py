"""T(x) = (1, x, x xᵀ): where its entries stand, and moments from sums of it."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from emseg.mixture.stats import Stats

Array = NDArray[np.float64]


@lru_cache
def product_indices(d: int, products: bool) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Pairs (i, j), i ≤ j, of the second-order part of T(x): all of them, or the squares alone."""
    return np.triu_indices(d) if products else (np.arange(d), np.arange(d))


def raw_moments(stats: Stats, d: int) -> tuple[Array, Array]:
    """Σ r x (..., K, D) and Σ r x xᵀ (..., K, D, D), diagonal where T(x) holds no mixed products."""
    i, j = product_indices(d, stats.t.shape[-1] > 1 + 2 * d)
    second = np.zeros((*stats.n.shape, d, d))
    second[..., i, j] = stats.t[..., 1 + d :]
    second[..., j, i] = stats.t[..., 1 + d :]
    return stats.t[..., 1 : 1 + d], second


def pushed(n: Array, raw: tuple[Array, Array], a: Array, c: Array, left: Array, products: bool) -> Stats:
    """Σ r x̂ and Σ r (x̂ x̂ᵀ + C) for x̂ = A x + c, from n = Σ r, Σ r x = s and Σ r x xᵀ = S.

    A s + n c   and   A S Aᵀ + A s cᵀ + c sᵀ Aᵀ + n (c cᵀ + C)
    """
    count, (s, second) = n[..., None], raw
    first = (a @ s[..., None])[..., 0]
    cross = first[..., :, None] * c[..., None, :]
    own = c[..., :, None] * c[..., None, :] + left
    whole = a @ second @ np.swapaxes(a, -1, -2) + cross + np.swapaxes(cross, -1, -2) + count[..., None] * own
    i, j = product_indices(c.shape[-1], products)
    return Stats(n, np.concatenate([count, first + count * c, whole[..., i, j]], axis=-1))


def moments(stats: Stats, d: int) -> tuple[Array, Array]:
    """Means (..., K, D) and scatter about them (..., K, D, D), diagonal where T(x) holds no mixed products."""
    n, diagonal = stats.n[..., None], np.arange(d)
    means = stats.t[..., 1 : 1 + d] / n
    i, j = product_indices(d, stats.t.shape[-1] > 1 + 2 * d)
    second = stats.t[..., 1 + d :] - n * means[..., i] * means[..., j]
    scatter = np.zeros((*means.shape, d))
    scatter[..., i, j] = second
    scatter[..., j, i] = second
    scatter[..., diagonal, diagonal] = np.maximum(scatter[..., diagonal, diagonal], 0)  # rounding
    return means, scatter
