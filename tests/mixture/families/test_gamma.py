"""The gamma family: its parameters, checks and extremes."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from emseg.mixture.families.gamma import Gamma, GammaFamily
from emseg.mixture.stats import Stats


def test_means_and_variances_are_scipys() -> None:
    parts = Gamma(np.array([[3.0]]), np.array([[4.0]]))
    other = stats.gamma(4.0, scale=3.0 / 4.0)
    assert parts.means[0, 0] == pytest.approx(other.mean())
    assert parts.covariances[0, 0, 0] == pytest.approx(other.var())


def test_a_component_without_samples_keeps_a_density() -> None:
    family = GammaFamily()
    found = family.m_projection(Stats(np.array([1e-12]), np.array([[1e-12, 0.0, -1e-10]])), 1e-6, 1)
    assert np.isfinite(family.natural(found)).all()


def test_equal_values_have_no_shape() -> None:
    family, x = GammaFamily(), np.full((1, 5), 3.0)
    with pytest.raises(np.linalg.LinAlgError, match="no scatter"):
        family.m_projection(Stats(np.array([5.0]), family.statistics(x).sum(1)[None]), 0.0, 1)


def test_distances_of_a_start_are_those_of_logarithms() -> None:
    x = np.array([[1.0, 10, 100]])
    assert np.diff(GammaFamily().start_coordinates(x)) == pytest.approx(np.log(10))


@pytest.mark.parametrize("parts", [(0.0, 1.0), (1.0, 0.0)])
def test_parameters_must_be_positive(parts: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="above 0"):
        Gamma(*(np.full((1, 1), value) for value in parts)).check()
