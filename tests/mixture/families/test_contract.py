"""What every family of the registry must do, whatever it is: no family is named here.

Oracles are integrals over the support, by substitutions that make the trapezoidal rule exact to rounding (sums for
whole numbers), perturbed parameters, and samples drawn through the distribution function that the density integrates
to.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from emseg.errors import UsageError
from emseg.mixture.conjugate_prior import PriorStrength
from emseg.mixture.families.registry import FAMILIES, family_of
from emseg.mixture.family import Family
from emseg.mixture.mixture import Mixture
from emseg.mixture.stats import Stats

pytestmark = pytest.mark.long

every_family = pytest.mark.parametrize("name", FAMILIES)


@dataclass(frozen=True)
class Grid:
    """Points (N,) that cover a support, and their weights: Σ w f(x) is the integral of f."""

    x: np.ndarray
    weight: np.ndarray

    @classmethod
    def over(cls, family: Family, n: int) -> Grid:
        if family.support.whole:
            return cls(np.arange(float(n)), np.ones(n))
        if family.support.unit == "radians":
            return cls(np.arange(n) * (2 * np.pi / n), np.full(n, 2 * np.pi / n))
        if family.support.least == 0:
            u, step = np.linspace(-160, 36, n, retstep=True)
            return cls(np.exp(u), np.exp(u) * step)
        u, step = np.linspace(-36, 36, n, retstep=True)
        return cls(np.sinh(u), np.cosh(u) * step)


def drawn(family: Family, k: int, d: int, seed: int) -> Mixture:
    """A mixture at moderate coordinates."""
    rng = np.random.default_rng(seed)
    components = family.unpack(0.7 * rng.normal(size=family.n_parameters(k, d)), k, d)
    return Mixture(rng.dirichlet(np.full(k, 5.0)), components, family)


def samples(family: Family, mixture: Mixture, n: int, rng: np.random.Generator) -> np.ndarray:
    """n samples (D, n) of one-dimensional mixtures, through the distribution function; D equal and independent."""
    grid = Grid.over(family, 20_001)
    density = np.exp(mixture.log_joint(grid.x[None])).sum(0) * grid.weight
    cumulative = np.cumsum(density) / density.sum()
    u = rng.random((mixture.d, n))
    if family.support.whole:
        return grid.x[np.searchsorted(cumulative, u)]
    kept = np.flatnonzero(np.diff(cumulative, prepend=0) > 0)
    return np.interp(u, cumulative[kept], grid.x[kept])


def gathered(mixture: Mixture, counts: np.ndarray, x: np.ndarray) -> Stats:
    """Expected statistics of samples x (D, N) with expected counts (K, N)."""
    t, link = mixture.family.statistics(x), mixture.link()
    total = counts @ t.T if link is None else link.gather(counts, link.eta @ t, t)
    return Stats(counts.sum(1), total)


def posteriors(mixture: Mixture, x: np.ndarray) -> np.ndarray:
    joint = mixture.log_joint(x)
    return np.exp(joint - np.logaddexp.reduce(joint, axis=0))


def has_quantiles(family: Family) -> bool:
    mixture = drawn(family, 1, 1, 0)
    try:
        mixture.predictive(np.zeros((0, 1)), np.zeros(0, np.intp))
    except UsageError:
        return False
    return True


@every_family
def test_the_registry_says_what_the_family_says(name: str) -> None:
    family = family_of(name)
    assert FAMILIES[name].support == family.support.values
    assert ("level" in FAMILIES[name].options) == has_quantiles(family)
    assert ("covariance" in FAMILIES[name].options) == family.location_scale


@every_family
@pytest.mark.parametrize("seed", range(3))
def test_densities_integrate_to_one(name: str, seed: int) -> None:
    family = family_of(name)
    mixture, grid = drawn(family, 3, 1, seed), Grid.over(family, 20_001)
    total = np.exp(mixture.log_joint(grid.x[None])) @ grid.weight
    np.testing.assert_allclose(total, mixture.weights, rtol=1e-9)


@every_family
@pytest.mark.parametrize("seen", [0, 1])
def test_marginal_densities_are_integrals(name: str, seen: int) -> None:
    family = family_of(name)
    mixture, grid = drawn(family, 2, 2, 4), Grid.over(family, 4001)
    at = grid.x[[1300, 2000, 2050]] if not family.support.whole else np.array([0.0, 1, 3])
    marginal = mixture.marginal(np.array([seen])).log_joint(at[None])
    for place, value in enumerate(at):
        x = np.stack([np.full_like(grid.x, value), grid.x])[:: 1 if seen == 0 else -1]
        np.testing.assert_allclose(np.exp(mixture.log_joint(x)) @ grid.weight, np.exp(marginal[:, place]), rtol=1e-7)


@every_family
def test_what_is_expected_of_unseen_dimensions_is_an_integral(name: str) -> None:
    """`lift` of one seen value is Σ p(x_m | x_o) E[T | x] over a grid of the unseen one, and `predicted` the mean."""
    family, seen = family_of(name, dof=5.0), np.array([0])
    mixture, grid = drawn(family, 2, 2, 5), Grid.over(family, 8001)
    value = 1.0
    marginal = mixture.marginal(seen)
    known = gathered(marginal, np.ones((2, 1)), np.array([[value]]))
    x = np.stack([np.full_like(grid.x, value), grid.x])
    given = np.exp(mixture.log_joint(x)) * grid.weight
    given /= given.sum(1, keepdims=True)
    wanted = gathered(mixture, given, x)
    found = family.lift(known, mixture.components, seen)
    used = np.ones(wanted.t.shape[1], np.bool_)
    if family.support.whole:  # Σ log x! is the same for all parameters: it is left out of what was not seen
        used[-1] = False
    np.testing.assert_allclose(found.t[:, used], wanted.t[:, used], rtol=1e-6, atol=1e-9)
    if not family.support.unit:
        mean = family.predicted(mixture.components, np.array([[value]]), seen)
        np.testing.assert_allclose(mean[:, 0, 0], given @ grid.x, rtol=1e-6)


@every_family
@pytest.mark.parametrize("pulled", [False, True], ids=["likelihood", "posterior"])
def test_the_m_projection_is_a_maximum_and_conditional_steps_climb_to_it(name: str, pulled: bool) -> None:
    """Of η · t, with penalty and prior: nowhere near is it higher, and ECM comes to the same value."""
    family, rng, k, d = family_of(name), np.random.default_rng(6), 3, 2
    one = drawn(family, 1, 1, 7)
    x = np.concatenate([samples(family, one, 400, rng) for _ in range(d)])
    r = rng.dirichlet(np.ones(k), x.shape[1]).T
    stats = family.completed(r @ family.statistics(x).T)
    psi = 0.2 if pulled else 0.0
    whole = Stats(np.array([400.0]), family.statistics(x).sum(1)[None])
    prior = family.default_prior(whole, k, d, PriorStrength(shrinkage=3.0)) if pulled else None

    def value(components: object) -> float:
        eta, log_prior = family.scores(components, psi, prior)
        return float((eta * stats.t).sum() + log_prior)

    best = family.m_projection(stats, psi, d, None, prior)
    highest, theta = value(best), family.pack(best)
    rounding = 1e-10 * np.abs(stats.t).sum()
    for _ in range(100):
        moved = theta + 0.02 * rng.normal(size=theta.size)
        assert value(family.unpack(moved, k, d)) <= highest + rounding
    parts = drawn(family, k, d, 8).components
    for _ in range(60):
        for part in family.free:
            stepped = family.conditional(part, stats, parts, psi, prior)
            assert value(stepped) >= value(parts) - rounding
            for other in set(family.kind.parts()) - {part}:
                np.testing.assert_array_equal(getattr(stepped, other), getattr(parts, other))
            parts = stepped
    assert value(parts) == pytest.approx(highest, abs=1e-6 * abs(highest) + rounding)


@every_family
@pytest.mark.parametrize("seed", range(5))
def test_coordinates_and_components_are_each_others_inverse(name: str, seed: int) -> None:
    family, k, d = family_of(name), 3, 2
    theta = 0.7 * np.random.default_rng(seed).normal(size=family.n_parameters(k, d))
    parts = family.unpack(theta, k, d)
    parts.check()
    again = family.unpack(family.pack(parts), k, d)
    for part in family.kind.parts():
        np.testing.assert_allclose(getattr(again, part), getattr(parts, part), rtol=1e-9, atol=1e-12)
    mixture = Mixture(np.full(k, 1 / k), parts, family)
    np.testing.assert_allclose(mixture.unpack(mixture.pack()).pack(), mixture.pack(), rtol=1e-9, atol=1e-9)


@every_family
def test_samples_bring_the_density_back(name: str) -> None:
    """The fit to n samples has p parameters: its Kullback-Leibler divergence is about p/2n, four times that at most."""
    family, rng, n = family_of(name), np.random.default_rng(9), 20_000
    truth = drawn(family, 1, 1, 10)
    x = samples(family, truth, n, rng)
    stats = family.completed(family.statistics(x).sum(1)[None])
    for _ in range(300 if truth.link() else 1):
        found = Mixture(np.ones(1), family.m_projection(stats, 0.0, 1), family)
        stats = gathered(found, np.ones((1, n)), x)
    grid = Grid.over(family, 20_001)
    log_f, log_g = (mixture.log_joint(grid.x[None])[0] for mixture in (truth, found))
    divergence = float((np.exp(log_f) * (log_f - log_g)) @ grid.weight)
    assert -1e-9 < divergence < 4 * family.n_parameters(1, 1) / (2 * n)


@every_family
def test_an_e_step_and_an_m_step_do_not_lower_the_likelihood(name: str) -> None:
    family, rng = family_of(name), np.random.default_rng(11)
    x = samples(family, drawn(family, 2, 1, 12), 500, rng)
    mixture, last = drawn(family, 2, 1, 13), -np.inf
    for _ in range(15):
        now = float(np.logaddexp.reduce(mixture.log_joint(x), axis=0).sum())
        assert now >= last - 1e-9 * abs(now)
        stats = gathered(mixture, posteriors(mixture, x), x)
        mixture = Mixture(stats.n / stats.n.sum(), family.m_projection(stats, 0.0, 1, mixture.components), family)
        last = now


@every_family
def test_values_outside_the_support_are_told_from_those_inside(name: str) -> None:
    family = family_of(name)
    grid = Grid.over(family, 101)
    assert not family.support.outside(grid.x[None]).any()
    assert not family.support.outside(np.array([[np.nan]])).any()
    if np.isfinite(family.support.least):
        assert family.support.outside_is
        bad = np.array([[family.support.least - 1, family.support.least]])
        np.testing.assert_array_equal(family.support.outside(bad), [[True, family.support.above]])


@pytest.mark.parametrize("name", [name for name in FAMILIES if has_quantiles(family_of(name))])
def test_quantiles_are_those_of_the_density(name: str) -> None:
    """The distribution function at a quantile is what the density integrates to up to there."""
    family = family_of(name)
    mixture, grid = drawn(family, 2, 1, 14), Grid.over(family, 20_001)
    given = mixture.predictive(np.zeros((0, 1)), np.zeros(0, np.intp))
    density = np.exp(mixture.log_joint(grid.x[None])).sum(0) * grid.weight
    mean = float(density @ grid.x)
    for p in (0.03, 0.5, 0.9):
        q = float(given.quantile(p)[0, 0])
        if family.support.whole:
            assert density[grid.x < q].sum() < p <= density[grid.x <= q].sum() + 1e-12
        else:
            assert np.interp(q, grid.x, np.cumsum(density) - density / 2) == pytest.approx(p, abs=1e-4)
    if family.support.whole:
        assert given.moments()[0][0, 0] == pytest.approx(mean, rel=1e-9)
