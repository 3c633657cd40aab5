"""Variational Bayes: scikit-learn's posterior, the exact evidence where there is one, and components that empty."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.integrate import trapezoid
from scipy.special import digamma, gammaln
from scipy.stats import gamma, norm

from emseg.em.convergence import Stop
from emseg.em.fit import Fit, fit
from emseg.em.problem import Problem
from emseg.em.registry import algorithm
from emseg.em.variants.vb import VB
from emseg.errors import UsageError
from emseg.mixture.families.gaussian import GAUSSIANS, Gaussian
from emseg.mixture.mixture import Mixture
from emseg.mixture.samples import Rows

pytestmark = pytest.mark.long

DATA = Path(__file__).parents[2] / "data"
SETS = json.loads((DATA / "sklearn.json").read_text("utf-8"))["data"]
RUNS: list[dict[str, Any]] = json.loads((DATA / "bayes.json").read_text("utf-8"))["runs"]


def posed(x: np.ndarray, model: str = "full", floor: float = 0.0, jacobian: float = 0.0) -> Problem:
    shared = GAUSSIANS[model]
    return Problem(Rows(x, np.ones(x.shape[1])), shared, floor, jacobian)


def balls(means: np.ndarray, model: str = "full", variance: float = 1.0) -> Mixture:
    k, d = means.shape
    return Mixture(np.full(k, 1 / k), Gaussian(means, np.stack([variance * np.eye(d)] * k)), GAUSSIANS[model])


def run(variant: VB, problem: Problem, start: Mixture, stop: Stop) -> Fit:
    return fit(variant, problem, start, stop, np.random.default_rng(0))


@pytest.mark.parametrize("case", RUNS, ids=lambda run: f"{run['data']}-{run['prior']['alpha']}-{run['iterations']}")
def test_every_iteration_is_that_of_scikit_learn(case: dict[str, Any]) -> None:
    """The same number of steps on both sides. Rounding does not add up: each step shrinks the errors of those before.

    What one step adds is some N ε = 1e-13 relative to the samples' extent; the slowest fit multiplies it by 1/(1 - a),
    about ten.
    """
    data = SETS[case["data"]]
    problem = posed(np.ascontiguousarray(np.array(data["x"]).T))
    # A mixture that has the statistics of the responsibilities from which scikit-learn started.
    start = problem.m_step(problem.e_step(balls(np.array(data["means"]))).stats)
    variant, rng = VB(**case["prior"]), np.random.default_rng(0)
    state, _ = variant.init(problem, start, rng)
    for _ in range(case["steps"]):
        state, _ = variant.step(problem, state, rng)
    mixture = state.mixture
    np.testing.assert_allclose(mixture.weights, case["weights"], rtol=1e-10)
    np.testing.assert_allclose(mixture.components.means, case["means"], rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(mixture.components.covariances, case["covariances"], rtol=1e-10, atol=1e-10)


def test_the_bound_is_the_evidence_by_numerical_integration_where_there_is_one_component() -> None:
    x, prior = np.array([[0.3, -0.4, 1.9, 2.2, 0.8]]), VB(alpha=0.7, shrinkage=0.4, dof=1.5, scale=0.6)
    m0, b0 = x.mean(), prior.scale * x.var()

    mean, precision = np.linspace(-9, 11, 801)[:, None], np.linspace(1e-6, 20, 1601)
    known = gamma((1 + prior.dof) / 2, scale=2 / b0).pdf(precision)
    known = known * norm(m0, (prior.shrinkage * precision) ** -0.5).pdf(mean)
    likelihood = np.prod([norm(mean, precision**-0.5).pdf(value) for value in x[0]], axis=0)
    evidence = trapezoid(trapezoid(known * likelihood, precision), mean[:, 0])
    found = run(prior, posed(x), balls(np.zeros((1, 1))), Stop(0, 5)).trace[-1]
    assert found.objective == pytest.approx(np.log(evidence), rel=1e-7)


def conjugate_evidence(x: np.ndarray, prior: VB, scale: np.ndarray) -> float:
    """log p(x) of one Gaussian under its normal-Wishart prior, as the product of predictive densities would give it."""
    d, n = x.shape
    m0, nu0, b0 = x.mean(1), d + prior.dof, prior.shrinkage
    offset = x.mean(1) - m0
    v = scale + n * np.cov(x, bias=True).reshape(d, d) + b0 * n / (b0 + n) * np.outer(offset, offset)
    i = np.arange(d)
    gammas = (gammaln((nu0 + n - i) / 2) - gammaln((nu0 - i) / 2)).sum()
    det0, det = np.linalg.slogdet(scale)[1], np.linalg.slogdet(v)[1]
    return float(
        -n * d / 2 * np.log(np.pi) + gammas + nu0 / 2 * det0 - (nu0 + n) / 2 * det + d / 2 * np.log(b0 / (b0 + n))
    )


@pytest.mark.parametrize("model", ["full", "tied"])
@pytest.mark.parametrize("floor", [0.0, 1e-3])
def test_the_bound_is_the_closed_form_of_the_evidence_for_one_component(model: str, floor: float) -> None:
    x, prior = np.random.default_rng(0).normal(size=(3, 40)) * np.array([[1.0], [2], [0.3]]) + 5, VB()
    scale = prior.scale * np.cov(x, bias=True) + floor * 40 * np.eye(3)
    found = run(prior, posed(x, model, floor, -1.5), balls(np.zeros((1, 3)), model), Stop(0, 4)).trace[-1]
    assert found.objective == pytest.approx(conjugate_evidence(x, prior, scale) - 1.5 * 40, rel=1e-12)


def test_diagonal_evidence_is_the_product_over_dimensions() -> None:
    x, prior = np.random.default_rng(1).normal(size=(3, 30)), VB()
    found = run(prior, posed(x, "diag"), balls(np.zeros((1, 3)), "diag"), Stop(0, 4)).trace[-1]
    expected = sum(conjugate_evidence(row[None], prior, prior.scale * row.var() * np.eye(1)) for row in x)
    assert found.objective == pytest.approx(expected, rel=1e-12)


def test_spherical_evidence_in_one_dimension_is_that_of_full() -> None:
    x = np.random.default_rng(2).normal(size=(1, 50))
    one, other = (run(VB(), posed(x, m), balls(np.array([[0.0], [1]]), m), Stop(0, 20)) for m in ("spherical", "full"))
    assert one.trace[-1].objective == pytest.approx(other.trace[-1].objective, rel=1e-12)


def test_the_bound_by_its_definition_with_several_components() -> None:
    """E_q[log p(x, z, π, μ, Λ)] - E_q[log q], term by term as in Bishop (10.71) to (10.77), in one dimension."""
    rng = np.random.default_rng(3)
    x = np.concatenate([rng.normal(0, 1, 60), rng.normal(3, 0.7, 40)])[None]
    prior, problem = VB(alpha=0.5, shrinkage=0.3, dof=1.0, scale=0.8), posed(x)
    state, info = prior.init(problem, balls(np.array([[0.0], [2.5]])), rng)
    for _ in range(3):
        last, (state, info) = state, prior.step(problem, state, rng)
    n, s, ss = (last.expectation.stats.t[:, p] for p in range(3))
    m0, v0, nu0 = x.mean(), prior.scale * x.var(), 1 + prior.dof
    alpha, beta, nu = prior.alpha + n, prior.shrinkage + n, nu0 + n
    m = (prior.shrinkage * m0 + s) / beta
    v = v0 + ss - s**2 / n + prior.shrinkage * n / beta * (s / n - m0) ** 2
    e_pi, e_lam, e_prec = digamma(alpha) - digamma(alpha.sum()), digamma(nu / 2) + np.log(2 / v), nu / v
    log_n = 0.5 * (e_lam[:, None] - np.log(2 * np.pi) - 1 / beta[:, None] - e_prec[:, None] * (x - m[:, None]) ** 2)
    rho = e_pi[:, None] + log_n
    r = np.exp(rho - np.logaddexp.reduce(rho))
    labels = (r * rho).sum() - (r * np.log(np.maximum(r, 1e-300))).sum()

    def dirichlet(a: np.ndarray) -> float:
        return float(gammaln(a.sum()) - gammaln(a).sum() + (a - 1) @ e_pi)

    def gauss_gamma(mean: Any, b: Any, degrees: Any, scale: Any) -> np.ndarray:
        """E_q[log N(μ; mean, (bλ)⁻¹) Gamma(λ; degrees/2, scale/2)]."""
        of_mean = 0.5 * (np.log(b / (2 * np.pi)) + e_lam - b * (1 / beta + e_prec * (m - mean) ** 2))
        shape, rate = degrees / 2, scale / 2
        return np.asarray(of_mean + shape * np.log(rate) - gammaln(shape) + (shape - 1) * e_lam - rate * e_prec)

    parameters = dirichlet(np.full(2, prior.alpha)) - dirichlet(alpha)
    parameters += (gauss_gamma(m0, prior.shrinkage, nu0, v0) - gauss_gamma(m, beta, nu, v)).sum()
    assert info.objective == pytest.approx(labels + parameters, rel=1e-12)
    assert info.kl > 0


@pytest.mark.parametrize("model", ["full", "tied", "diag", "spherical", "EEI", "EII"])
def test_components_that_are_not_needed_empty(model: str) -> None:
    rng = np.random.default_rng(4)
    centres = np.array([[0.0, 0], [9, 0], [0, 9]])
    x = np.ascontiguousarray((centres[rng.integers(3, size=900)] + rng.normal(size=(900, 2))).T)
    start = balls(x[:, rng.choice(900, 8, replace=False)].T, model, 4.0)
    found = run(VB(), posed(x, model), start, Stop(1e-9, 3000))
    assert found.status.value.startswith("converged")
    alive = found.counts > 1
    assert found.counts.sum() == pytest.approx(900)
    assert alive.sum() < 8
    assert (found.counts[~alive] < 1e-3).all()
    if model != "tied":  # which tells apart what it has split only slowly
        assert alive.sum() == 3


def test_other_covariances_are_refused_with_the_remedy() -> None:
    x = np.random.default_rng(0).normal(size=(2, 20))
    with pytest.raises(UsageError, match="VEV has no conjugate prior; use one of full, tied, "):
        VB().init(posed(x, "VEV"), balls(np.zeros((1, 2))), np.random.default_rng(0))


@pytest.mark.parametrize("option", ["alpha", "shrinkage", "scale"])
def test_senseless_priors_are_refused(option: str) -> None:
    with pytest.raises(UsageError, match="must be above 0"):
        algorithm("vb", options={option: "0"})
    with pytest.raises(UsageError, match="dof must be above -1"):
        algorithm("vb", options={"dof": "-1"})
