"""Statistics are a vector space: they add, and scale."""

from __future__ import annotations

import numpy as np

from emseg.mixture.stats import Stats


def test_statistics_add_and_scale() -> None:
    rng = np.random.default_rng(0)
    a, b = (Stats(rng.random(3), rng.random((3, 4))) for _ in range(2))
    blend = 0.25 * a + b * 0.75
    np.testing.assert_allclose(blend.n, 0.25 * a.n + 0.75 * b.n, rtol=1e-15)
    np.testing.assert_allclose(blend.t, 0.25 * a.t + 0.75 * b.t, rtol=1e-15)
