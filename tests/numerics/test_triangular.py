"""Inverses of many small triangular matrices."""

from __future__ import annotations

import numpy as np
import pytest

from emseg.numerics.triangular import inverse_lower


@pytest.mark.parametrize("n", [1, 2, 6, 7, 13, 48, 63])
def test_inverses(n: int) -> None:
    rng = np.random.default_rng(n)
    lower = np.tril(rng.normal(size=(5, n, n))) / n + np.eye(n)
    found = inverse_lower(lower)
    assert np.allclose(found @ lower, np.eye(n), atol=1e-12)
    assert (np.triu(found, 1) == 0).all()
    assert inverse_lower(lower.astype(np.float32)).dtype == np.float32
