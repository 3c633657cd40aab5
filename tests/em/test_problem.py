"""The two projections: E-steps in stacks, blocks and single precision, where exp overflows and underflows; M-steps."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import multivariate_normal

from emseg.em import kernel
from emseg.em.problem import EMPTY, Problem
from emseg.mixture.families.gaussian import GAUSSIANS, Gaussian
from emseg.mixture.mixture import Mixture
from emseg.mixture.samples import Rows
from emseg.mixture.stats import Stats

pytestmark = pytest.mark.long

every_model = pytest.mark.parametrize("model", GAUSSIANS)


def random_mixture(rng: np.random.Generator, model: str, k: int, d: int, *lead: int) -> Mixture:
    shared = GAUSSIANS[model]
    factor = rng.normal(size=(*lead, k, d, d))
    scatter = factor @ np.swapaxes(factor, -1, -2) + 0.5 * np.eye(d)
    covariances = shared.covariance.estimate(scatter, np.ones((*lead, k)), 0.0)
    return Mixture(rng.dirichlet(np.full(k, 3.0), lead), Gaussian(rng.normal(size=(*lead, k, d)), covariances), shared)


def random_rows(rng: np.random.Generator, model: str, n: int, d: int, dtype: type = np.float64) -> Rows:
    x, weight = rng.normal(size=(d, n)).astype(dtype), rng.integers(1, 9, n).astype(dtype)
    return Rows(x, weight)


def by_hand(rows: Rows, mixture: Mixture) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """n (K,), first moments (K, D), second moments (K, D, D) and ℓ from scipy's densities."""
    x, weight, parts = rows.x.astype(float), rows.weight.astype(float), mixture.components
    joint = np.stack(
        [
            np.log(w) + np.atleast_1d(multivariate_normal(mean, covariance).logpdf(x.T))
            for w, mean, covariance in zip(mixture.weights, parts.means, parts.covariances, strict=True)
        ]
    )
    total = logsumexp(joint, axis=0)
    r = np.exp(joint - total) * weight
    return r.sum(1), r @ x.T, np.einsum("kn,in,jn->kij", r, x, x), float(weight @ total)


def assert_right(rows: Rows, mixture: Mixture, tolerance: float = 1e-10) -> None:
    found = Problem(rows, mixture.family).e_step(mixture)
    n, first, second, log_likelihood = by_hand(rows, mixture)
    d = rows.d
    i, j = np.triu_indices(d) if mixture.family.products else (np.arange(d), np.arange(d))
    scale = np.abs(second).max()
    assert float(found.log_likelihood) == pytest.approx(log_likelihood, rel=tolerance)
    np.testing.assert_allclose(found.stats.n, n, rtol=tolerance, atol=tolerance * rows.weight.sum())
    np.testing.assert_allclose(found.stats.t[:, 0], n, rtol=tolerance, atol=tolerance * rows.weight.sum())
    np.testing.assert_allclose(found.stats.t[:, 1 : 1 + d], first, rtol=tolerance, atol=tolerance * scale)
    np.testing.assert_allclose(found.stats.t[:, 1 + d :], second[:, i, j], rtol=tolerance, atol=tolerance * scale)


@every_model
@pytest.mark.parametrize("n", [1, 2, 1023, 1024, 1025, 2047, 2048, 2500])
def test_blocks_meet_without_seam(model: str, n: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel, "CACHE_BYTES", 1)  # blocks of 1024 rows, the smallest there are
    rng = np.random.default_rng(n)
    assert_right(random_rows(rng, model, n, 3), random_mixture(rng, model, 4, 3))


@every_model
def test_single_precision_is_right_to_single_precision(model: str) -> None:
    rng = np.random.default_rng(0)
    assert_right(random_rows(rng, model, 3000, 3, np.float32), random_mixture(rng, model, 4, 3), 2e-5)


@every_model
@pytest.mark.parametrize("lead", [(1,), (5,), (2, 3)])
def test_a_stack_is_so_many_mixtures(model: str, lead: tuple[int, ...]) -> None:
    rng = np.random.default_rng(1)
    problem = Problem(random_rows(rng, model, 1500, 2), GAUSSIANS[model], 1e-3, -0.7)
    stack = random_mixture(rng, model, 3, 2, *lead)
    found, moved = problem.e_step(stack), problem.m_step(problem.e_step(stack).stats)
    assert found.objective.shape == lead
    for index in np.ndindex(*lead):
        alone = problem.e_step(stack[index])
        next_alone = problem.m_step(alone.stats)
        assert abs(found.log_likelihood[index] - alone.log_likelihood) <= alone.rounding
        np.testing.assert_allclose(found.log_prior[index], alone.log_prior, rtol=1e-12)
        np.testing.assert_allclose(found.stats.t[index], alone.stats.t, rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(moved.weights[index], next_alone.weights, rtol=1e-9)
        ours, alones = moved.components.covariances[index], next_alone.components.covariances
        np.testing.assert_allclose(ours, alones, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("far", [30.0, 1e3, -1e3])
def test_samples_beyond_the_range_of_exp(dtype: type, far: float) -> None:
    """At a thousand standard deviations every density is zero as it is, but its logarithm is not."""
    rng = np.random.default_rng(2)
    rows = random_rows(rng, "full", 1500, 2, dtype)
    rows.x[:, [3, 1400]] += dtype(far)
    assert_right(rows, random_mixture(rng, "full", 3, 2), 1e-10 if dtype is np.float64 else 3e-4)


def test_densities_above_the_range_of_exp() -> None:
    """Thirty dimensions of tiny variance: each density is about e^800."""
    rng = np.random.default_rng(3)
    rows = Rows(rng.normal(size=(30, 200)) * 1e-12, np.ones(200))
    narrow = Gaussian(np.zeros((2, 30)), np.stack([1e-24 * np.eye(30)] * 2))
    mixture = Mixture(np.full(2, 0.5), narrow, GAUSSIANS["full"])
    found = Problem(rows, mixture.family).e_step(mixture)
    assert float(found.log_likelihood) == pytest.approx(by_hand(rows, mixture)[3], rel=1e-9)


def test_the_log_jacobian_is_added_once_a_sample() -> None:
    rng = np.random.default_rng(4)
    rows, mixture = random_rows(rng, "full", 100, 2), random_mixture(rng, "full", 2, 2)
    plain, moved = Problem(rows, mixture.family).e_step(mixture), Problem(rows, mixture.family, 0, 2.5).e_step(mixture)
    assert float(moved.log_likelihood - plain.log_likelihood) == pytest.approx(2.5 * rows.weight.sum())


@every_model
def test_without_a_floor_there_is_no_penalty(model: str) -> None:
    rng = np.random.default_rng(5)
    rows, mixture = random_rows(rng, model, 50, 2), random_mixture(rng, model, 3, 2)
    assert Problem(rows, mixture.family, 0.0).e_step(mixture).log_prior == 0
    floored = Problem(rows, mixture.family, 1e-3).e_step(mixture)
    assert floored.log_prior < 0
    assert floored.objective == floored.log_likelihood + floored.log_prior


@every_model
def test_an_m_step_never_lowers_the_objective(model: str) -> None:
    rng = np.random.default_rng(6)
    problem = Problem(random_rows(rng, model, 400, 3), GAUSSIANS[model], 0.02)
    for seed in range(20):
        mixture = random_mixture(np.random.default_rng(seed), model, 3, 3)
        before = problem.e_step(mixture)
        after = problem.e_step(problem.m_step(before.stats, mixture))
        assert after.objective >= before.objective - after.rounding


def test_an_empty_component_gets_a_small_weight_and_stays_finite() -> None:
    rng = np.random.default_rng(7)
    rows = random_rows(rng, "full", 30, 2)
    t = np.zeros((2, 6))
    ((monomials, weight),) = rows.blocks(GAUSSIANS["full"], 30)
    t[0] = monomials @ weight
    mixture = Problem(rows, GAUSSIANS["full"], 1e-6).m_step(Stats(t[:, 0].copy(), t))
    assert mixture.weights[1] == pytest.approx(EMPTY)
    assert mixture.weights.sum() == pytest.approx(1)
    assert np.linalg.eigvalsh(mixture.components.covariances).min() > 0


def test_stats_add_up_over_parts_of_the_data() -> None:
    rng = np.random.default_rng(8)
    rows, mixture = random_rows(rng, "full", 90, 2), random_mixture(rng, "full", 3, 2)
    parts = [Rows(np.ascontiguousarray(rows.x[:, p]), rows.weight[p]) for p in (slice(0, 40), slice(40, 90))]
    first, second = (Problem(part, mixture.family).e_step(mixture).stats for part in parts)
    whole = Problem(rows, mixture.family).e_step(mixture).stats
    np.testing.assert_allclose((first + second).t, whole.t, rtol=1e-10)
    np.testing.assert_allclose((0.5 * whole).n, whole.n / 2)
