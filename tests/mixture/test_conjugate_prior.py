"""The conjugate prior: its density against scipy's, and M-steps that maximise the posterior."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import dirichlet, invgamma, invwishart, multivariate_normal

from emseg.em.problem import Problem
from emseg.mixture.conjugate_prior import NormalInverseWishart
from emseg.mixture.covariance.registry import MCLUST
from emseg.mixture.families.gaussian import GAUSSIANS, Gaussian
from emseg.mixture.mixture import Mixture
from emseg.mixture.samples import Rows

K, D = 3, 2
PRIOR = NormalInverseWishart(
    mean=np.array([0.3, -1.0]), scale=np.array([[2.0, 0.5], [0.5, 1.0]]), dof=5.5, shrinkage=0.7, alpha=2.5
)
every_model = pytest.mark.parametrize("model", MCLUST)


def drawn(model: str, seed: int) -> Mixture:
    rng = np.random.default_rng(seed)
    shared = GAUSSIANS[model]
    matrices = shared.covariance
    covariances = matrices.unpack(0.5 * rng.normal(size=matrices.n_parameters(K, D)), K, D)
    return Mixture(rng.dirichlet(np.full(K, 4.0)), Gaussian(rng.normal(size=(K, D)), covariances), shared)


def density(mixture: Mixture) -> float:
    return float(posed(mixture).scores(mixture)[1])


def posed(mixture: Mixture) -> Problem:
    return Problem(Rows(np.zeros((D, 1)), np.ones(1)), mixture.family, prior=PRIOR)


def by_scipy(mixture: Mixture) -> float:
    parts, model = mixture.components, mixture.family.covariance
    value = dirichlet(np.full(K, PRIOR.alpha)).logpdf(mixture.weights)
    for mean, sigma in zip(parts.means, parts.covariances, strict=True):
        value += multivariate_normal(PRIOR.mean, sigma / PRIOR.shrinkage).logpdf(mean)
    for sigma in parts.covariances[: model.distinct(K)]:
        if model.letters[1:] == "II":
            value += invgamma(PRIOR.dof / 2, scale=np.trace(PRIOR.scale) / D / 2).logpdf(sigma[0, 0])
        elif model.letters[2] == "I":
            each = invgamma(PRIOR.dof / 2, scale=np.diag(PRIOR.scale) / 2).logpdf(np.diag(sigma))
            value += each.sum()
        else:
            value += invwishart(PRIOR.dof, PRIOR.scale).logpdf(sigma)
    return float(value)


@every_model
def test_the_density_is_that_of_its_name_up_to_a_constant(model: str) -> None:
    one, other = drawn(model, 1), drawn(model, 2)
    assert density(one) - density(other) == pytest.approx(by_scipy(one) - by_scipy(other), rel=1e-9)


@every_model
def test_the_m_step_is_the_mode_of_the_posterior(model: str) -> None:
    rng = np.random.default_rng(3)
    rows = Rows(rng.normal(size=(D, 40)), rng.uniform(1, 3, 40))
    problem = Problem(rows, GAUSSIANS[model], floor=1e-3, prior=PRIOR)
    stats = problem.e_step(drawn(model, 4)).stats

    def value(mixture: Mixture) -> float:
        eta, log_prior = problem.scores(mixture)
        return float((eta * stats.t).sum() + log_prior)

    found = problem.m_step(stats)
    for _ in range(30):
        assert value(found.unpack(found.pack() + 1e-3 * rng.normal(size=found.pack().size))) < value(found)


@every_model
def test_a_stack_has_a_density_each(model: str) -> None:
    mixtures = [drawn(model, seed) for seed in range(3)]
    parts = Gaussian(
        np.stack([m.components.means for m in mixtures]), np.stack([m.components.covariances for m in mixtures])
    )
    stack = Mixture(np.stack([m.weights for m in mixtures]), parts, mixtures[0].family)
    found = posed(stack).scores(stack)[1]
    np.testing.assert_allclose(found, [density(mixture) for mixture in mixtures])


def test_a_flat_prior_changes_nothing() -> None:
    rng = np.random.default_rng(5)
    rows = Rows(rng.normal(size=(D, 40)), np.ones(40))
    flat = NormalInverseWishart(mean=np.zeros(D), scale=np.zeros((D, D)), dof=-D - 1.0, shrinkage=0.0)
    plain, posed = (Problem(rows, GAUSSIANS["full"], prior=prior) for prior in (None, flat))
    mixture = drawn("VVV", 6)
    assert posed.e_step(mixture).log_prior == 0
    stats = plain.e_step(mixture).stats
    np.testing.assert_array_equal(posed.m_step(stats).pack(), plain.m_step(stats).pack())
