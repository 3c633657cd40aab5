"""log a - ψ(a) = s, solved for a, against scipy's digamma function and its series."""

from __future__ import annotations

import numpy as np
from scipy.special import psi

from emseg.numerics.digamma_root import log_minus_digamma_root


def test_roots_of_ordinary_size_solve_the_equation() -> None:
    a = np.geomspace(1e-3, 1e3, 40)
    np.testing.assert_allclose(log_minus_digamma_root(np.log(a) - psi(a)), a, rtol=1e-9)


def test_large_roots_solve_the_series() -> None:
    """log a - ψ(a) = 1/2a + 1/12a² - 1/120a⁴ + … (DLMF 5.11.2)."""
    a = np.geomspace(1e4, 1e9, 20)
    np.testing.assert_allclose(log_minus_digamma_root((1 + 1 / (6 * a)) / (2 * a)), a, rtol=1e-6)


def test_the_shape_of_the_array_is_kept() -> None:
    assert log_minus_digamma_root(np.full((2, 3), 0.1)).shape == (2, 3)
