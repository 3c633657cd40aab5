"""The von Mises family, against scipy, and where its equation for κ is hard to solve."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from scipy.special import i0e, i1e

from emseg.mixture.families.von_mises import VonMises, VonMisesFamily, _angle, _concentrations, _ratio
from emseg.mixture.stats import Stats


def test_directions_that_differ_by_whole_turns_are_one() -> None:
    family, x = VonMisesFamily(), np.array([[0.1, 0.2, 6.2]])
    t = family.statistics(x).sum(1)[None]
    turned = family.statistics(x + 2 * np.pi * np.array([1, -2, 5])).sum(1)[None]
    one, other = (family.m_projection(Stats(np.array([3.0]), sums), 0.0, 1) for sums in (t, turned))
    np.testing.assert_allclose(one.means, other.means, rtol=1e-12)
    np.testing.assert_allclose(one.concentrations, other.concentrations, rtol=1e-9)
    assert 0 <= one.means[0, 0] < 2 * np.pi


def test_variances_are_circular() -> None:
    parts = VonMises(np.zeros((1, 2)), np.array([[0.0, 2.5]]))
    assert parts.covariances[0, 0, 0] == 1
    assert parts.covariances[0, 1, 1] == pytest.approx(1 - stats.vonmises.expect(np.cos, args=(2.5,)), rel=1e-8)


def test_extreme_concentrations_solve_their_equation() -> None:
    kappa = np.array([0, 1e-9, 1e-3, 0.1, 1, 10, 100, 1e3])
    np.testing.assert_allclose(_concentrations(_ratio(kappa)), kappa, rtol=1e-8, atol=1e-12)
    np.testing.assert_allclose(_concentrations(_ratio(np.array([1e6]))), 1e6, rtol=1e-6)


def test_one_direction_alone_has_no_concentration() -> None:
    with pytest.raises(np.linalg.LinAlgError, match="one direction only"):
        _concentrations(np.array([1.0]))


def test_the_ratio_is_that_of_bessel_functions() -> None:
    kappa = np.array([0.0, 0.3, 7.0, 1e6])
    np.testing.assert_allclose(_ratio(kappa), i1e(kappa) / i0e(kappa), rtol=1e-15)


@pytest.mark.parametrize("sine", [-1e-17, 0.0, 1e-17])
def test_a_direction_of_0_is_0_whatever_the_rounding(sine: float) -> None:
    """The remainder of a tiny negative angle is 2π, which would put the component last instead of first."""
    assert float(_angle(np.array([1.0]), np.array([sine]))[0]) == pytest.approx(0, abs=1e-16)
    assert float(_angle(np.array([1.0]), np.array([-1e-3]))[0]) == pytest.approx(2 * np.pi - 1e-3, rel=1e-9)
