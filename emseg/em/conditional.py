"""Conditional M-steps, still in the one currency: statistics whose M-step leaves some parameters alone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emseg.mixture.gaussian import product_indices
from emseg.mixture.stats import Stats

Array = NDArray[np.float64]


def pinned(stats: Stats, means: Array) -> Stats:
    """Statistics whose M-step has these means, and the best covariances given them.

    The first moments become those of the means, the second ones keep the scatter about the means:
    Σ r x xᵀ - n (m μᵀ + μ mᵀ) + 2 n μ μᵀ, with m the weighted mean of the samples.
    """
    d = means.shape[-1]
    n, first, second = stats.n[..., None], stats.t[..., 1 : 1 + d], stats.t[..., 1 + d :]
    i, j = product_indices(d, second.shape[-1] > d)
    cross = first[..., i] * means[..., j] + means[..., i] * first[..., j]
    moved = second - cross + 2 * n * means[..., i] * means[..., j]
    return Stats(stats.n, np.concatenate([n, n * means, moved], axis=-1))
