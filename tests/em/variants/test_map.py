"""EM with a prior: the mode of the posterior by direct optimisation, options, acceleration. See also test_mclust.py."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.stats import dirichlet, invgamma, norm

from emseg.em.convergence import Stop
from emseg.em.fit import fit
from emseg.em.problem import Problem
from emseg.em.registry import algorithm
from emseg.em.variants.map import Map
from emseg.errors import UsageError
from emseg.mixture.families.gaussian import GAUSSIANS, Gaussian
from emseg.mixture.mixture import Mixture
from emseg.mixture.samples import Rows

pytestmark = pytest.mark.long

X = np.concatenate([np.random.default_rng(0).normal(0, 1, 30), np.random.default_rng(1).normal(4, 0.5, 15)])
TO_THE_END = Stop(1e-13, 5000)


def posed() -> tuple[Problem, Mixture]:
    start = Mixture(np.full(2, 0.5), Gaussian(np.array([[0.0], [4.0]]), np.ones((2, 1, 1))), GAUSSIANS["full"])
    return Problem(Rows(X[None], np.ones(X.size)), start.family), start


def log_posterior(theta: np.ndarray) -> float:
    """Of logit, two means and two log variances; in the densities of scipy."""
    weights = np.array([1, np.exp(theta[0])]) / (1 + np.exp(theta[0]))
    means, variances = theta[1:3], np.exp(theta[3:])
    value = np.log(norm(means[:, None], np.sqrt(variances)[:, None]).pdf(X).T @ weights).sum()
    value += dirichlet([3.0, 3.0]).logpdf(weights)
    value += norm(X.mean(), np.sqrt(variances / 0.5)).logpdf(means).sum()
    return float(value + invgamma(4 / 2, scale=2 * X.var(ddof=1) / 4 / 2).logpdf(variances).sum())


@pytest.mark.parametrize("accelerator", ["", "squarem", "anderson"])
def test_it_ends_at_the_mode_of_the_posterior(accelerator: str) -> None:
    problem, start = posed()
    variant = Map(shrinkage=0.5, dof=3.0, scale=2.0, alpha=3.0)
    climber = type(algorithm(accelerator))(base=variant) if accelerator else variant
    found = fit(climber, problem, start, TO_THE_END, np.random.default_rng(0)).mixture
    best = minimize(lambda theta: -log_posterior(theta), [0.0, 0, 4, 0, 0], tol=1e-12, options={"gtol": 1e-7})
    weight = 1 / (1 + np.exp(best.x[0]))
    np.testing.assert_allclose(found.weights, [weight, 1 - weight], rtol=1e-4)
    np.testing.assert_allclose(found.components.means.ravel(), best.x[1:3], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(found.components.covariances.ravel(), np.exp(best.x[3:]), rtol=1e-4)


def test_a_component_on_one_value_keeps_its_variance() -> None:
    """Without floor or prior, this one collapses."""
    x = np.concatenate([X, np.full(20, 9.0)])
    problem = Problem(Rows(x[None], np.ones(x.size)), GAUSSIANS["full"])
    start = Mixture(np.full(2, 0.5), Gaussian(np.array([[0.0], [9.0]]), np.ones((2, 1, 1))), problem.family)
    rng = np.random.default_rng(0)
    assert fit(algorithm("em"), problem, start, TO_THE_END, rng).status.name == "DEGENERATE"
    found = fit(Map(), problem, start, TO_THE_END, rng)
    assert found.status.value.startswith("converged")
    assert found.mixture.components.covariances.min() > 1e-2


def test_acceleration_takes_the_prior_along() -> None:
    problem, start = posed()
    plain, fast = (
        fit(chosen, problem, start, Stop(1e-10, 5000), np.random.default_rng(0))
        for chosen in (algorithm("map"), algorithm("squarem", "map"))
    )
    assert fast.trace[-1].objective == pytest.approx(plain.trace[-1].objective, rel=1e-9)
    assert fast.trace[-1].objective != pytest.approx(fast.trace[-1].log_likelihood, rel=1e-3)


@pytest.mark.parametrize("option", ["shrinkage=-1", "scale=-0.5", "alpha=0.5", "dof=-1", "dof=nan"])
def test_senseless_options_are_usage_errors(option: str) -> None:
    name, value = option.split("=")
    with pytest.raises(UsageError, match=r"algorithm='map': .*must be"):
        algorithm("map", options={name: value})
