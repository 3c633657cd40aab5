"""Covariance models: the M-step against numerical optimisation, the floor as a penalty, unconstrained coordinates."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize

from emseg.mixture.covariance import COVARIANCES, CovarianceModel

every_model = pytest.mark.parametrize("model", COVARIANCES.values(), ids=lambda model: model.name)


def random_scatter(seed: int, k: int, d: int) -> tuple[np.ndarray, np.ndarray]:
    """Scatter matrices W_k and counts n_k."""
    rng = np.random.default_rng(seed)
    factor = rng.normal(size=(k, d, d + 2))
    n = rng.uniform(1, 30, k)
    return n[:, None, None] * factor @ factor.transpose(0, 2, 1), n


def penalised(sigma: np.ndarray, scatter: np.ndarray, n: np.ndarray, psi: float, tied: bool) -> float:
    """-½ Σ_k (n_k log|Σ_k| + tr Σ_k⁻¹ W_k) - ½ ψ Σ tr Σ⁻¹ over the distinct matrices, as its definition reads."""
    value = 0.0
    for matrix, w, count in zip(sigma, scatter, n, strict=True):
        value -= 0.5 * (count * np.linalg.slogdet(matrix)[1] + np.trace(np.linalg.solve(matrix, w)))
    return value - 0.5 * psi * sum(np.trace(np.linalg.inv(matrix)) for matrix in (sigma[:1] if tied else sigma))


def spelled_out(model: CovarianceModel, theta: np.ndarray, k: int, d: int) -> np.ndarray:
    """K matrices of the model from free numbers, written here anew: A Aᵀ, or exponentials on the diagonal."""
    distinct = 1 if model.tied else k
    if model.shape == "full":
        a = theta.reshape(distinct, d, d)
        found = a @ a.transpose(0, 2, 1)
    else:
        found = np.exp(theta.reshape(distinct, -1, 1)) * np.eye(d)
    return np.concatenate([found] * (k // distinct))


@every_model
@pytest.mark.parametrize("d", [1, 2])
@pytest.mark.parametrize("psi", [0.0, 3.0])
def test_the_estimate_is_the_maximum(model: CovarianceModel, d: int, psi: float) -> None:
    scatter, n = random_scatter(d, 2, d)
    found = model.estimate(scatter, n, psi)
    free = {"full": 2 * np.eye(d), "diag": np.zeros(d), "spherical": np.zeros(1)}[model.shape].ravel()

    def loss(theta: np.ndarray) -> float:
        return -penalised(spelled_out(model, theta, 2, d), scatter, n, psi, model.tied)

    best = minimize(loss, np.tile(free, 1 if model.tied else 2), tol=1e-10)
    assert penalised(found, scatter, n, psi, model.tied) == pytest.approx(-best.fun, rel=1e-9)
    assert penalised(found, scatter, n, psi, model.tied) >= -best.fun - 1e-9
    np.testing.assert_allclose(found, spelled_out(model, best.x, 2, d), rtol=1e-3, atol=1e-4)


@every_model
def test_the_floor_bounds_every_variance(model: CovarianceModel) -> None:
    n = np.array([3.0, 7.0])
    found = model.estimate(np.zeros((2, 3, 3)), n, 0.5)
    assert np.linalg.eigvalsh(found).min() >= 0.5 / n.sum() * (1 - 1e-12)


@every_model
def test_the_penalty_is_what_it_says(model: CovarianceModel) -> None:
    scatter, n = random_scatter(3, 4, 3)
    sigma = model.estimate(scatter, n, 0.0)
    distinct = sigma[:1] if model.tied else sigma
    expected = -0.5 * 1.7 * sum(np.trace(np.linalg.inv(matrix)) for matrix in distinct)
    assert float(model.log_penalty(np.linalg.inv(sigma), 1.7)) == pytest.approx(expected)
    assert float(model.log_penalty(np.linalg.inv(sigma), 0.0)) == 0


@every_model
@given(st.integers(0, 10**6), st.integers(1, 5), st.integers(1, 5))
def test_packed_covariances_come_back(model: CovarianceModel, seed: int, k: int, d: int) -> None:
    sigma = model.estimate(*random_scatter(seed, k, d), 0.1)
    theta = model.pack(sigma)
    assert theta.shape == (model.n_parameters(k, d),)
    np.testing.assert_allclose(model.unpack(theta, k, d), sigma, rtol=1e-9, atol=1e-9)


@every_model
@given(st.data(), st.integers(1, 4), st.integers(1, 4))
def test_any_numbers_are_covariances_of_the_model(model: CovarianceModel, data: st.DataObject, k: int, d: int) -> None:
    size = model.n_parameters(k, d)
    theta = np.array(data.draw(st.lists(st.floats(-4, 4), min_size=size, max_size=size)))
    sigma = model.unpack(theta, k, d)
    assert sigma.shape == (k, d, d)
    np.linalg.cholesky(sigma)
    np.testing.assert_array_equal(sigma, sigma.transpose(0, 2, 1))
    np.testing.assert_allclose(model.pack(sigma), theta, atol=1e-5)
    if model.shape != "full":
        assert np.count_nonzero(sigma) == k * d
    if model.shape == "spherical":
        assert np.ptp(np.einsum("kii->ki", sigma), axis=1).max() == 0
    if model.tied:
        assert np.ptp(sigma, axis=0).max() == 0


@pytest.mark.parametrize(("name", "count"), [("full", 4 * 6), ("tied", 6), ("diag", 4 * 3), ("spherical", 4)])
def test_parameters_are_counted(name: str, count: int) -> None:
    assert COVARIANCES[name].n_parameters(4, 3) == count


@every_model
def test_a_stack_is_estimated_side_by_side(model: CovarianceModel) -> None:
    pairs = [random_scatter(seed, 3, 2) for seed in range(4)]
    scatter, n = (np.stack(parts) for parts in zip(*pairs, strict=True))
    found = model.estimate(scatter, n, 0.3)
    for one, (w, count) in zip(found, pairs, strict=True):
        np.testing.assert_allclose(one, model.estimate(w, count, 0.3), rtol=1e-12)
