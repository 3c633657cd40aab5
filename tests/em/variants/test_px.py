"""Parameter-expanded EM: weights of mean one at the optimum, sooner than by ECM, and never downhill."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar

from emseg.em.convergence import Stop
from emseg.em.fit import fit
from emseg.em.problem import Problem
from emseg.em.registry import algorithm
from emseg.em.variants.px import PX, _alpha
from emseg.errors import UsageError
from emseg.mixture.covariance.registry import MCLUST
from emseg.mixture.families.gaussian import GAUSSIANS, Gaussian
from emseg.mixture.families.registry import family_of
from emseg.mixture.families.student import Student
from emseg.mixture.mixture import Mixture
from emseg.mixture.samples import Rows

pytestmark = pytest.mark.long


def posed(model: str, dof: str | float, k: int = 2, floor: float = 0.0, seed: int = 0) -> tuple[Problem, Mixture]:
    rng = np.random.default_rng(seed)
    x = 6.0 * rng.integers(k, size=400) + rng.normal(size=(2, 400)) / np.sqrt(rng.chisquare(2, 400) / 2)
    family = family_of("student", model, dof)
    parts = Student(6.0 * np.arange(k)[:, None] + np.zeros(2), np.stack([3 * np.eye(2)] * k), np.full(k, 8.0))
    weights = np.full(k, 1 / k)
    return Problem(Rows(x, np.ones(400)), family, floor), Mixture(weights, family.constrained(weights, parts), family)


@pytest.mark.parametrize("dof", ["each", "common", 2.0])
@pytest.mark.parametrize("model", MCLUST)
def test_weights_have_mean_one_at_the_optimum(model: str, dof: str | float) -> None:
    """Of each component where it has its own volume, of all where they share it."""
    problem, start = posed(model, dof)
    found = fit(algorithm("anderson", "px"), problem, start, Stop(0, 300), np.random.default_rng(0)).mixture
    stats, nu = problem.e_step(found).stats, found.components.dof
    off = nu * (stats.t[:, 1] - stats.n)
    np.testing.assert_allclose(off if model[0] == "V" else off.sum(), 0, atol=1e-3)
    em = fit(algorithm("anderson"), problem, start, Stop(0, 300), np.random.default_rng(0)).mixture
    np.testing.assert_allclose(found.components.scales, em.components.scales, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize(("model", "k"), [("full", 1), ("full", 2), ("VEI", 2), ("diag", 2)])
def test_at_a_fixed_nu_it_takes_fewer_iterations_than_ecm(model: str, k: int) -> None:
    problem, start = posed(model, 2.0, k)
    ecm, px = (
        fit(algorithm(name), problem, start, Stop(1e-12, 2000), np.random.default_rng(0)) for name in ("ecm", "px")
    )
    assert px.trace[-1].log_likelihood == pytest.approx(ecm.trace[-1].log_likelihood, abs=1e-7)
    assert len(px.trace) < len(ecm.trace)
    assert px.trace[-1].e_steps < 0.75 * ecm.trace[-1].e_steps


@settings(max_examples=25)
@given(
    st.sampled_from(MCLUST), st.sampled_from(["each", "common", 1.0, 4.0]), st.sampled_from([0.0, 1e-3, 0.3]),
    st.integers(1, 3), st.integers(0, 99),
)  # fmt: skip
def test_the_penalised_likelihood_never_falls(model: str, dof: str | float, floor: float, k: int, seed: int) -> None:
    """However large the penalty, which a plain division by Σ r u would ignore."""
    problem, start = posed(model, dof, k, floor, seed)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = fit(PX(), problem, start, Stop(0, 40), np.random.default_rng(0))
    rounding = 10 * float(problem.e_step(found.mixture).rounding)  # at the end; on the way there it may be more
    assert all(row.delta >= -rounding for row in found.trace[1:])


@pytest.mark.parametrize("model", ["VVV", "EEE"])
def test_alpha_is_the_maximum_with_the_penalty(model: str) -> None:
    """Of -½ a α - ½ ν n log α - ½ ν Σ r u / α, by a general optimiser."""
    family = family_of("student", model)
    rng = np.random.default_rng(0)
    scales = np.stack([np.diag(rng.uniform(1, 2, 2)) for _ in range(3)])
    n, mass, psi = rng.uniform(5, 9, 3), rng.uniform(5, 9, 3), np.array([2.0, 3.0])
    alpha = _alpha(family.normal.covariance, scales, n, mass, psi)  # type: ignore[arg-type]
    a = np.array([(psi / np.diag(scale)).sum() for scale in scales]) / (3 if model == "EEE" else 1)
    groups = [slice(None)] if model == "EEE" else [slice(k, k + 1) for k in range(3)]
    for group in groups:
        p, q, s = a[group].sum(), n[group].sum(), mass[group].sum()
        best = minimize_scalar(
            lambda v, p=p, q=q, s=s: p * v + q * np.log(v) + s / v, bounds=(1e-3, 10), method="bounded"
        )
        np.testing.assert_allclose(alpha[group], best.x, rtol=1e-4)


def test_gaussians_have_nothing_to_expand() -> None:
    problem, start = posed("full", "each")
    balls = Mixture(start.weights, Gaussian(start.components.means, start.components.scales), GAUSSIANS["full"])
    plain = Problem(problem.samples, GAUSSIANS["full"])
    for variant in (PX(), algorithm("squarem", "px")):
        with pytest.raises(UsageError, match="gaussian has no hidden scale to expand; use family='student'"):
            fit(variant, plain, balls, Stop(), np.random.default_rng(0))
