"""Normal distributions in boxes, against scipy's distribution functions, integration and draws."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.integrate import dblquad
from scipy.special import owens_t

from emseg.numerics.truncated_normal import cut, independent, rough

pytestmark = pytest.mark.long

INF = np.inf


def gaussian(seed: int, c: int, near: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """A mean and a covariance, whose dimensions are more alike the nearer to 1 `near` is."""
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(c, c))
    mixed = (1 - near) * root @ root.T + near * np.ones((c, c)) + 1e-3 * np.eye(c)
    scale = np.exp(rng.normal(size=c))
    return rng.normal(size=c), mixed * np.outer(scale, scale)


def box(seed: int, mean: np.ndarray, matrix: np.ndarray, half: bool) -> tuple[np.ndarray, np.ndarray]:
    """Bounds within some standard deviations of the mean; one side each, or both."""
    rng, spread = np.random.default_rng(seed + 1), np.sqrt(np.diag(matrix))
    low = mean + spread * rng.normal(size=mean.size)
    high = low + spread * rng.uniform(0.1, 4, mean.size)
    if not half:
        return low, high
    upper = rng.random(mean.size) < 0.5
    return np.where(upper, low, -INF), np.where(upper, INF, high)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6), st.booleans(), st.sampled_from([0.0, 0.9]))
def test_two_dimensions_by_integration_over_the_box(seed: int, half: bool, near: float) -> None:
    mean, matrix = gaussian(seed, 2, near)
    low, high = box(seed, mean, matrix, half)
    found = cut(mean, matrix, low, high)
    spread = np.sqrt(np.diag(matrix))
    ends = np.clip(np.stack([low, high]), mean - 9 * spread, mean + 9 * spread)
    # Rules of 400 points in each direction: independent of the panels that `cut` lays.
    points, weights = np.polynomial.legendre.leggauss(400)
    x, y = (np.add(*ends[:, j]) / 2 + np.diff(ends[:, j]) / 2 * points for j in range(2))
    density = stats.multivariate_normal(mean, matrix).pdf(np.stack(np.meshgrid(x, y, indexing="ij"), -1))
    mass = density * np.outer(weights, weights) * np.prod(np.diff(ends, axis=0)) / 4
    p = mass.sum()
    if p < 1e-12:
        return  # the range of 9 standard deviations matters there
    assert found.log_p == pytest.approx(np.log(p), abs=1e-9)
    np.testing.assert_allclose(found.first, [(mass.sum(1) @ x) / p, (mass.sum(0) @ y) / p], atol=1e-8 * spread.max())
    cross = x @ mass @ y / p
    assert found.second[0, 1] == pytest.approx(cross, abs=1e-7 * spread.max() ** 2)
    assert found.second[0, 0] == pytest.approx((mass.sum(1) @ x**2) / p, abs=1e-7 * spread.max() ** 2)


@pytest.mark.parametrize("rho", [-0.99, -0.3, 0.0, 0.6, 0.999])
@pytest.mark.parametrize(("h", "k"), [(0.3, 0.7), (1.2, 2.0), (2.5, 0.1)])
def test_quadrants_by_owens_function(h: float, k: float, rho: float) -> None:
    """Owen (1956): P(x ≤ h, y ≤ k) for h, k > 0."""
    s = np.sqrt(1 - rho**2)
    parts = owens_t(h, (k / h - rho) / s) + owens_t(k, (h / k - rho) / s)
    expected = (stats.norm.cdf(h) + stats.norm.cdf(k)) / 2 - parts
    matrix = np.array([[1, rho], [rho, 1]])
    found = cut(np.zeros(2), matrix, np.full(2, -INF), np.array([h, k]))
    assert np.exp(found.log_p) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("half", [True, False])
@pytest.mark.parametrize("seed", range(4))
def test_three_dimensions_by_genz_and_draws(seed: int, half: bool) -> None:
    mean, matrix = gaussian(seed, 3, 0.5)
    low, high = box(seed, mean, matrix, half)
    found = cut(mean, matrix, low, high)
    rng = np.random.default_rng(seed)
    genz = stats.multivariate_normal.cdf(high, mean, matrix, maxpts=10**6, abseps=1e-7, releps=1e-7, lower_limit=low)
    assert np.exp(found.log_p) == pytest.approx(genz, rel=1e-3, abs=1e-6)
    x = rng.multivariate_normal(mean, matrix, 400_000)
    inside = x[((x >= low) & (x <= high)).all(1)]
    if len(inside) < 500:
        return
    sd = np.sqrt(np.diag(matrix)).max()
    noise = 6 / np.sqrt(len(inside))
    np.testing.assert_allclose(found.first, inside.mean(0), atol=noise * inside.std(0).max())
    np.testing.assert_allclose(
        found.second, inside.T @ inside / len(inside), atol=noise * (sd + np.abs(mean).max()) ** 2
    )


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10**6), st.integers(2, 3), st.booleans(), st.floats(0, 60))
def test_derivatives_of_the_probability_are_moments(seed: int, c: int, half: bool, away: float) -> None:
    """∂ log P / ∂μ = Σ⁻¹ (E[x | box] - μ), wherever the box is."""
    mean, matrix = gaussian(seed, c, 0.3)
    low, high = (bound + away * np.sqrt(np.diag(matrix)) for bound in box(seed, mean, matrix, half))
    found = cut(mean, matrix, low, high)
    step = 1e-3 * np.sqrt(np.diag(matrix))
    moved = cut(mean + np.concatenate([np.diag(step), -np.diag(step)]), matrix, low, high).log_p
    slope = (moved[:c] - moved[c:]) / (2 * step)
    expected = np.linalg.solve(matrix, found.first - mean)
    np.testing.assert_allclose(slope, expected, rtol=1e-3, atol=1e-9 + 1e-4 * np.abs(expected).max())


def test_stacks_orders_and_independence_agree() -> None:
    mean, matrix = gaussian(5, 3)
    low, high = box(5, mean, matrix, half=False)
    order = np.array([2, 0, 1])
    one = cut(mean, matrix, low, high)
    other = cut(mean[order], matrix[np.ix_(order, order)], low[order], high[order])
    assert one.log_p == pytest.approx(other.log_p, abs=1e-11)
    np.testing.assert_allclose(one.second[np.ix_(order, order)], other.second, rtol=1e-9)
    stack = cut(np.stack([mean, mean + 1])[:, None], np.stack([matrix, matrix * 2])[:, None], low, high)
    assert stack.first.shape == (2, 1, 3)
    assert stack.log_p[0, 0] == one.log_p
    straight = np.diag(np.diag(matrix))
    np.testing.assert_allclose(
        independent(mean, np.diag(matrix), low, high).second, cut(mean, straight, low, high).second, rtol=1e-10
    )
    whole = cut(mean, matrix, np.full(3, -INF), np.full(3, INF))
    assert whole.log_p == pytest.approx(0, abs=1e-12)
    np.testing.assert_allclose(whole.second, matrix + np.outer(mean, mean), rtol=1e-10)


def test_a_box_through_one_dimension_alone_leaves_the_others_to_regression() -> None:
    """dblquad, a third integrator, where only the second of two dimensions is bound."""
    matrix = np.array([[2.0, 1.2], [1.2, 1.0]])
    found = cut(np.zeros(2), matrix, np.array([-INF, 0.5]), np.array([INF, 2.0]))
    density = stats.multivariate_normal([0, 0], matrix).pdf
    p = dblquad(lambda x, y: float(density([x, y])), 0.5, 2, -12, 12)[0]
    mean = dblquad(lambda x, y: float(x * density([x, y])), 0.5, 2, -12, 12)[0] / p
    assert np.exp(found.log_p) == pytest.approx(p, rel=1e-8)
    assert found.first[0] == pytest.approx(mean, rel=1e-7)


@pytest.mark.parametrize("c", [1, 2, 3])
def test_rough_moments_are_near_and_exact_in_one_dimension(c: int) -> None:
    mean, matrix = gaussian(7, c, 0.5)
    low, high = box(7, mean, matrix, half=True)
    exact, near = cut(mean, matrix, low, high), rough(mean, matrix, low, high)
    assert near.log_p == pytest.approx(exact.log_p, abs=1e-12 if c == 1 else 0.05)
    spread = np.sqrt(np.diag(matrix))
    assert (np.abs(near.first - exact.first) < (1e-12 if c == 1 else 0.1) * spread).all()
    assert near.second.shape == (c, c)
