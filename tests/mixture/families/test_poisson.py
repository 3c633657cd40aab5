"""The Poisson family where counts are all zero."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from emseg.mixture.families.poisson import Poisson, PoissonFamily
from emseg.mixture.stats import Stats


def test_zeros_alone_are_a_poisson_of_rate_nearly_zero() -> None:
    family = PoissonFamily()
    x = np.zeros((1, 5))
    found = family.m_projection(Stats(np.array([5.0]), family.statistics(x).sum(1)[None]), 0.0, 1)
    assert 0 < found.means[0, 0] < 1e-100
    assert np.isfinite(family.natural(found)).all()


def test_components_compare_by_what_they_share() -> None:
    """Σ log x! is in T(x), so that densities are whole, not up to a factor."""
    family, parts, x = PoissonFamily(), Poisson(np.array([[2.0, 9.0]])), np.array([[0.0, 3], [4, 20]])
    wanted = stats.poisson.logpmf(x, [[2.0], [9.0]]).sum(0)
    np.testing.assert_allclose(family.natural(parts)[0] @ family.statistics(x), wanted, rtol=1e-12)


def test_rates_must_be_positive() -> None:
    with pytest.raises(ValueError, match="above 0"):
        Poisson(np.zeros((1, 1))).check()
