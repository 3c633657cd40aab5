"""Fits of Student mixtures: direct optimisation, known parameters, outliers, and the bound with the weights in it."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pytest
from scipy import optimize, stats
from scipy.special import gammaln, psi

from emseg.em.convergence import Stop
from emseg.em.fit import Fit, fit
from emseg.em.problem import Problem
from emseg.em.registry import ALGORITHMS, algorithm
from emseg.em.starts.number_of_components import candidates
from emseg.em.starts.tournament import search
from emseg.em.variants.em import EM
from emseg.em.variants.incremental import Incremental
from emseg.errors import UsageError
from emseg.mixture.families.gaussian import GAUSSIANS, Gaussian
from emseg.mixture.families.outliers import with_outliers
from emseg.mixture.families.registry import family_of
from emseg.mixture.families.student import Student
from emseg.mixture.mixture import Mixture
from emseg.mixture.samples import Rows
from tests.rounding import assert_bound

pytestmark = pytest.mark.long


def drawn(n: int, d: int, nu: float, seed: int = 0) -> np.ndarray:
    """Samples (D, N) of a t distribution."""
    rng = np.random.default_rng(seed)
    mix = rng.normal(size=(d, d)) + 2 * np.eye(d)
    return np.ascontiguousarray((rng.normal(size=(n, d)) @ mix).T / np.sqrt(rng.chisquare(nu, n) / nu)) + 1.0


def posed(x: np.ndarray, model: str = "full", dof: str | float = "each", floor: float = 0.0) -> Problem:
    return Problem(Rows(x, np.ones(x.shape[1])), family_of("student", model, dof), floor)


def start_at(problem: Problem, means: np.ndarray) -> Mixture:
    """Unit balls of ten degrees of freedom."""
    k, d = means.shape
    parts = Student(means, np.stack([np.eye(d)] * k), np.full(k, 10.0))
    family = problem.family.classes_only
    return Mixture(np.full(k, 1 / k), family.constrained(np.full(k, 1 / k), parts), family)


def fitted(name: str, problem: Problem, start: Mixture, tol: float = 1e-12) -> Fit:
    return fit(algorithm(name), problem, start, Stop(tol, 5000), np.random.default_rng(0))


@pytest.mark.parametrize("d", [1, 2])
@pytest.mark.parametrize("missing", [False, True])
def test_one_component_is_where_a_general_optimiser_ends(d: int, missing: bool) -> None:
    x = drawn(300, d, 4.0)
    if missing and d > 1:
        x[np.random.default_rng(1).integers(d + 1, size=300) == np.arange(d)[:, None]] = np.nan  # each a third
    problem = posed(x)
    start = start_at(problem, np.zeros((1, d)))

    def loss(theta: np.ndarray) -> float:
        parts, total = problem.family.unpack(np.clip(theta, -4, 4), 1, d), 0.0
        for seen in {tuple(np.flatnonzero(~hole)) for hole in np.isnan(x).T}:
            o = list(seen)
            rows = np.isin(np.arange(d), o) != np.isnan(x).T
            there = stats.multivariate_t(parts.means[0, o], parts.scales[0][np.ix_(o, o)], df=parts.dof[0])
            total -= there.logpdf(x[:, rows.all(1)][o].T).sum()
        return float(total)

    reached = optimize.minimize(loss, problem.family.pack(start.components), method="BFGS", options={"gtol": 1e-7})
    for name in ("em", "anderson", "ecme", "px"):
        found = fitted(name, problem, start)
        theta = problem.family.pack(found.mixture.components)
        assert found.trace[-1].log_likelihood == pytest.approx(-loss(theta), rel=1e-11)
        assert -found.trace[-1].log_likelihood <= reached.fun + 1e-8
        np.testing.assert_allclose(theta, reached.x, rtol=1e-3, atol=1e-3)


def test_known_parameters_come_back() -> None:
    rng = np.random.default_rng(0)
    first, second = drawn(8000, 2, 3.0), drawn(6000, 2, 12.0, 1) + 25
    problem = posed(np.concatenate([first, second], axis=1))
    mixture, _ = search(problem, 2, rng)
    found = fitted("anderson", problem, mixture, 1e-9).mixture
    found = found.permuted(found.canonical_order())
    np.testing.assert_allclose(found.weights, [8 / 14, 6 / 14], atol=0.01)
    np.testing.assert_allclose(found.components.means, [[1, 1], [26, 26]], atol=0.2)
    np.testing.assert_allclose(1 / found.components.dof, [1 / 3, 1 / 12], atol=0.03)


def test_many_degrees_of_freedom_are_a_gaussian_mixture() -> None:
    rng = np.random.default_rng(0)
    x = np.ascontiguousarray((4 * rng.integers(2, size=(500, 1)) + rng.normal(size=(500, 2))).T)
    means = np.array([[0.0, 0.0], [4.0, 4.0]])
    balls = Mixture(np.full(2, 0.5), Gaussian(means, np.stack([np.eye(2)] * 2)), GAUSSIANS["full"])
    normal = fitted("em", replace(posed(x), family=GAUSSIANS["full"]), balls)
    heavy = posed(x, dof=1e6)
    found = fitted("em", heavy, start_at(heavy, means))
    assert found.trace[-1].log_likelihood == pytest.approx(normal.trace[-1].log_likelihood, abs=0.01)
    np.testing.assert_allclose(found.mixture.components.means, normal.mixture.components.means, atol=1e-4)
    np.testing.assert_allclose(found.mixture.components.scales, normal.mixture.components.covariances, atol=1e-3)
    free = posed(x)
    best = fitted("anderson", free, start_at(free, means))
    assert best.trace[-1].log_likelihood >= normal.trace[-1].log_likelihood - 0.1  # ν ends at 1000
    assert (best.mixture.components.dof > 15).all()


def test_outliers_do_not_move_means() -> None:
    rng = np.random.default_rng(0)
    clean = np.ascontiguousarray((6 * rng.integers(2, size=(600, 1)) + rng.normal(size=(600, 2))).T)
    dirt = rng.uniform(50, 100, (2, 20))
    means = np.array([[0.0, 0.0], [6.0, 6.0]])
    problem = posed(np.concatenate([clean, dirt], axis=1))
    found = fitted("anderson", problem, start_at(problem, means), 1e-8).mixture
    np.testing.assert_allclose(found.components.means, means, atol=0.3)
    balls = Mixture(np.full(2, 0.5), Gaussian(means, np.stack([np.eye(2)] * 2)), GAUSSIANS["full"])
    pulled = fitted("em", replace(problem, family=GAUSSIANS["full"]), balls, 1e-8).mixture
    assert np.abs(pulled.components.means - means).max() > 2


CRAWL = np.concatenate([drawn(400, 2, 3.0), drawn(200, 2, 5.0, 1) + 8], axis=1)
MEANS = np.array([[1.0, 1.0], [9.0, 9.0]])


@pytest.mark.parametrize("dof", ["each", "common"])
@pytest.mark.parametrize("model", ["full", "EEE"])
def test_ecme_takes_fewer_iterations_than_ecm_to_the_same_nu(model: str, dof: str) -> None:
    problem = posed(CRAWL, model, dof)
    ecm, ecme = (fitted(name, problem, start_at(problem, MEANS), 1e-11) for name in ("ecm", "ecme"))
    np.testing.assert_allclose(ecme.mixture.components.dof, ecm.mixture.components.dof, rtol=1e-3)
    assert ecme.trace[-1].log_likelihood == pytest.approx(ecm.trace[-1].log_likelihood, abs=1e-6)
    assert len(ecme.trace) < 0.75 * len(ecm.trace)


@pytest.mark.parametrize("dof", ["each", "common"])
def test_ecme_ends_each_iteration_where_the_likelihood_has_no_slope_in_nu(dof: str) -> None:
    problem = posed(CRAWL, dof=dof)
    variant = algorithm("ecme", options={"passes": "20"})
    state, _ = variant.init(problem, start_at(problem, MEANS), np.random.default_rng(0))
    for _ in range(3):
        state, _ = variant.step(problem, state, np.random.default_rng(0))
        parts, highest = state.mixture.components, float(state.expectation.log_likelihood)
        for factor in (0.99, 1.01):
            moved = replace(state.mixture, components=replace(parts, dof=parts.dof * factor))
            assert float(problem.e_step(moved).log_likelihood) < highest


def test_blocks_keep_the_bound_with_the_weights_in_it() -> None:
    """F(q, θ) of the last row by its definition, q over labels and weights as of each block's visit."""
    problem = posed(CRAWL[:, ::5])
    variant = Incremental(blocks=2)
    state, _ = variant.init(problem, start_at(problem, MEANS), np.random.default_rng(0))
    for _ in range(3):
        before = state
        state, info = variant.step(problem, before, np.random.default_rng(0))
    total, mixture, bound = before.expectation.stats, before.mixture, 0.0
    mixture, visits = problem.m_step(total, mixture), []
    for block, old in zip(before.blocks, before.found, strict=True):  # type: ignore[attr-defined]
        visits.append((block.samples.x, mixture))
        total = total + block.e_step(mixture).stats + -1.0 * old.stats
        mixture = problem.m_step(total, mixture)
    for x, old in visits:
        bound += free_energy(x, old, mixture)
    assert info.elbo == pytest.approx(bound, rel=1e-10)
    assert 0 < info.kl == pytest.approx(info.log_likelihood - bound, rel=1e-5)


def free_energy(x: np.ndarray, old: Mixture, new: Mixture) -> float:
    """Σ E_q[log π N(x; μ, Σ/u) Gamma(u; ν/2, ν/2)] + H(q), with the labels' and weights' posterior at `old` for q."""
    d, joint = len(x), old.log_joint(x)
    r = np.exp(joint - np.logaddexp.reduce(joint, axis=0))
    value = -float((r * np.log(r)).sum())
    for k in range(old.k):
        past, now = old.components[k], new.components[k]
        shape, rate = (past.dof + d) / 2, (past.dof + distances(past, x)) / 2
        u, log_u = shape / rate, psi(shape) - np.log(rate)
        h = now.dof / 2
        normal = 0.5 * (d * (log_u - np.log(2 * np.pi)) - np.linalg.slogdet(now.scales)[1] - u * distances(now, x))
        weight = h * np.log(h) - gammaln(h) + (h - 1) * log_u - h * u
        value += float(r[k] @ (np.log(new.weights[k]) + normal + weight + stats.gamma(shape, scale=1 / rate).entropy()))
    return value


def distances(part: Student, x: np.ndarray) -> np.ndarray:
    offset = x - part.means[:, None]
    return np.asarray((offset * np.linalg.solve(part.scales, offset)).sum(0))


def test_noise_beside_takes_the_litter() -> None:
    rng = np.random.default_rng(0)
    x = np.concatenate([CRAWL, rng.uniform(-60, 60, (2, 100))], axis=1)
    family = family_of("student", "VEV", 8.0)
    noise = with_outliers(family, x)
    problem = Problem(Rows(x, np.ones(x.shape[1])), noise, 1e-9)
    inner = start_at(problem, MEANS)
    start = Mixture(*noise.with_outliers(inner.weights, inner.components), noise)
    em = fitted("em", problem, start)
    volume = np.prod(x.max(1) - x.min(1))
    inner = Mixture(em.mixture.weights[:-1], em.mixture.components[:-1], family)
    expected = np.log(np.exp(inner.log_joint(x)).sum(0) + em.mixture.weights[-1] / volume).sum()
    assert em.trace[-1].log_likelihood == pytest.approx(expected, rel=1e-11)
    assert 0.05 < em.mixture.weights[-1] < 0.2
    for name in ("ecm", "ecme", "sage", "squarem", "incremental"):
        assert fitted(name, problem, start).trace[-1].objective == pytest.approx(em.trace[-1].objective, rel=1e-7)


def test_components_are_split_for_more_of_them() -> None:
    problem = posed(CRAWL, floor=1e-6)
    found, _ = candidates(problem, 1, 3, "bic", np.random.default_rng(0))
    assert [candidate.mixture.k for candidate in found] == [1, 2, 3]
    assert min(found, key=lambda candidate: candidate.value).mixture.k == 2


def test_weights_have_no_place_in_variational_bayes() -> None:
    problem = posed(CRAWL)
    with pytest.raises(UsageError, match="student is not normal"):
        fitted("vb", problem, start_at(problem, MEANS))


@pytest.mark.parametrize("variant", [name for name in ALGORITHMS if name != "vb"])
def test_a_fixed_nu_stays_and_nothing_falls(variant: str) -> None:
    problem = posed(CRAWL, "VEI", 2.5, 1e-4)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        start, rng = start_at(problem, MEANS - 1.0), np.random.default_rng(0)
        found = fit(algorithm(variant), problem, start, Stop(0, 30), rng)
    np.testing.assert_array_equal(found.mixture.components.dof, 2.5)
    assert_bound(found.trace)


def test_a_conditional_step_leaves_a_fixed_nu_alone() -> None:
    problem = posed(CRAWL, dof=2.5)
    start = start_at(problem, MEANS)
    state = EM().evaluate(problem, start)
    assert problem.conditional("dof", state.expectation.stats, start).components.dof.tolist() == [2.5, 2.5]
