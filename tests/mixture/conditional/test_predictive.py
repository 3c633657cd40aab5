"""Conditional densities of what was not seen, against scipy and numerical integration."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import integrate, optimize, stats

from emseg.errors import UsageError
from emseg.mixture.families.gamma import Gamma
from emseg.mixture.families.gaussian import GAUSSIANS, Gaussian
from emseg.mixture.families.poisson import Poisson
from emseg.mixture.families.registry import family_of
from emseg.mixture.families.student import Student
from emseg.mixture.families.von_mises import VonMises
from emseg.mixture.mixture import Mixture

pytestmark = pytest.mark.long

WEIGHTS = np.array([0.3, 0.7])
MEANS = np.array([[1.0, 4.0, 2.0], [3.0, 2.0, 5.0]])
MATRICES = np.array([[[1.0, 0.6, 0.2], [0.6, 2, 0], [0.2, 0, 0.5]], [[2.0, -0.9, 0.4], [-0.9, 1, 0.1], [0.4, 0.1, 1]]])
SHAPES = np.array([[2.0, 5.0, 1.5], [3.0, 1.0, 7.0]])
MIXTURES = {
    "gaussian": Mixture(WEIGHTS, Gaussian(MEANS, MATRICES), GAUSSIANS["full"]),
    "diag": Mixture(WEIGHTS, Gaussian(MEANS, MATRICES * np.eye(3)), GAUSSIANS["diag"]),
    "student": Mixture(WEIGHTS, Student(MEANS, MATRICES, np.array([3.5, 7.0])), family_of("student")),
    "gamma": Mixture(WEIGHTS, Gamma(MEANS, SHAPES), family_of("gamma")),
    "poisson": Mixture(WEIGHTS, Poisson(MEANS), family_of("poisson")),
}
SEEN = [[0], [0, 2], [1], []]


def density(mixture: Mixture, x: np.ndarray) -> np.ndarray:
    """f(x) of planar samples (D, N), by scipy."""
    parts, name = mixture.components, mixture.family.name
    total = np.zeros(x.shape[1])
    for k, weight in enumerate(mixture.weights):
        if name == "gaussian":
            own = stats.multivariate_normal(parts.means[k], parts.covariances[k]).pdf(x.T)
        elif name == "student":
            own = stats.multivariate_t(parts.means[k], parts.scales[k], parts.dof[k]).pdf(x.T)
        elif name == "gamma":
            a = parts.shapes[k][:, None]
            own = stats.gamma.pdf(x, a, scale=parts.means[k][:, None] / a).prod(0)
        else:
            own = stats.poisson.pmf(x, parts.means[k][:, None]).prod(0)
        total += weight * own
    return total


def conditional(mixture: Mixture, whole: np.ndarray, seen: list[int], j: int) -> tuple[np.ndarray, np.ndarray]:
    """A grid, and the conditional density of dimension j there: the joint one, other unseen dimensions summed out."""
    name = mixture.family.name
    wide = {"poisson": np.arange(60.0), "gamma": np.linspace(1e-9, 60, 1501)}.get(name, np.linspace(-80, 80, 1601))
    coarse = wide if name == "poisson" else wide[::4]
    others = [d for d in range(3) if d not in seen and d != j]
    axes = [wide, *[coarse for _ in others]]
    grid = np.meshgrid(*axes, indexing="ij")
    x = np.empty((3, grid[0].size))
    x[seen] = whole[seen, None]
    x[[j, *others]] = [axis.ravel() for axis in grid]
    f = density(mixture, x).reshape(grid[0].shape)
    for _ in others:
        f = f.sum(-1) if name == "poisson" else integrate.simpson(f, x=coarse, axis=-1)
    return wide, f / (f.sum() if name == "poisson" else integrate.simpson(f, x=wide))


@pytest.mark.parametrize("name", MIXTURES)
@pytest.mark.parametrize("seen", SEEN[:3], ids=str)
def test_moments_and_quantiles_by_integration(name: str, seen: list[int]) -> None:
    mixture, whole = MIXTURES[name], np.array([2.0, 3.0, 4.0])
    found = mixture.predictive(whole[seen, None], np.array(seen))
    mean, deviation = found.moments()
    ends = {p: found.quantile(p) for p in (0.05, 0.5, 0.95)}
    for place, j in enumerate(d for d in range(3) if d not in seen):
        x, f = conditional(mixture, whole, seen, j)
        if name == "poisson":
            expected = (f @ x, np.sqrt(f @ x**2 - (f @ x) ** 2))
            below = np.cumsum(f)
            assert {p: float(x[np.searchsorted(below, p)]) for p in ends} == {p: q[place, 0] for p, q in ends.items()}
        else:
            first = integrate.simpson(f * x, x=x)
            expected = (first, np.sqrt(integrate.simpson(f * (x - first) ** 2, x=x)))
            below = integrate.cumulative_trapezoid(f, x, initial=0)
            for p, q in ends.items():
                assert np.interp(q[place, 0], x, below) == pytest.approx(p, abs=2e-3)
        np.testing.assert_allclose([mean[place, 0], deviation[place, 0]], expected, rtol=5e-3)


@pytest.mark.parametrize("name", MIXTURES)
@pytest.mark.parametrize("seen", SEEN, ids=str)
def test_quantiles_are_roots(name: str, seen: list[int]) -> None:
    """F(quantile) = p to rounding; for whole numbers the smallest with F ≥ p."""
    rng = np.random.default_rng(1)
    mixture = MIXTURES[name]
    x = rng.gamma(4.0, size=(len(seen), 50))
    x = np.floor(x) if name == "poisson" else x
    found = mixture.predictive(x, np.array(seen, np.intp))
    for p in (0.001, 0.05, 0.5, 0.95, 0.999):
        q = found.quantile(p)
        if found.whole:
            assert (found.distribution(q) >= p * (1 - 1e-13)).all()
            assert (found.distribution(q - 1) < p).all()
        else:
            np.testing.assert_allclose(found.distribution(q), p, rtol=1e-11)


def test_a_gaussian_alone_is_the_textbook_formula() -> None:
    """Mean and variance of the conditional normal distribution (Eaton 1983, proposition 3.13), and its quantiles."""
    rng = np.random.default_rng(2)
    factor = rng.normal(size=(4, 4))
    mean, sigma = rng.normal(size=4), factor @ factor.T + np.eye(4)
    mixture = Mixture(np.ones(1), Gaussian(mean[None], sigma[None]), GAUSSIANS["full"])
    x, o, m = rng.normal(size=(2, 30)), np.array([0, 3]), np.array([1, 2])
    gain = sigma[np.ix_(m, o)] @ np.linalg.inv(sigma[np.ix_(o, o)])
    expected = mean[m, None] + gain @ (x - mean[o, None])
    left = np.sqrt(np.diag(sigma[np.ix_(m, m)] - gain @ sigma[np.ix_(o, m)]))[:, None]
    found = mixture.predictive(x, o)
    np.testing.assert_allclose(found.moments()[0], expected, rtol=1e-9)
    np.testing.assert_allclose(found.moments()[1], left * np.ones(30), rtol=1e-9)
    np.testing.assert_allclose(found.quantile(0.95), stats.norm.ppf(0.95, expected, left), rtol=1e-9)


def test_two_far_components_make_an_interval_across_the_gap() -> None:
    parts = Gaussian(np.array([[-100.0], [100.0]]), np.ones((2, 1, 1)))
    mixture = Mixture(np.array([0.5, 0.5]), parts, GAUSSIANS["full"])
    found = mixture.predictive(np.zeros((0, 1)), np.zeros(0, np.intp))
    exact = [optimize.brentq(lambda x, p=p: found.distribution(np.array([[x]]))[0, 0] - p, -200, 200, xtol=1e-13)
             for p in (0.05, 0.95)]  # fmt: skip
    np.testing.assert_allclose([found.quantile(p)[0, 0] for p in (0.05, 0.95)], exact, rtol=1e-12)
    assert found.moments()[1][0, 0] == pytest.approx(np.sqrt(1e4 + 1))


def test_angles_have_no_quantiles() -> None:
    mixture = Mixture(np.ones(1), VonMises(np.ones((1, 2)), np.ones((1, 2))), family_of("von-mises"))
    with pytest.raises(UsageError, match="von-mises has no quantiles"):
        mixture.predictive(np.ones((1, 1)), np.array([0]))
