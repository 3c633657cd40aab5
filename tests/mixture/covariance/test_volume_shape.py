"""M-steps of covariance models, against a general optimiser."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize

from emseg.mixture.covariance.volume_shape import axes_of, common_axes, equal_volume, free, pooled, proportional

K, D = 3, 2


def drawn(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(K, D, 5))
    return root @ np.swapaxes(root, 1, 2), rng.uniform(3, 9, K)


def objective(sigma: np.ndarray, b: np.ndarray, n: np.ndarray) -> float:
    return float((n * np.linalg.slogdet(sigma)[1]).sum() + np.einsum("kij,kji->", np.linalg.inv(sigma), b))


def lower(theta: np.ndarray) -> np.ndarray:
    """A matrix of determinant 1 with two coordinates."""
    root = np.array([[np.exp(theta[0]), 0], [theta[1], np.exp(-theta[0])]])
    return root @ root.T


SHAPES = {
    "pooled": (pooled, lambda p: np.stack([np.exp(p[0]) * lower(p[1:3])] * K), 3),
    "free": (free, lambda p: np.stack([np.exp(p[3 * k]) * lower(p[3 * k + 1 : 3 * k + 3]) for k in range(K)]), 9),
    "volume": (equal_volume, lambda p: np.stack([np.exp(p[0]) * lower(p[2 * k + 1 : 2 * k + 3]) for k in range(K)]), 7),
    "shape": (proportional, lambda p: np.stack([np.exp(p[k]) * lower(p[K:]) for k in range(K)]), 5),
}


@pytest.mark.parametrize("name", SHAPES)
def test_each_is_the_minimum_over_what_it_allows(name: str) -> None:
    solve, matrices, size = SHAPES[name]
    b, n = drawn()
    reached = minimize(lambda p: objective(matrices(p), b, n), np.zeros(size), method="BFGS", options={"gtol": 1e-7})
    assert objective(solve(b, n), b, n) == pytest.approx(reached.fun, rel=1e-9)


def test_common_axes_are_the_best_ones() -> None:
    b, n = drawn(3)

    def turned(angle: float) -> float:
        q = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        variances = np.einsum("ji,kjl,li->ki", q, b, q) / n[:, None]
        return objective(np.stack([q @ np.diag(v) @ q.T for v in variances]), b, n)

    variances, axes = common_axes(b, n, free, np.eye(D))
    found = objective(np.stack([axes @ np.diag(v) @ axes.T for v in variances]), b, n)
    assert found <= min(turned(angle) for angle in np.linspace(0, np.pi, 2001)) + 1e-9


def test_axes_that_matrices_share_are_found() -> None:
    q = np.linalg.qr(np.random.default_rng(5).normal(size=(3, 3)))[0]
    matrices = np.stack([q @ np.diag(v) @ q.T for v in ([1.0, 2, 3], [5.0, 1, 1], [2.0, 2, 9])])
    overlap = np.abs(axes_of(matrices).T @ q)
    np.testing.assert_allclose(np.sort(overlap.ravel())[-3:], 1, rtol=1e-9)


@pytest.mark.parametrize("solve", [equal_volume, proportional])
def test_a_component_without_extent_is_refused(solve: object) -> None:
    b, n = drawn()
    b[0] = 0
    with pytest.raises(np.linalg.LinAlgError, match="no extent"):
        solve(b, n)  # type: ignore[operator]
