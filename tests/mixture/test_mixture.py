"""Mixtures: densities against scipy, unconstrained coordinates, changes of units and of order."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import multivariate_normal

from emseg.mixture.assign import assign, label_type, posterior
from emseg.mixture.families.gaussian import GAUSSIANS, Gaussian
from emseg.mixture.mixture import Mixture

pytestmark = pytest.mark.long

every_model = pytest.mark.parametrize("model", GAUSSIANS)
shapes = given(st.integers(0, 10**6), st.integers(1, 5), st.integers(1, 5))


def random_mixture(seed: int, model: str, k: int, d: int) -> Mixture:
    rng = np.random.default_rng(seed)
    factor = rng.normal(size=(k, d, d))
    scatter = factor @ factor.transpose(0, 2, 1) + 0.3 * np.eye(d)
    shared = GAUSSIANS[model]
    components = Gaussian(3 * rng.normal(size=(k, d)), shared.covariance.estimate(scatter, np.ones(k), 0.0))
    return Mixture(rng.dirichlet(np.full(k, 2.0)), components, shared)


def log_joint(mixture: Mixture, x: np.ndarray) -> np.ndarray:
    """log π_k f_k(x), shape (K, N), by scipy."""
    parts = mixture.components
    return np.stack(
        [
            np.log(w) + np.atleast_1d(multivariate_normal(mean, covariance).logpdf(x.T))
            for w, mean, covariance in zip(mixture.weights, parts.means, parts.covariances, strict=True)
        ]
    )


@every_model
@settings(max_examples=25)
@shapes
def test_densities_are_those_of_scipy(model: str, seed: int, k: int, d: int) -> None:
    mixture = random_mixture(seed, model, k, d)
    x = 4 * np.random.default_rng(seed + 1).normal(size=(d, 7))
    np.testing.assert_allclose(mixture.log_joint(x), log_joint(mixture, x), rtol=1e-8, atol=1e-8)


@every_model
@settings(max_examples=25)
@shapes
def test_packed_mixtures_come_back(model: str, seed: int, k: int, d: int) -> None:
    mixture = random_mixture(seed, model, k, d)
    back = mixture.unpack(mixture.pack())
    assert mixture.pack().shape == (mixture.n_parameters + 1,)  # one logit is redundant
    np.testing.assert_allclose(back.weights, mixture.weights, rtol=1e-12)
    np.testing.assert_array_equal(back.components.means, mixture.components.means)
    np.testing.assert_allclose(back.components.covariances, mixture.components.covariances, rtol=1e-9, atol=1e-9)


@every_model
@settings(max_examples=25)
@given(st.data(), st.integers(1, 4), st.integers(1, 4))
def test_any_vector_is_a_mixture(model: str, data: st.DataObject, k: int, d: int) -> None:
    like = random_mixture(0, model, k, d)
    size = like.pack().size
    theta = np.array(data.draw(st.lists(st.floats(-4, 4), min_size=size, max_size=size)))
    mixture = like.unpack(theta)
    assert mixture.weights.min() > 0
    assert mixture.weights.sum() == pytest.approx(1)
    assert np.isfinite(mixture.log_joint(np.zeros((d, 3)))).all()


@every_model
@settings(max_examples=25)
@shapes
def test_a_change_of_units_changes_densities_by_its_jacobian(model: str, seed: int, k: int, d: int) -> None:
    rng = np.random.default_rng(seed)
    mixture, shift, scale = random_mixture(seed, model, k, d), rng.normal(size=d), rng.uniform(0.1, 9, d)
    x = rng.normal(size=(d, 6))
    moved = mixture.affine(shift, scale)
    expected = log_joint(mixture, x) - np.log(scale).sum()
    np.testing.assert_allclose(log_joint(moved, shift[:, None] + scale[:, None] * x), expected, rtol=1e-8, atol=1e-8)
    back = moved.affine(-shift / scale, 1 / scale)
    np.testing.assert_allclose(back.components.means, mixture.components.means, atol=1e-9)
    np.testing.assert_allclose(back.components.covariances, mixture.components.covariances, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    ("model", "k", "d", "count"),
    [
        ("full", 4, 3, 3 + 12 + 24),
        ("tied", 4, 3, 3 + 12 + 6),
        ("diag", 4, 3, 3 + 12 + 12),
        ("spherical", 4, 3, 3 + 12 + 4),
        ("full", 1, 1, 2),
        ("tied", 2, 5, 1 + 10 + 15),
    ],
)
def test_parameters_are_counted(model: str, k: int, d: int, count: int) -> None:
    assert random_mixture(0, model, k, d).n_parameters == count


def test_canonical_order_is_by_the_first_feature_and_ties_by_the_next() -> None:
    means = np.array([[2.0, 0, 5], [1, 7, 0], [1, 3, 9], [1, 3, 2]])
    mixture = Mixture(np.array([0.1, 0.2, 0.3, 0.4]), Gaussian(means, np.stack([np.eye(3)] * 4)), GAUSSIANS["full"])
    order = mixture.canonical_order()
    assert order.tolist() == [3, 2, 1, 0]
    ordered = mixture.permuted(order)
    np.testing.assert_array_equal(ordered.weights, [0.4, 0.3, 0.2, 0.1])
    np.testing.assert_array_equal(ordered.components.means, means[::-1])


@every_model
@pytest.mark.parametrize("n", [1, 8191, 8192, 8193, 20_000])
def test_labels_are_the_most_probable_components(model: str, n: int) -> None:
    mixture, rng = random_mixture(3, model, 4, 2), np.random.default_rng(0)
    x, weight = 3 * rng.normal(size=(2, n)), rng.integers(1, 5, n).astype(float)
    joint = log_joint(mixture, x)
    r = np.exp(joint - joint.max(0))
    r /= r.sum(0)
    labels, log_posterior = assign(mixture, x, weight)
    np.testing.assert_array_equal(labels, r.argmax(0) + 1)
    assert log_posterior == pytest.approx(float(weight @ np.log(r.max(0))), rel=1e-8)
    np.testing.assert_allclose(posterior(mixture, x), r, atol=1e-6)


def test_samples_far_from_every_component_are_labelled_too() -> None:
    mixture = random_mixture(3, "full", 3, 2)
    x = np.array([[1e6, -1e6, 0], [1e6, 1e6, -1e6]])
    r = posterior(mixture, x)
    np.testing.assert_allclose(r.sum(0), 1, rtol=1e-6)
    np.testing.assert_array_equal(assign(mixture, x, np.ones(3))[0], log_joint(mixture, x).argmax(0) + 1)


@pytest.mark.parametrize(("k", "dtype"), [(1, "u1"), (255, "u1"), (256, "u2"), (65535, "u2"), (65536, "u4")])
def test_labels_take_the_smallest_type_that_holds_them(k: int, dtype: str) -> None:
    assert np.dtype(label_type(k)) == np.dtype(dtype)
