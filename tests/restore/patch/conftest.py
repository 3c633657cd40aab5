"""A patch mixture whose parameters are known, and draws from it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from emseg.restore.patch.patch_mixture import D, PatchMixture

Draws = Callable[[int], tuple[np.ndarray, np.ndarray]]


@pytest.fixture
def known() -> PatchMixture:
    """Three components of low rank, which lie in different directions; σ² is 25."""
    rng = np.random.default_rng(0)
    axes = np.linalg.qr(rng.standard_normal((3, D, D)))[0]
    variances = np.stack([np.r_[400.0 / (1 + np.arange(4 + 3 * j)), np.zeros(D - 4 - 3 * j)] for j in range(3)])
    return PatchMixture(np.array([1, 2, 3]) / 6, axes, variances, 25.0)


@pytest.fixture
def draws(known: PatchMixture) -> Draws:
    """Of a number: so many noisy patches (D, N) of the known mixture, and the clean ones."""

    def drawn(n: int) -> tuple[np.ndarray, np.ndarray]:
        rng = np.random.default_rng(1)
        labels = rng.choice(known.k, n, p=known.weights)
        a = rng.standard_normal((n, D)) * np.sqrt(known.variances[labels])
        clean = np.einsum("nij,nj->in", known.axes[labels], a)
        return (clean + rng.normal(0, np.sqrt(known.noise), clean.shape)).astype(np.float32), clean

    return drawn
