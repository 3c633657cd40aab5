"""A grain: the objective by its definition, the M-step that adds it to every covariance, and monotone variants."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from emseg.em.convergence import Status, Stop
from emseg.em.fit import fit
from emseg.em.problem import Problem
from emseg.em.registry import ALGORITHMS, algorithm
from emseg.errors import UsageError
from emseg.mixture.families.gaussian import GAUSSIANS, Gaussian
from emseg.mixture.families.registry import family_of
from emseg.mixture.mixture import Mixture
from emseg.mixture.samples import Rows
from emseg.stages.fitting import SAFE

pytestmark = pytest.mark.long

GRAIN = np.array([[0.3, 0.05], [0.05, 0.2]])
RNG = np.random.default_rng(3)
X = np.ascontiguousarray(
    (RNG.normal(size=(3, 2))[RNG.integers(3, size=160)] * 3 + RNG.normal(size=(160, 2))).T,
)
START = Gaussian(X[:, [0, 50, 100]].T.copy(), np.stack([np.eye(2) * 4] * 3))


def posed(model: str = "full", family: str = "gaussian", x: np.ndarray = X) -> tuple[Problem, Mixture]:
    own = family_of(family, model)
    problem = Problem(Rows(x, np.ones(x.shape[1])), own, grain=GRAIN)
    start = Mixture(np.full(3, 1 / 3), START, GAUSSIANS["full"])
    r = np.exp(start.log_joint(X) - start.log_joint(X).max(0))
    r /= r.sum(0)
    t = own.completed(r @ own.statistics(np.nan_to_num(x, nan=1.0) if np.isnan(x).any() else x).T)
    return problem, problem.m_step(t)


def test_the_objective_is_that_of_expected_densities() -> None:
    problem, mixture = posed()
    found, parts = problem.e_step(mixture), mixture.components
    logs = np.stack([
        np.log(w) + stats.multivariate_normal(m, c).logpdf(X.T)
        for w, m, c in zip(mixture.weights, parts.means, parts.covariances, strict=True)
    ])  # fmt: skip
    less = 0.5 * np.einsum("kij,ji->k", np.linalg.inv(parts.covariances), GRAIN)
    assert float(found.log_likelihood) == pytest.approx(np.logaddexp.reduce(logs, 0).sum(), rel=1e-12)
    assert float(found.objective) == pytest.approx(np.logaddexp.reduce(logs - less[:, None], 0).sum(), rel=1e-12)
    assert float(found.elbo) == pytest.approx(float(found.objective), rel=1e-12)


def test_it_is_what_samples_moved_by_their_rounding_are_expected_to_say() -> None:
    """E[log f(x + u)] for one component, against draws of u."""
    problem, _ = posed()
    one = problem.m_step(problem.total)
    u = np.random.default_rng(0).multivariate_normal(np.zeros(2), GRAIN, 200_000).T
    part = stats.multivariate_normal(one.components.means[0], one.components.covariances[0])
    expected = np.mean([part.logpdf((X[:, i : i + 1] + u).T).mean() for i in range(0, 160, 20)])
    few = Problem(Rows(np.ascontiguousarray(X[:, ::20]), np.ones(8)), problem.family, grain=GRAIN)
    assert float(few.e_step(one).objective) / 8 == pytest.approx(expected, abs=5e-3)


def test_the_m_step_adds_it() -> None:
    problem, mixture = posed()
    plain = Problem(problem.samples, problem.family)
    found = problem.e_step(mixture).stats
    with_it, without = problem.m_step(found).components, plain.m_step(found).components
    np.testing.assert_allclose(with_it.covariances, without.covariances + GRAIN, atol=1e-12)
    np.testing.assert_array_equal(with_it.means, without.means)


@pytest.mark.parametrize("k", [2, 3, 8])
def test_no_reward_for_fewer_components(k: int) -> None:
    """In a direction without extent the objective is the same for any number of components; the penalty's is not."""
    line = np.concatenate([np.zeros(60), np.repeat(np.arange(8.0) * 40, 60)[:420]])
    x = np.stack([line + np.random.default_rng(0).normal(size=480), np.zeros(480)])
    flat, grain = np.ascontiguousarray(x), np.diag([0.1, 0.2])
    owner = np.arange(480) * k // 480
    values = []
    for rows, own in ((flat, grain), (flat[:1].copy(), grain[:1, :1])):
        problem = Problem(Rows(rows, np.ones(480)), GAUSSIANS["full"], grain=own)
        t = np.stack([problem.family.statistics(rows[:, owner == j]).sum(1) for j in range(k)])
        values.append(float(problem.e_step(problem.m_step(problem.family.completed(t))).objective))
    assert values[0] - values[1] == pytest.approx(-0.5 * 480 * (np.log(2 * np.pi * 0.2) + 1), rel=1e-9)


CASES = [("full", "gaussian"), ("EVE", "gaussian"), ("VEI", "gaussian"), ("spherical", "gaussian"), ("full", "student")]
CASES += [("full", "poisson"), ("full", "gamma"), ("full", "von-mises")]


@pytest.mark.parametrize("variant", [name for name in ALGORITHMS if name != "online"])
@pytest.mark.parametrize(("model", "family"), CASES)
def test_no_variant_falls(variant: str, model: str, family: str) -> None:
    x = {"poisson": np.floor(5 * np.exp(X / 4)), "gamma": 5 * np.exp(X / 4), "von-mises": X / 4 % (2 * np.pi)}
    problem, start = posed(model, family, x.get(family, X))
    problem = replace(problem, floor=0.0 if problem.family.location_scale else SAFE)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            found = fit(algorithm(variant), problem, start, Stop(0, 25), np.random.default_rng(0))
        except UsageError as error:
            pytest.skip(str(error))
    assert found.status is not Status.DEGENERATE
    last = found.trace[-1]
    assert last.elbo + last.kl == pytest.approx(last.log_likelihood, rel=1e-10)
    matrices = getattr(found.mixture.components, "matrices", None)
    if matrices is not None and model == "full" and variant not in ("map", "vb", "px"):
        assert (np.linalg.eigvalsh(matrices - GRAIN) > -1e-9).all()


@pytest.mark.parametrize("variant", ["em", "gem", "incremental", "anderson"])
def test_variants_agree_where_values_are_missing(variant: str) -> None:
    x = X.copy()
    x[0, ::5], x[1, 1::5] = np.nan, np.nan
    problem, start = posed(x=X)
    problem = Problem(Rows(x, np.ones(160)), problem.family, grain=GRAIN)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ends = [
            fit(algorithm(name), problem, start, Stop(1e-9, 400), np.random.default_rng(0)).trace[-1].objective
            for name in ("em", variant)
        ]
    assert ends[1] == pytest.approx(ends[0], abs=1e-3)
