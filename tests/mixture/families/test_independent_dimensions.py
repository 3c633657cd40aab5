"""Families other than the Gaussian, against scipy's densities and direct maximisation."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.optimize import minimize

from emseg.mixture.conjugate_prior import PseudoSamples
from emseg.mixture.families.gamma import Gamma, GammaFamily
from emseg.mixture.families.poisson import Poisson, PoissonFamily
from emseg.mixture.families.von_mises import VonMises, VonMisesFamily
from emseg.mixture.family import Family
from emseg.mixture.stats import Stats

K, D, N = 3, 2, 50
FAMILIES: dict[str, Family] = {"poisson": PoissonFamily(), "gamma": GammaFamily(), "von-mises": VonMisesFamily()}
every_family = pytest.mark.parametrize("name", FAMILIES)


def components(name: str, rng: np.random.Generator, k: int = K, d: int = D) -> Any:
    if name == "poisson":
        return Poisson(rng.gamma(2, 4, (k, d)))
    if name == "gamma":
        return Gamma(rng.gamma(2, 4, (k, d)), rng.gamma(2, 4, (k, d)))
    return VonMises(rng.uniform(0, 2 * np.pi, (k, d)), rng.gamma(2, 4, (k, d)))


def sample(name: str, rng: np.random.Generator, n: int = N, d: int = D) -> np.ndarray:
    if name == "poisson":
        return rng.poisson(6, (d, n)).astype(float)
    return rng.gamma(3, 2, (d, n)) if name == "gamma" else rng.vonmises(1, 2, (d, n))


def log_density(parts: Any, x: np.ndarray) -> np.ndarray:
    """(K, N) by scipy."""
    means, x = parts.means[..., None], x[None]
    if isinstance(parts, Poisson):
        return np.asarray(stats.poisson.logpmf(x, means).sum(1))
    if isinstance(parts, Gamma):
        return np.asarray(stats.gamma.logpdf(x, (a := parts.shapes[..., None]), scale=means / a).sum(1))
    return np.asarray(stats.vonmises.logpdf(x, parts.concentrations[..., None], loc=means).sum(1))


def weighted(family: Family, x: np.ndarray, rng: np.random.Generator, k: int = K) -> tuple[np.ndarray, Stats]:
    """Responsibilities (K, N), and their statistics."""
    r = rng.dirichlet(np.ones(k), x.shape[1]).T
    t = r @ family.statistics(x).T
    return r, Stats(t[:, 0].copy(), t)


@every_family
def test_the_density_is_that_of_its_name(name: str) -> None:
    rng = np.random.default_rng(0)
    family, parts, x = FAMILIES[name], components(name, rng), sample(name, rng)
    np.testing.assert_allclose(family.natural(parts) @ family.statistics(x), log_density(parts, x), rtol=1e-11)


@every_family
@settings(max_examples=20)
@given(seed=st.integers(0, 10**6))
def test_every_vector_is_a_set_of_components(name: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    family, theta = FAMILIES[name], 3 * rng.normal(size=FAMILIES[name].n_parameters(K, D))
    parts = family.unpack(theta, K, D)
    np.testing.assert_allclose(family.pack(parts), theta, rtol=1e-9, atol=1e-12)
    assert np.isfinite(family.natural(parts)).all()


@every_family
@pytest.mark.parametrize("psi", [0.0, 0.7])
def test_the_m_step_is_the_maximum(name: str, psi: float) -> None:
    """Of the weighted log-likelihood by scipy, found by a general optimiser; with a penalty, of what `scores` says."""
    rng = np.random.default_rng(1)
    family, x = FAMILIES[name], sample(name, rng, d=1)
    r, found = weighted(family, x, rng, 1)
    best = family.m_projection(found, psi, 1)

    def loss(theta: np.ndarray) -> float:
        parts = family.unpack(theta, 1, 1)
        return -float((r * log_density(parts, x)).sum() + family.scores(parts, psi)[1])

    reached = minimize(loss, family.pack(components(name, rng, 1, 1)), method="Nelder-Mead", options={"xatol": 1e-9})
    assert loss(family.pack(best)) == pytest.approx(reached.fun, rel=1e-10)
    assert loss(family.pack(best)) <= reached.fun + 1e-9
    np.testing.assert_allclose(family.pack(best), reached.x, rtol=1e-4, atol=1e-4)


@every_family
def test_the_m_step_matches_expectations(name: str) -> None:
    """The gradient of log f integrates to zero: at the m-projection of a large sample, its parameters come back."""
    rng = np.random.default_rng(2)
    n = 200_000
    if name == "poisson":
        truth: Any = Poisson(np.array([[7.5]]))
        x = rng.poisson(7.5, (1, n)).astype(float)
    elif name == "gamma":
        truth = Gamma(np.array([[12.0]]), np.array([[4.0]]))
        x = rng.gamma(4, 3, (1, n))
    else:
        truth = VonMises(np.array([[6.0]]), np.array([[5.0]]))
        x = rng.vonmises(6.0, 5.0, (1, n))
    family = FAMILIES[name]
    found = family.m_projection(Stats(np.array([float(n)]), family.statistics(x).sum(1)[None]), 0.0, 1)
    for part in family.kind.parts():
        np.testing.assert_allclose(getattr(found, part), getattr(truth, part), rtol=0.01)


@every_family
@pytest.mark.parametrize("prior", [None, 2.5])
def test_a_conditional_step_is_the_maximum_given_the_rest(name: str, prior: float | None) -> None:
    rng = np.random.default_rng(3)
    family, x = FAMILIES[name], sample(name, rng)
    _, found = weighted(family, x, rng)
    pseudo = prior and PseudoSamples(t=family.statistics(x).mean(1) * prior)

    def value(parts: Any) -> float:
        eta, log_prior = family.scores(parts, 0.3, pseudo)
        return float((eta * found.t).sum() + log_prior)

    start = components(name, rng)
    for part in family.kind.parts():
        best = family.conditional(part, found, start, 0.3, pseudo)
        for other in set(family.kind.parts()) - {part}:
            np.testing.assert_array_equal(getattr(best, other), getattr(start, other))
        for factor in (0.99, 1.01):
            moved = family.kind(*(getattr(best, p) * (factor if p == part else 1) for p in family.kind.parts()))
            assert value(moved) < value(best)


@every_family
def test_one_value_has_no_maximum_without_a_penalty(name: str) -> None:
    family = FAMILIES[name]
    x = np.full((1, 10), 3.0)
    found = Stats(np.array([10.0]), family.statistics(x).sum(1)[None])
    if name == "poisson":
        np.testing.assert_allclose(family.m_projection(found, 0.0, 1).means, 3.0)
        return
    with pytest.raises(np.linalg.LinAlgError):
        family.m_projection(found, 0.0, 1)
    narrow = family.m_projection(found, 1e-9, 1)
    assert narrow.covariances[0, 0, 0] == pytest.approx(9 * 2e-10 if name == "gamma" else 1e-10, rel=1e-3)
