"""Normal distributions in intervals, against scipy's truncated normal and asymptotic series."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from scipy import stats
from scipy.special import log_ndtr

from emseg.numerics.truncated_line import inverse_mills, legendre, line

INF = np.inf


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (-1.0, 2.0),
        (0.5, INF),
        (-INF, 0.3),
        (-INF, INF),
        (4.0, INF),
        (-INF, -9.0),
        (3.0, 3.1),
        (-1e-3, 1e-3),
        (2.0, 5.0),
    ],
)
def test_one_dimension_is_scipys_truncated_normal(a: float, b: float) -> None:
    found = line(np.array([a]), np.array([b]))
    expected = stats.truncnorm(a, b)
    p = stats.norm.cdf(b) - stats.norm.cdf(a) if a <= 0 else stats.norm.sf(a) - stats.norm.sf(b)
    assert found.log_p == pytest.approx(np.log(p), rel=1e-11, abs=1e-12)
    assert found.first[0] == pytest.approx(expected.mean(), rel=1e-10)
    assert found.second[0, 0] == pytest.approx(expected.moment(2), rel=1e-8)


@pytest.mark.parametrize("z", [10.0, 40.0, 1e3, 1e6])
def test_far_tails_are_those_of_mills_ratio(z: float) -> None:
    """P ≈ φ(z)/z (1 - 1/z² + 3/z⁴ - 15/z⁶), and the excess over z is 1/z - 2/z³ + 10/z⁵ on average."""
    for low, high, sign in ((z, INF, 1), (-INF, -z, -1)):
        found = line(np.array([low]), np.array([high]))
        series = np.log1p(-(z**-2) + 3 * z**-4 - 15 * z**-6)
        log_p = -0.5 * z**2 - 0.5 * np.log(2 * np.pi) - np.log(z) + series
        assert found.log_p == pytest.approx(log_p, rel=1e-7)
        excess = sign * found.first[0] - z
        assert excess * z == pytest.approx(1 - 2 * z**-2 + 10 * z**-4, rel=1e-3, abs=2e-16 * z**2)


def test_narrow_intervals_far_out_are_uniform_but_for_the_slope() -> None:
    """E[z - a] ≈ w/2 - a w²/12 for a narrow width w."""
    a, w = 50.0, 1e-6
    found = line(np.array([a]), np.array([a + w]))
    assert found.first[0] - a == pytest.approx(w / 2 - a * w**2 / 12, rel=1e-7)
    assert found.log_p == pytest.approx(stats.norm.logpdf(a + w / 2) + np.log(w), rel=1e-9)


def test_legendres_rule_is_exact_for_polynomials() -> None:
    points, weights = legendre(5)
    for power in range(10):
        assert weights @ points**power == pytest.approx((1 + (-1) ** power) / (power + 1), abs=1e-14)


def test_means_below_a_bound_without_scipy() -> None:
    a = np.concatenate([np.linspace(-9, 9, 500), [-12.0, -12.001, -20, -100, -1e4, 30]])
    exact = np.exp(-0.5 * a**2 - 0.5 * np.log(2 * np.pi) - log_ndtr(a))
    assert inverse_mills(a) == pytest.approx(exact, abs=1e-6, rel=1e-6)
    code = "import numpy, sys; from emseg.numerics.truncated_line import inverse_mills; inverse_mills(numpy.ones(2))"
    assert subprocess.run([sys.executable, "-c", f"{code}; sys.exit('scipy' in sys.modules)"]).returncode == 0
