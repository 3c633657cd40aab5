"""Roots of increasing functions, against their known places and scipy's root finder."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize

from emseg.numerics.roots import increasing_roots


def test_known_roots_come_back() -> None:
    target = np.array([0.0, 1e-12, 3.0, -7.5, 5.0])

    def cubic(x: np.ndarray) -> np.ndarray:
        return (x - target) ** 3 + 0.01 * (x - target)

    found = increasing_roots(cubic, np.full(5, -10.0), np.array([9.0, 8, 7, 6, 5]))
    np.testing.assert_allclose(found, target, rtol=1e-13, atol=1e-13)


@given(st.floats(-20, 20), st.floats(0.01, 10), st.floats(1e-3, 100))
def test_roots_are_those_of_scipy(place: float, steep: float, bend: float) -> None:
    """A function that is flat far out and steep within, where the secant method alone fails."""

    def f(x: np.ndarray | float) -> np.ndarray:
        return np.arctan(steep * (np.asarray(x) - place)) + bend * (np.exp(np.asarray(x) / 30) - np.exp(place / 30))

    wanted = optimize.brentq(lambda x: float(f(x)), -30.0, 41.0, xtol=1e-14, rtol=1e-14)
    found = increasing_roots(f, np.full(2, -30.0), np.array([41.0, 30.0]))
    assert found == pytest.approx(wanted, rel=1e-10, abs=1e-10)


def test_an_end_may_be_the_root() -> None:
    found = increasing_roots(lambda x: x - np.array([1.0, 2.0]), np.array([1.0, 0.0]), np.array([5.0, 2.0]))
    np.testing.assert_allclose(found, [1.0, 2.0], rtol=1e-15)


def test_a_jump_is_found_to_rounding() -> None:
    found = increasing_roots(lambda x: np.where(x < np.pi, -1.0, 1.0), np.zeros(1), np.full(1, 4.0))
    assert found[0] == pytest.approx(np.pi, rel=1e-14)
