"""The fit of a patch mixture: statistics by brute force, an M-step that is a maximum, and an objective that climbs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import multivariate_normal

from emseg.em.convergence import Stop
from emseg.restore.patch.patch_fit import (
    FLAT,
    ROUNDING,
    PatchProblem,
    fit_patch_mixture,
    moments,
    starting_patch_mixture,
)
from emseg.restore.patch.patch_mixture import D, PatchMixture

pytestmark = pytest.mark.long

NOISE = 25.0


Draws = Callable[[int], tuple[np.ndarray, np.ndarray]]


def covariances(mixture: PatchMixture) -> np.ndarray:
    """Of the clean patches, (K, D, D)."""
    return (mixture.axes * mixture.variances[:, None]) @ mixture.axes.swapaxes(1, 2)


def densities(mixture: PatchMixture, x: np.ndarray) -> np.ndarray:
    """log π_k f_k(x), (K, N)."""
    return np.stack(
        [
            np.log(weight) + multivariate_normal(np.zeros(D), s + NOISE * np.eye(D)).logpdf(x.T.astype(float))
            for weight, s in zip(mixture.weights, covariances(mixture), strict=True)
        ]
    )


def problem_and_start(x: np.ndarray, strength: float = 5.0, k: int = 2) -> tuple[PatchProblem, PatchMixture]:
    problem = PatchProblem(x, NOISE, strength)
    return problem, starting_patch_mixture(problem, k, np.random.default_rng(0))


def test_moments_are_sums_over_patches() -> None:
    rng = np.random.default_rng(0)
    x, weight = rng.normal(size=(5, 9)), rng.random(9)
    wanted = sum(w * np.outer(column, column) for w, column in zip(weight, x.T, strict=True))
    assert np.allclose(moments(x, weight), [weight.sum(), *np.ravel(wanted)])


def test_the_e_step_by_brute_force(draws: Draws) -> None:
    problem, mixture = problem_and_start(draws(800)[0])
    found = problem.e_step(mixture)
    joint = densities(mixture, problem.x)
    total = logsumexp(joint, axis=0)
    r = np.exp(joint - total)
    tolerance = ROUNDING * problem.n
    assert found.rounding == pytest.approx(tolerance)
    assert found.log_likelihood == pytest.approx(total.sum(), abs=tolerance)
    assert found.complete == pytest.approx((r * joint).sum(), abs=tolerance)
    assert found.entropy == pytest.approx(total.sum() - (r * joint).sum(), abs=tolerance)
    assert np.allclose(found.stats.n, r.sum(1), atol=tolerance)
    scatter = np.einsum("kn,in,jn->kij", r, problem.x, problem.x)
    assert np.allclose(found.stats.t[:, 1:].reshape(-1, D, D), scatter, atol=1e-4 * np.abs(scatter).max())


@pytest.mark.parametrize("given", [False, True])
def test_the_prior_is_the_expected_log_likelihood_of_the_patches_that_it_adds(
    given: bool, known: PatchMixture, draws: Draws
) -> None:
    """Up to a constant that no parameter changes."""
    x, _ = draws(100)
    own = known if given else None
    problem = PatchProblem(x, NOISE, 7.0, own)
    added = (covariances(own) if own else np.zeros((3, D, D))) + NOISE * np.eye(D)

    def wanted(mixture: PatchMixture) -> float:
        total = covariances(mixture) + NOISE * np.eye(D)
        return float(-3.5 * (np.linalg.slogdet(total)[1] + np.trace(np.linalg.solve(total, added), 0, 1, 2)).sum())

    for mixture in (known, replace(known, variances=known.variances / 2)):
        assert problem.e_step(mixture).log_prior == pytest.approx(wanted(mixture), rel=1e-10)


@pytest.mark.parametrize("strength", [0.5, 50.0])
def test_the_m_step_is_the_maximum(strength: float, draws: Draws) -> None:
    problem, start = problem_and_start(draws(800)[0], strength)
    stats = problem.e_step(start).stats
    best = problem.m_step(stats)

    def objective(mixture: PatchMixture) -> float:
        total = float(stats.n @ np.log(mixture.weights)) + float(problem.e_step(mixture).log_prior)
        for n, t, s in zip(stats.n, stats.t, covariances(mixture) + NOISE * np.eye(D), strict=True):
            total -= 0.5 * float(n * np.linalg.slogdet(s)[1] + np.trace(np.linalg.solve(s, t[1:].reshape(D, D))))
        return total

    rng, highest = np.random.default_rng(0), objective(best)
    for k in range(best.k):
        for factor in (0.97, 1.03):
            variances, weights = best.variances.copy(), best.weights.copy()
            variances[k] *= factor
            weights[k] *= factor
            assert objective(PatchMixture(best.weights, best.axes, variances, NOISE)) < highest
            assert objective(PatchMixture(weights / weights.sum(), best.axes, best.variances, NOISE)) < highest
        axes = best.axes.copy()
        turn = 0.03 * rng.normal(size=(D, D))
        axes[k] = np.linalg.qr(axes[k] + axes[k] @ (turn - turn.T))[0]
        assert objective(PatchMixture(best.weights, axes, best.variances, NOISE)) < highest
        faint = best.variances.copy()
        faint[k][best.variances[k] == 0] = 0.5  # less variance than the noise alone was seen along these axes
        assert (best.variances[k] == 0).any()
        assert objective(PatchMixture(best.weights, best.axes, faint, NOISE)) < highest


@pytest.mark.parametrize("strength", [0.5, 50.0])
def test_the_objective_never_falls(strength: float, draws: Draws) -> None:
    problem, start = problem_and_start(draws(2000)[0], strength, 4)
    found = fit_patch_mixture(problem, start, Stop(0, 15))
    for before, after in pairwise(row.objective for row in found.trace):
        assert after >= before - 2 * ROUNDING * problem.n
    assert found.trace[-1].objective > found.trace[0].objective


def test_em_recovers_a_known_mixture(known: PatchMixture, draws: Draws) -> None:
    x, clean = draws(9000)
    problem = PatchProblem(x, NOISE, strength=1.0)
    found = fit_patch_mixture(problem, starting_patch_mixture(problem, 3, np.random.default_rng(0)), Stop(1e-6, 60))
    order = np.argsort(found.mixture.weights)
    assert found.mixture.weights[order] == pytest.approx(known.weights, abs=0.03)
    for k, s in zip(order, covariances(known), strict=True):
        assert np.linalg.norm(covariances(found.mixture)[k] - s) < 0.35 * np.linalg.norm(s)
    error = ((found.mixture.clean(x)[0] - clean) ** 2).mean()
    assert error < 1.15 * ((known.clean(x)[0] - clean) ** 2).mean()


@pytest.mark.parametrize("seed", range(4))
def test_a_start_splits_by_energy_and_direction(seed: int) -> None:
    """Flat patches amid two directions that share no coordinate, in noise: each has a component of its own."""
    rng, n = np.random.default_rng(seed), 2000
    flat = int(FLAT * n)
    middle = (flat + n) // 2
    x = rng.normal(0, 12, (D, n)).astype(np.float32)
    x[:, :flat] /= 100
    x[0, flat:middle] += rng.choice([-50, 50], middle - flat)
    x[5, middle:] += rng.choice([-50, 50], n - middle)
    found = starting_patch_mixture(PatchProblem(x, 0.01, 1e-3), 3, np.random.default_rng(1))
    assert found.weights[0] == pytest.approx(FLAT)
    assert found.variances[0].max() < 1
    main = np.abs(found.axes[1:, [0, 5], -1])  # cosines of the main axes with the two directions
    assert np.sort(main.max(1))[0] > 0.99  # 0.75 with the random centres that the sweeps begin from
    assert set(main.argmax(1)) == {0, 1}
