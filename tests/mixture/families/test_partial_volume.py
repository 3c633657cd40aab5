"""Mixed classes: densities against quadrature, a likelihood that never falls, parameters found again, and its limit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import integrate, stats

from emseg.em.algorithm import Algorithm
from emseg.em.convergence import Stop
from emseg.em.fit import Fit, fit
from emseg.em.problem import Problem
from emseg.em.registry import algorithm, without_mixed
from emseg.em.variants.em import EM
from emseg.errors import UsageError
from emseg.mixture.families.gaussian import GAUSSIANS, Gaussian
from emseg.mixture.families.partial_volume import ABOVE, BELOW, PartialVolume, PartialVolumeFamily
from emseg.mixture.mixture import Mixture
from emseg.mixture.samples import Rows

pytestmark = pytest.mark.long

MEANS, SPREAD = np.array([0.0, 5.0, 9.0]), np.array([0.8, 0.5, 0.6])
PURE, MIXED = np.array([0.2, 0.25, 0.2]), np.array([0.2, 0.15])


def family(model: str = "full") -> PartialVolumeFamily:
    return PartialVolumeFamily(GAUSSIANS[model])


def drawn(n: int, seed: int = 0, mixed: np.ndarray = MIXED) -> tuple[np.ndarray, np.ndarray]:
    """Samples (1, N) of the model, and how much of each class they hold, (3, N)."""
    rng = np.random.default_rng(seed)
    weights = np.concatenate([PURE, mixed])
    kind = rng.choice(5, n, p=weights / weights.sum())
    held = np.zeros((3, n))
    alpha = np.where(kind < 3, 1.0, rng.random(n))
    first = np.where(kind < 3, kind, kind - 3)
    held[first, np.arange(n)] = alpha
    held[np.minimum(first + 1, 2), np.arange(n)] += 1 - alpha
    return (MEANS @ held + np.sqrt(SPREAD**2 @ held) * rng.normal(size=n))[None], held


def start(model: str = "full", d: int = 1) -> Mixture:
    parts = Gaussian(np.repeat([[-1.0], [4.0], [10.0]], d, axis=1), np.stack([2.0 * np.eye(d)] * 3))
    weights = np.full(3, 1 / 3)
    return Mixture(weights, family(model).constrained(weights, parts), family(model)).tied()


def fitted(x: np.ndarray, variant: Algorithm, model: str = "full", tol: float = 1e-9) -> Fit:
    problem = Problem(Rows(x, np.ones(x.shape[1])), family(model), 1e-9)
    return fit(variant, problem, start(model, len(x)), Stop(tol, 3000), np.random.default_rng(0))


def test_the_density_is_the_integral() -> None:
    mixture = start()
    parts, x = mixture.components, np.linspace(-4, 13, 9)
    found = np.exp(np.logaddexp.reduce(mixture.log_joint(x[None]), axis=0))
    mu, var = parts.means[:, 0], parts.covariances[:, 0, 0]
    pure = sum(mixture.weights[k] * parts.shares[k, 1] * stats.norm.pdf(x, mu[k], np.sqrt(var[k])) for k in range(3))
    for j in range(2):
        weight = mixture.weights[j] * parts.shares[j, ABOVE] + mixture.weights[j + 1] * parts.shares[j + 1, BELOW]

        def density(alpha: float, at: float, j: int = j) -> float:
            mean, variance = (alpha * mu[j] + (1 - alpha) * mu[j + 1]), alpha * var[j] + (1 - alpha) * var[j + 1]
            return float(stats.norm.pdf(at, mean, np.sqrt(variance)))

        pure += weight * np.array([integrate.quad(density, 0, 1, args=(at,))[0] for at in x])
    np.testing.assert_allclose(found, pure, rtol=1e-7)


def test_equal_spreads_have_a_closed_form() -> None:
    """∫ N(x; α a + (1-α) b, σ²) dα = (Φ((x-a)/σ) - Φ((x-b)/σ)) / (b-a), here with neighbours ten σ apart."""
    parts = PartialVolume(
        np.array([[0.0], [10.0]]), np.ones((2, 1, 1)), np.array([[0, 1e-9, 1 - 1e-9], [1 - 1e-9, 1e-9, 0]])
    )
    mixture = Mixture(np.array([0.5, 0.5]), parts, family())
    x = np.linspace(-2, 12, 30)
    found = np.exp(np.logaddexp.reduce(mixture.log_joint(x[None]), axis=0))
    np.testing.assert_allclose(found, (stats.norm.cdf(x) - stats.norm.cdf(x - 10)) / 10, rtol=1e-5)


def test_labels_split_mixed_classes_in_halves() -> None:
    x, held = drawn(40_000)
    mixture = fitted(x, algorithm("anderson")).mixture
    labels = mixture.log_joint(x).argmax(0)
    assert (labels == held.argmax(0)).mean() > 0.94
    np.testing.assert_allclose(mixture.weights, held.sum(1) / held.sum(), atol=0.02)


@pytest.mark.parametrize("model", ["full", "tied", "VVV", "EVE"])
def test_em_never_falls(model: str) -> None:
    """MonotonicityWarning is an error here; and ℓ of the trace is that of the mixture."""
    x, _ = drawn(1500)
    two = np.concatenate([x, 0.3 * x + np.random.default_rng(1).normal(size=x.shape)])
    found = fitted(two, EM(), model, 1e-6)
    assert found.trace[-1].objective > found.trace[0].objective
    again = np.logaddexp.reduce(found.mixture.log_joint(two), axis=0).sum()
    assert found.trace[-1].log_likelihood == pytest.approx(again, rel=1e-9)


def test_parameters_are_found_again() -> None:
    x, _ = drawn(60_000)
    found = fitted(x, algorithm("anderson")).mixture
    parts = found.components
    np.testing.assert_allclose(parts.means[:, 0], MEANS, atol=0.05)
    np.testing.assert_allclose(np.sqrt(parts.covariances[:, 0, 0]), SPREAD, atol=0.05)
    np.testing.assert_allclose(found.weights * parts.shares[:, 1], PURE, atol=0.02)
    np.testing.assert_allclose(2 * found.weights[:2] * parts.shares[:2, ABOVE], MIXED, atol=0.02)


def test_two_dimensions_too() -> None:
    rng, n = np.random.default_rng(0), 20_000
    alpha = np.where(rng.random(n) < 0.4, rng.random(n), rng.random(n) < 0.5)
    means, roots = np.array([[0.0, 0.0], [6.0, 2.0]]), np.array([[[0.6, 0], [0.2, 0.5]], [[0.5, 0], [-0.3, 0.4]]])
    noise = rng.normal(size=(2, 2, n))
    x = alpha * means[0][:, None] + (1 - alpha) * means[1][:, None]
    x = x + np.sqrt(alpha) * (roots[0] @ noise[0]) + np.sqrt(1 - alpha) * (roots[1] @ noise[1])
    problem = Problem(Rows(x, np.ones(n)), family(), 1e-9)
    begin = Gaussian(means + 1, np.stack([3 * np.eye(2)] * 2))
    weights = np.full(2, 0.5)
    mixture = Mixture(weights, family().constrained(weights, begin), family()).tied()
    found = fit(algorithm("anderson"), problem, mixture, Stop(1e-9, 2000), rng).mixture
    np.testing.assert_allclose(found.components.means, means, atol=0.05)
    np.testing.assert_allclose(found.components.covariances, roots @ np.swapaxes(roots, 1, 2), atol=0.03)
    assert 2 * found.weights[0] * found.components.shares[0, ABOVE] == pytest.approx(0.4, abs=0.02)


def test_without_mixed_samples_it_is_the_plain_mixture() -> None:
    x, _ = drawn(20_000, mixed=np.zeros(2))
    plain = Problem(Rows(x, np.ones(x.shape[1])), GAUSSIANS["full"], 1e-9)
    begin = Mixture(np.full(3, 1 / 3), start().components.gaussian, GAUSSIANS["full"])
    expected = fit(EM(), plain, begin, Stop(1e-9, 3000), np.random.default_rng(0))
    found = fitted(x, algorithm("anderson"))
    assert found.mixture.components.shares[:, 1].min() > 0.98
    assert found.trace[-1].log_likelihood >= expected.trace[-1].log_likelihood - 0.01
    np.testing.assert_allclose(found.mixture.components.means, expected.mixture.components.means, atol=0.02)


def test_expected_fractions_are_bayes_rule() -> None:
    mixture = start()
    link, x = mixture.link(), np.array([[0.5, 4.3, 7.0]])
    shares = link.class_shares(x)
    np.testing.assert_allclose(shares.sum(1), 1, rtol=1e-6)
    parts = mixture.components
    mu, var, s = parts.means[:, 0], parts.covariances[:, 0, 0], parts.shares[1]
    for at, found in zip(x[0], shares[1].T, strict=True):
        grid = np.linspace(0.5, 1, 20_001)

        def half(j: int, at: float = at, grid: np.ndarray = grid) -> np.ndarray:
            mean, variance = grid * mu[1] + (1 - grid) * mu[j], grid * var[1] + (1 - grid) * var[j]
            return 2 * stats.norm.pdf(at, mean, np.sqrt(variance))

        below, above = s[0] * half(0), s[2] * half(2)
        pure = s[1] * stats.norm.pdf(at, mu[1], np.sqrt(var[1]))
        total = pure + integrate.trapezoid(below + above, grid)
        expected = [integrate.trapezoid((1 - grid) * below, grid), 0, integrate.trapezoid((1 - grid) * above, grid)]
        expected[1] = total - expected[0] - expected[2]
        np.testing.assert_allclose(found, np.array(expected) / total, atol=1e-6)


def test_purity_is_what_is_left_of_mixing() -> None:
    x, _ = drawn(200)
    mixture = start()
    parts = mixture.components
    pure = mixture.weights * parts.shares[:, 1]
    densities = stats.norm.pdf(x, parts.means, np.sqrt(parts.covariances[:, 0]))
    expected = pure @ densities / np.exp(np.logaddexp.reduce(mixture.log_joint(x), axis=0))
    np.testing.assert_allclose(mixture.purity(x), expected, rtol=1e-6)


@pytest.mark.parametrize("model", ["full", "diag"])
def test_a_start_of_unmixed_classes_begins_narrow_and_in_order(model: str) -> None:
    """Classes that mix much have covariances far too large in it: all begin with the one of smallest determinant."""
    narrow, wide = np.array([[2.0, 0.3], [0.3, 1.0]]), np.array([[9.0, 1.0], [1.0, 4.0]])
    means, weights = np.array([[9.0, 2.0], [0.0, 1.0], [4.0, 5.0]]), np.array([0.5, 0.2, 0.3])
    unmixed = Mixture(weights, Gaussian(means, np.stack([wide, 3 * wide, narrow])), GAUSSIANS["full"])
    found = unmixed.as_start_of(family(model))
    wanted = narrow if model == "full" else np.diag(np.diag(narrow))
    np.testing.assert_allclose(found.components.covariances, np.stack([wanted] * 3), rtol=1e-12)
    np.testing.assert_array_equal(found.components.means, means[[1, 2, 0]])
    assert (found.components.shares[1] > 0).all()
    assert found.weights.sum() == pytest.approx(1)


def test_the_order_stays_even_where_means_cross() -> None:
    """Neighbours are those of the start: what the likelihood is of does not change on the way."""
    x, _ = drawn(1500)
    mixture = start()
    parts = replace(mixture.components, means=np.array([[6.0], [4.0], [5.0]]))
    problem = Problem(Rows(x, np.ones(1500)), family(), 1e-9)
    crossed = replace(mixture, components=parts)
    assert crossed.canonical_order().tolist() == [0, 1, 2]
    found = fit(EM(), problem, crossed, Stop(1e-7, 300), np.random.default_rng(0))
    assert found.trace[-1].objective > found.trace[0].objective


def test_coordinates_and_stacks_and_scales() -> None:
    mixture, (x, _) = start(), drawn(50)
    again = mixture.unpack(mixture.pack())
    np.testing.assert_allclose(again.log_joint(x), mixture.log_joint(x), rtol=1e-10)
    wild = mixture.unpack(mixture.pack() + np.random.default_rng(0).normal(size=mixture.pack().size))
    wild.components.check()
    mixed = wild.weights[:, None] * wild.components.shares
    np.testing.assert_allclose(mixed[:-1, ABOVE], mixed[1:, BELOW], rtol=1e-9)
    moved = mixture.affine(np.array([3.0]), np.array([2.0]))
    np.testing.assert_allclose(moved.log_joint(3 + 2 * x) + np.log(2), mixture.log_joint(x), rtol=1e-9)
    problem = Problem(Rows(x, np.ones(50)), family(), 1e-9)
    stack = Mixture(
        np.stack([mixture.weights, wild.weights]),
        PartialVolume(*(np.stack([getattr(m.components, n) for m in (mixture, wild)]) for n in PartialVolume.parts())),
        family(),
    )
    both = problem.e_step(stack)
    for i, one in enumerate((mixture, wild)):
        alone = problem.e_step(one)
        assert both.log_likelihood[i] == pytest.approx(float(alone.log_likelihood), rel=1e-10)
        np.testing.assert_allclose(both.stats.t[i], alone.stats.t, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("name", ["anderson", "squarem", "cg", "aitken", "gem", "incremental", "map"])
def test_monotone_algorithms_climb_to_one_optimum(name: str) -> None:
    x, _ = drawn(3000)
    best = fitted(x, EM(), tol=1e-8).trace[-1].log_likelihood
    assert name not in without_mixed()
    assert fitted(x, algorithm(name), tol=1e-8).trace[-1].log_likelihood > best - 0.1


def test_unknown_values_are_one_line() -> None:
    with pytest.raises(UsageError, match="partial_volume: does not go with unknown values; use missing='drop'"):
        start().log_joint(np.array([[np.nan, 1.0]]))


def test_shares_are_checked() -> None:
    parts = start().components
    for shares, why in (([[0.5, 0.5, 0.5]] * 3, "sum to 1"), ([[0.1, 0.8, 0.1]] * 3, "no neighbour")):
        with pytest.raises(ValueError, match=why):
            PartialVolume(parts.means, parts.covariances, np.array(shares)).check()
