"""Covariance models: the M-step against numerical optimisation, the floor as a penalty, unconstrained coordinates."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize

from emseg.mixture.covariance.model import COVARIANCE_MODELS, CovarianceModel
from emseg.mixture.covariance.registry import MCLUST

pytestmark = pytest.mark.long

MODELS = [COVARIANCE_MODELS[name] for name in MCLUST]
every_model = pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)


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


def cayley(skew: np.ndarray) -> np.ndarray:
    """A rotation."""
    return (np.eye(len(skew)) - skew) @ np.linalg.inv(np.eye(len(skew)) + skew)


def spelled_out(letters: str, theta: np.ndarray, k: int, d: int) -> np.ndarray:
    """K matrices λ R A Rᵀ from plenty of free numbers, written here anew."""
    pieces = np.split(theta, [k, k + k * d])
    volume, shape, turn = pieces[0], pieces[1].reshape(k, d), pieces[2].reshape(k, d, d)
    found = []
    for i in range(k):
        v, s, r = (i if letter == "V" else 0 for letter in letters)
        a = np.exp(shape[s] - shape[s].mean()) if letters[1] != "I" else np.ones(d)
        q = cayley(turn[r] - turn[r].T) if letters[2] != "I" else np.eye(d)
        found.append(np.exp(volume[v]) * q @ np.diag(a) @ q.T)
    return np.stack(found)


def is_member(letters: str, sigma: np.ndarray, tolerance: float = 1e-8) -> bool:
    """Whether matrices share what they must."""
    k, d = sigma.shape[:2]
    volume = np.linalg.det(sigma) ** (1 / d)
    unit = sigma / volume[:, None, None]
    shape = np.linalg.eigvalsh(unit)
    size = tolerance * np.abs(unit).max()
    fine = letters[0] == "V" or bool(np.ptp(volume) <= tolerance * volume[0])
    if letters[1] in "EI":
        fine &= bool(np.ptp(shape, axis=0).max() <= size)
    if letters[1] == "I":
        fine &= bool(np.abs(unit - np.eye(d)).max() <= size)
    if letters[2] == "I":
        fine &= np.count_nonzero(sigma) == k * d
    if letters[2] == "E":
        fine &= all(np.abs(a @ b - b @ a).max() <= size * np.abs(a).max() for a in unit for b in unit)
    return fine


@every_model
@pytest.mark.parametrize(("k", "d", "psi"), [(2, 1, 3.0), (3, 2, 3.0), (2, 3, 0.0)])
def test_the_estimate_is_the_maximum(model: CovarianceModel, k: int, d: int, psi: float) -> None:
    """EVE and VVE have several maxima: there no small change may do better, else no matrix of the model at all."""
    scatter, n = random_scatter(d, k, d)
    found = model.estimate(scatter, n, psi)
    reached = penalised(found, scatter, n, psi, model.tied)
    assert is_member(model.letters, found)

    def loss(theta: np.ndarray) -> float:
        return -penalised(spelled_out(model.letters, theta, k, d), scatter, n, psi, model.tied)

    rng = np.random.default_rng(0)
    if model.letters in ("EVE", "VVE"):
        for _ in range(20):
            nudged = model.unpack(model.pack(found) + 1e-3 * rng.normal(size=model.n_parameters(k, d)), k, d)
            assert penalised(nudged, scatter, n, psi, model.tied) < reached
    else:
        best = minimize(loss, rng.normal(size=k * (1 + d + d * d)), options={"maxiter": 60})
        assert -best.fun == pytest.approx(reached, rel=0.05)
        assert -best.fun <= reached + 1e-9 * abs(reached)


@pytest.mark.parametrize("name", ["EVE", "VVE"])
@given(st.integers(0, 10**6), st.integers(1, 4), st.integers(2, 4))
def test_conditional_steps_never_fall(name: str, seed: int, k: int, d: int) -> None:
    model = COVARIANCE_MODELS[name]
    rng = np.random.default_rng(seed)
    before = model.unpack(rng.normal(size=model.n_parameters(k, d)), k, d)
    scatter, n = random_scatter(seed, k, d)
    after = model.estimate(scatter, n, 0.3, before)
    assert is_member(name, after)
    value = penalised(before, scatter, n, 0.3, False)
    assert penalised(after, scatter, n, 0.3, False) >= value - 1e-9 * abs(value)


@pytest.mark.parametrize("name", ["EVE", "VVE"])
def test_axes_that_exist_are_found(name: str) -> None:
    """Scatter with common axes, in planes of which the components' differences cancel in the sum."""
    model = COVARIANCE_MODELS[name]
    q = cayley(np.array([[0, 0.4, 1.0], [-0.4, 0, 0.3], [-1.0, -0.3, 0]]))
    spectrum = np.array([[1.0, 3.0, 2.0], [3.0, 1.0, 2.0]])
    sigma = np.einsum("ij,kj,lj->kil", q, spectrum, q)
    n = np.array([5.0, 5.0])
    for previous in (None, sigma, model.unpack(np.zeros(model.n_parameters(2, 3)), 2, 3)):
        np.testing.assert_allclose(model.estimate(5 * sigma, n, 0.0, previous), sigma, atol=1e-7)


@every_model
@pytest.mark.parametrize("extreme", [1e-6, 1e-10])
def test_needles_and_plates_are_balanced(model: CovarianceModel, extreme: float) -> None:
    """Components of nearly singular scatter in different directions: plain alternation would take forever."""
    scatter = np.stack([np.diag([1.0, extreme, 1.0]), np.diag([extreme, 1.0, 1.0]), np.diag([1.0, 1.0, extreme])])
    n = np.array([3.0, 5.0, 4.0])
    found = model.estimate(scatter, n, 0.0)
    assert is_member(model.letters, found, 1e-5)
    again = model.estimate(scatter[[2, 0, 1]], n[[2, 0, 1]], 0.0)
    values = [penalised(sigma, scatter, n, 0, False) for sigma in (found, again[[1, 2, 0]])]
    assert values[0] == pytest.approx(values[1], rel=1e-9)
    if model.letters[1] == "E" and model.letters[0] == "V":  # nothing gained by another volume
        for factor in (0.9, 1.1):
            moved = found * np.array([factor, 1.0, 1.0])[:, None, None]
            assert penalised(moved, scatter, n, 0, False) < values[0]


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
    np.testing.assert_allclose(model.unpack(theta, k, d), sigma, rtol=1e-8, atol=1e-8 * np.abs(sigma).max())


@every_model
@given(st.data(), st.integers(1, 4), st.integers(1, 4))
def test_any_numbers_are_covariances_of_the_model(model: CovarianceModel, data: st.DataObject, k: int, d: int) -> None:
    size = model.n_parameters(k, d)
    theta = np.array(data.draw(st.lists(st.floats(-3, 3), min_size=size, max_size=size)))
    sigma = model.unpack(theta, k, d)
    assert sigma.shape == (k, d, d)
    np.linalg.cholesky(sigma)
    np.testing.assert_array_equal(sigma, sigma.transpose(0, 2, 1))
    assert is_member(model.letters, sigma, 1e-6)
    back = model.unpack(model.pack(sigma), k, d)
    np.testing.assert_allclose(back, sigma, rtol=1e-6, atol=1e-7 * np.abs(sigma).max())


@every_model
def test_near_matrices_have_near_coordinates(model: CovarianceModel) -> None:
    """Extrapolation along a sequence of iterates makes sense: coordinates move by as little as matrices do."""
    sigma = model.estimate(*random_scatter(7, 3, 3), 0.1)
    theta = model.pack(sigma)
    moved = model.unpack(theta + 1e-6, 3, 3)
    np.testing.assert_allclose(model.pack(moved) - theta, 1e-6, rtol=1e-2)


#: Parameters of four covariance matrices in three dimensions, from the table of Celeux & Govaert (1995).
COUNTS = {
    "EII": 1, "VII": 4, "EEI": 3, "VEI": 6, "EVI": 9, "VVI": 12, "EEE": 6, "VEE": 9, "EVE": 12, "VVE": 15, "EEV": 15,
    "VEV": 18, "EVV": 21, "VVV": 24, "full": 24, "tied": 6, "diag": 12, "spherical": 4,
}  # fmt: skip


@pytest.mark.parametrize("name", COVARIANCE_MODELS)
def test_parameters_are_counted(name: str) -> None:
    assert COVARIANCE_MODELS[name].n_parameters(4, 3) == COUNTS[name]
    assert COVARIANCE_MODELS[name].n_parameters(4, 1) == (4 if COVARIANCE_MODELS[name].letters[0] == "V" else 1)


@every_model
def test_in_one_dimension_only_volume_counts(model: CovarianceModel) -> None:
    scatter, n = random_scatter(2, 3, 1)
    expected = COVARIANCE_MODELS[model.letters[0] + "II"].estimate(scatter, n, 0.0)
    np.testing.assert_allclose(model.estimate(scatter, n, 0.0), expected, rtol=1e-12)


@every_model
def test_a_stack_is_estimated_side_by_side(model: CovarianceModel) -> None:
    pairs = [random_scatter(seed, 3, 2) for seed in range(4)]
    scatter, n = (np.stack(parts) for parts in zip(*pairs, strict=True))
    found = model.estimate(scatter, n, 0.3)
    for one, (w, count) in zip(found, pairs, strict=True):
        np.testing.assert_allclose(one, model.estimate(w, count, 0.3), rtol=1e-9, atol=1e-9)
