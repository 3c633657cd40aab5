"""The Gaussian family: its density by scipy, its default prior by mclust's formulas, and its checks."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from emseg.mixture.conjugate_prior import PriorStrength
from emseg.mixture.families.gaussian import GAUSSIANS, Gaussian
from emseg.mixture.stats import Stats

K, D = 3, 2


@pytest.mark.parametrize("model", GAUSSIANS)
def test_densities_are_those_of_scipy(model: str) -> None:
    rng, family = np.random.default_rng(0), GAUSSIANS[model]
    root = rng.normal(size=(K, D, 4))
    matrices = family.covariance.estimate(root @ np.swapaxes(root, 1, 2), np.full(K, 4.0), 0.0)
    parts, x = Gaussian(rng.normal(size=(K, D)), matrices), rng.normal(size=(D, 30))
    wanted = [stats.multivariate_normal(m, s).logpdf(x.T) for m, s in zip(parts.means, matrices, strict=True)]
    np.testing.assert_allclose(family.natural(parts) @ family.statistics(x), wanted, rtol=1e-9)


@pytest.mark.parametrize("model", ["full", "diag"])
def test_the_default_prior_is_mclusts(model: str) -> None:
    """Fraley & Raftery (2007), section 3: the mean, κ, ν = D + 2, and the covariance over K^(2/D)."""
    x = np.random.default_rng(1).normal(size=(D, 50)) * np.array([[1.0], [3.0]])
    family = GAUSSIANS[model]
    total = Stats(np.array([50.0]), family.statistics(x).sum(1)[None])
    prior = family.default_prior(total, K, D, PriorStrength(scale=0.7, alpha=2.0))
    wanted = np.cov(x) if model == "full" else np.trace(np.cov(x)) / D * np.eye(D)
    np.testing.assert_allclose(prior.scale, 0.7 * wanted / K ** (2 / D), rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(prior.mean, x.mean(1), rtol=1e-12)
    assert (prior.dof, prior.shrinkage, prior.alpha) == (D + 2, 0.01, 2.0)


def test_a_component_of_one_value_is_refused_without_a_penalty() -> None:
    family, x = GAUSSIANS["full"], np.full((1, 9), 5.0)
    found = Stats(np.array([9.0]), family.statistics(x).sum(1)[None])
    with pytest.raises(np.linalg.LinAlgError, match="zero to rounding"):
        family.m_projection(found, 0.0, 1)
    assert family.m_projection(found, 0.09, 1).covariances[0, 0, 0] == pytest.approx(0.01)


@pytest.mark.parametrize(
    ("matrix", "words"),
    [([[1.0, 0.5], [0.4, 1.0]], "not symmetric"), ([[1.0, 2.0], [2.0, 1.0]], "not positive definite")],
)
def test_matrices_are_checked(matrix: list[list[float]], words: str) -> None:
    with pytest.raises(ValueError, match=f"covariances are {words}"):
        Gaussian(np.zeros((1, 2)), np.array([matrix])).check()


def test_means_stay_where_a_conditional_step_must_not_move_them() -> None:
    rng, family = np.random.default_rng(2), GAUSSIANS["full"]
    x, parts = rng.normal(size=(D, 40)), Gaussian(np.ones((1, D)), np.eye(D)[None])
    found = Stats(np.array([40.0]), family.statistics(x).sum(1)[None])
    moved = family.conditional("covariances", found, parts, 0.0)
    about = x - 1
    np.testing.assert_allclose(moved.covariances[0], about @ about.T / 40, rtol=1e-10)
    np.testing.assert_array_equal(moved.means, parts.means)
