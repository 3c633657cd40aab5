"""Missing values: the observed-data likelihood, its expected statistics by integration, and where EM ends."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy import optimize, stats
from scipy.special import logsumexp

from emseg.em.accelerators.anderson import Anderson
from emseg.em.convergence import Stop
from emseg.em.expectation import Expectation
from emseg.em.fit import fit
from emseg.em.kernel import project
from emseg.em.problem import Problem
from emseg.em.starts.number_of_components import candidates
from emseg.em.stochastic.online import Online
from emseg.em.variants.em import EM
from emseg.em.variants.incremental import Incremental
from emseg.mixture.families.gamma import Gamma, GammaFamily
from emseg.mixture.families.gaussian import GAUSSIANS, Gaussian
from emseg.mixture.families.outliers import with_outliers
from emseg.mixture.families.poisson import Poisson, PoissonFamily
from emseg.mixture.families.registry import family_of
from emseg.mixture.families.student import Student
from emseg.mixture.families.von_mises import VonMises, VonMisesFamily
from emseg.mixture.mixture import Mixture
from emseg.mixture.samples import Rows

pytestmark = pytest.mark.long


def random_mixture(rng: np.random.Generator, model: str, k: int, d: int) -> Mixture:
    weights = rng.dirichlet(np.full(k, 5.0))
    if model in GAUSSIANS:
        factor = rng.normal(size=(k, d, d))
        scatter = factor @ np.swapaxes(factor, -1, -2) + 0.5 * np.eye(d)
        covariances = GAUSSIANS[model].covariance.estimate(scatter, np.ones(k), 0.0)
        return Mixture(weights, Gaussian(rng.normal(size=(k, d)), covariances), GAUSSIANS[model])
    if model.startswith("student"):
        family, normal = (
            family_of("student", "VEE" if model == "student VEE" else "full"),
            random_mixture(rng, model[8:] or "full", k, d),
        )
        parts = normal.components
        return Mixture(weights, Student(parts.means, parts.covariances, rng.uniform(2.5, 9, k)), family)
    means, shapes = rng.gamma(5.0, 1.0, (k, d)), rng.gamma(4.0, 1.0, (k, d))
    parts = {"poisson": Poisson(means), "gamma": Gamma(means, shapes), "von-mises": VonMises(means % 6, shapes)}[model]
    return Mixture(weights, parts, family_of(model))


def draw(rng: np.random.Generator, mixture: Mixture, n: int) -> np.ndarray:
    """Samples (D, N)."""
    z, parts = rng.choice(mixture.k, n, p=mixture.weights), mixture.components
    name, means = mixture.family.name, mixture.components.means
    if name == "gaussian":
        return np.stack([rng.multivariate_normal(means[k], parts.covariances[k]) for k in z], axis=1)
    if name == "student":
        scales, dof = parts.scales, parts.dof
        return np.stack([stats.multivariate_t(means[k], scales[k], dof[k]).rvs(random_state=rng) for k in z], axis=1)
    if name == "poisson":
        return rng.poisson(means[z]).T.astype(float)
    if name == "gamma":
        return (rng.gamma(parts.shapes[z]) * means[z] / parts.shapes[z]).T
    return (rng.vonmises(means[z], parts.concentrations[z]) % (2 * np.pi)).T


def pierced(rng: np.random.Generator, x: np.ndarray, share: float) -> np.ndarray:
    """With a share of its values missing completely at random."""
    return np.where(rng.random(x.shape) < share, np.nan, x)


def log_marginals(mixture: Mixture, x: np.ndarray) -> np.ndarray:
    """log π_k f_k of what is seen of samples (D, N), by scipy; shape (K, N)."""
    found = np.repeat(np.log(mixture.weights)[:, None], x.shape[1], axis=1)
    holes, parts, name = np.isnan(x), mixture.components, mixture.family.name
    for hole in np.unique(holes, axis=1).T:
        which, seen = (holes == hole[:, None]).all(0), ~hole
        values = x[np.ix_(seen, which)].T
        for k, mean in enumerate(parts.means[:, seen]):
            if not seen.any():
                continue
            if name == "gaussian":
                own = stats.multivariate_normal(mean, parts.covariances[k][np.ix_(seen, seen)]).logpdf(values)
            elif name == "student":
                scale = parts.scales[k][np.ix_(seen, seen)]
                own = stats.multivariate_t(mean, scale, parts.dof[k]).logpdf(values)
            elif name == "poisson":
                own = stats.poisson.logpmf(values, mean).sum(1)
            elif name == "gamma":
                a = parts.shapes[k][seen]
                own = stats.gamma.logpdf(values, a, scale=mean / a).sum(1)
            else:
                own = stats.vonmises.logpdf(values, parts.concentrations[k][seen], loc=mean).sum(1)
            found[k, which] += own
    return found


def log_likelihood(mixture: Mixture, x: np.ndarray, weight: np.ndarray) -> float:
    kept = ~np.isnan(x).all(0)
    return float(logsumexp(log_marginals(mixture, x), axis=0)[kept] @ weight[kept])


MODELS = ("full", "diag", "tied", "VEE", "EVE", "spherical", "poisson", "gamma", "von-mises", "student", "student VEE")


@pytest.mark.parametrize("model", MODELS)
def test_the_likelihood_is_that_of_what_was_observed(model: str) -> None:
    rng = np.random.default_rng(1)
    mixture = random_mixture(rng, model, 3, 3)
    x, weight = pierced(rng, draw(rng, mixture, 60), 0.4), rng.integers(1, 5, 60).astype(float)
    problem = Problem(Rows(x, weight), mixture.family, log_jacobian=np.array([0.1, 0.2, 0.4]))
    found = problem.e_step(mixture)
    jacobian = ((~np.isnan(x)).T @ [0.1, 0.2, 0.4]) @ weight
    assert problem.n == weight[~np.isnan(x).all(0)].sum()
    assert float(found.log_likelihood) == pytest.approx(log_likelihood(mixture, x, weight) + jacobian, rel=1e-10)
    assert float(found.elbo) == pytest.approx(float(found.log_likelihood), rel=1e-10)
    np.testing.assert_allclose(mixture.log_joint(x), log_marginals(mixture, x), rtol=1e-9, atol=1e-9)


def expected_statistics(mixture: Mixture, k: int, sample: np.ndarray) -> np.ndarray:
    """E[T(x) | x_o, k] of a sample of two values, one of them missing: the E-step over a grid of what it may be."""
    (hole,) = np.flatnonzero(np.isnan(sample))
    step = {"poisson": 1.0, "gamma": 0.02, "von-mises": np.pi / 1000, "student": 0.05}.get(mixture.family.name, 0.01)
    ends = {"poisson": (0, 80), "gamma": (step / 2, 120), "von-mises": (0, 2 * np.pi), "student": (-1000, 1000)}
    grid = np.arange(*ends.get(mixture.family.name, (-30, 30)), step)
    whole = np.repeat(sample[:, None], grid.size, axis=1)
    whole[hole] = grid
    one = Mixture(np.ones(1), mixture.components[[k]], mixture.family)
    density = np.exp(log_marginals(one, whole)[0])
    return Problem(Rows(whole, density / density.sum()), mixture.family).e_step(one).stats.t[0]


def whole_statistics(mixture: Mixture, k: int, x: np.ndarray) -> np.ndarray:
    """T of a sample that is known to be of component k."""
    one = Mixture(np.ones(1), mixture.components[[k]], mixture.family)
    return Problem(Rows(x, np.ones(1)), mixture.family).e_step(one).stats.t[0]


@pytest.mark.parametrize("model", MODELS)
def test_expected_statistics_by_integration(model: str) -> None:
    rng = np.random.default_rng(2)
    mixture = random_mixture(rng, model, 2, 2)
    x = draw(rng, mixture, 3)
    x[0, 0] = x[1, 1] = np.nan
    found = Problem(Rows(x, np.array([1.0, 2.0, 1.0])), mixture.family).e_step(mixture).stats
    r = log_marginals(mixture, x)
    r = np.exp(r - logsumexp(r, axis=0)) * [1, 2, 1]
    for k in range(2):
        t = [expected_statistics(mixture, k, x[:, i]) for i in (0, 1)] + [whole_statistics(mixture, k, x[:, 2:])]
        expected = sum(r[k, i] * t[i] for i in range(3))
        last = -1 if model == "poisson" else None  # the last of its statistics depends on no parameter
        np.testing.assert_allclose(found.t[k][:last], expected[:last], rtol=1e-4)
    np.testing.assert_allclose(found.n, r.sum(1), rtol=1e-12)


@pytest.mark.parametrize("model", ["full", "diag", "tied", "VEE", "poisson", "gamma", "von-mises", "student"])
def test_em_ends_where_direct_optimisation_does(model: str) -> None:
    rng = np.random.default_rng(3)
    truth = random_mixture(rng, model, 2, 2)
    x, weight = pierced(rng, draw(rng, truth, 60), 0.3), np.ones(60)
    problem = Problem(Rows(x, weight), truth.family)
    found = fit(Anderson(), problem, truth, Stop(1e-13, 2000), rng)  # EM would crawl along ν

    def loss(theta: np.ndarray) -> float:
        try:
            return -log_likelihood(truth.unpack(theta), x, weight)
        except np.linalg.LinAlgError:
            return np.inf

    ended = found.mixture.pack()
    best = optimize.minimize(loss, ended + 0.02 * rng.normal(size=ended.size), method="BFGS", options={"gtol": 1e-6})
    assert found.trace[-1].log_likelihood == pytest.approx(-best.fun, abs=1e-6)
    assert found.trace[-1].log_likelihood == pytest.approx(log_likelihood(found.mixture, x, weight), rel=1e-11)


def test_whole_samples_are_treated_as_ever() -> None:
    """To the bit, and without grouping."""
    rng = np.random.default_rng(4)
    mixture = random_mixture(rng, "full", 3, 3)
    x = draw(rng, mixture, 500)
    problem = Problem(Rows(x, np.ones(500)), mixture.family)
    assert problem.samples.patterns == ()
    assert problem.filled is problem.samples
    direct, found = project(problem.rows, mixture.family, problem.scores(mixture)[0]), problem.e_step(mixture)
    assert direct.stats.t.tobytes() == found.stats.t.tobytes()
    assert direct.log_likelihood == found.log_likelihood


def test_one_component_with_a_monotone_pattern_has_a_closed_form() -> None:
    """Anderson (1957): the first variable's moments from all samples, the regression from the whole ones."""
    rng = np.random.default_rng(5)
    x = rng.multivariate_normal([1.0, -2.0], [[2.0, 1.2], [1.2, 1.5]], 400).T
    x[1, 250:] = np.nan
    problem = Problem(Rows(x, np.ones(400)), GAUSSIANS["full"])
    start = Mixture(np.ones(1), Gaussian(np.zeros((1, 2)), np.eye(2)[None]), GAUSSIANS["full"])
    found = fit(EM(), problem, start, Stop(1e-14, 5000), rng).mixture.components
    whole = x[:, :250]
    slope = np.cov(whole, bias=True)[0, 1] / whole[0].var()
    rest = np.var(whole[1] - slope * whole[0])
    mean = np.array([x[0].mean(), whole[1].mean() + slope * (x[0].mean() - whole[0].mean())])
    v = x[0].var()
    np.testing.assert_allclose(found.means[0], mean, rtol=1e-6)
    np.testing.assert_allclose(found.covariances[0], [[v, slope * v], [slope * v, rest + slope**2 * v]], rtol=1e-6)
    np.testing.assert_allclose(problem.total.t[0, 1:3] / 400, mean, rtol=1e-6)
    filled = problem.filled.x
    np.testing.assert_allclose(filled[1, 250:], mean[1] + slope * (x[0, 250:] - mean[0]), rtol=1e-5)
    np.testing.assert_array_equal(filled[:, :250], whole)


def test_known_parameters_come_back() -> None:
    rng = np.random.default_rng(6)
    truth = Mixture(
        np.array([0.3, 0.7]),
        Gaussian(np.array([[0.0, 0, 0], [3, 3, 0]]), np.stack([np.eye(3), [[1, 0.6, 0], [0.6, 1, 0.3], [0, 0.3, 1]]])),
        GAUSSIANS["full"],
    )
    x = pierced(rng, draw(rng, truth, 20000), 0.3)
    found = fit(EM(), Problem(Rows(x, np.ones(20000)), truth.family), truth, Stop(1e-10, 500), rng).mixture
    np.testing.assert_allclose(found.weights, truth.weights, atol=0.02)
    np.testing.assert_allclose(found.components.means, truth.components.means, atol=0.06)
    np.testing.assert_allclose(found.components.covariances, truth.components.covariances, atol=0.08)


def test_many_dimensions_and_single_precision() -> None:
    """More dimensions than a word has bits; and a row that holds nothing is as if it were not there."""
    rng = np.random.default_rng(7)
    mixture = random_mixture(rng, "diag", 2, 66)
    x = pierced(rng, draw(rng, mixture, 8), 0.5)
    x[:, 4] = np.nan
    weight = np.ones(8)
    found = Problem(Rows(x, weight), mixture.family).e_step(mixture)
    assert float(found.log_likelihood) == pytest.approx(log_likelihood(mixture, x, weight), rel=1e-10)
    kept = np.delete(np.arange(8), 4)
    fewer = Problem(Rows(np.ascontiguousarray(x[:, kept]), weight[kept]), mixture.family)
    assert float(found.log_likelihood) == float(fewer.e_step(mixture).log_likelihood)
    single = replace(fewer, samples=fewer.samples.single()).e_step(mixture)
    assert float(single.log_likelihood) == pytest.approx(float(found.log_likelihood), rel=1e-4)
    with pytest.raises(ValueError, match="nothing was observed of any sample"):
        Problem(Rows(np.full((2, 3), np.nan), np.ones(3)), mixture.family)


def test_stacks_of_mixtures_are_lifted_together() -> None:
    rng = np.random.default_rng(8)
    one, two = random_mixture(rng, "full", 2, 3), random_mixture(rng, "full", 2, 3)
    parts = (one.components, two.components)
    stack = Mixture(
        np.stack([one.weights, two.weights]),
        Gaussian(np.stack([p.means for p in parts]), np.stack([p.covariances for p in parts])),
        one.family,
    )
    problem = Problem(Rows(pierced(rng, draw(rng, one, 50), 0.3), np.ones(50)), one.family, 1e-3)
    found = problem.e_step(stack)
    for s, mixture in enumerate((one, two)):
        alone = problem.e_step(mixture)
        np.testing.assert_allclose(found.stats.t[s], alone.stats.t, rtol=1e-10, atol=1e-12)
        assert abs(found.objective[s] - alone.objective) <= alone.rounding


def test_constants_of_families_cancel() -> None:
    """Σ log x! of what was not seen is left out of Poisson's statistics, and E[T] holds for what is seen."""
    for family, parts in (
        (PoissonFamily(), Poisson(np.array([[2.0, 3.0]]))),
        (GammaFamily(), Gamma(np.array([[2.0, 3.0]]), np.array([[1.5, 4.0]]))),
        (VonMisesFamily(), VonMises(np.array([[2.0, 3.0]]), np.array([[1.5, 4.0]]))),
    ):
        mixture = Mixture(np.ones(1), parts, family)
        t = family.statistics(draw(np.random.default_rng(9), mixture, 40000)).mean(1)
        expected = family.mean_statistic(parts)[0]
        assert expected.size == t.size
        chosen = slice(None, -1) if family.name == "poisson" else slice(None)
        np.testing.assert_allclose(t[chosen], expected[chosen], atol=0.05)


def test_a_jacobian_for_all_dimensions_at_once_is_refused() -> None:
    rows = Rows(np.array([[1.0, np.nan], [2.0, 3.0]]), np.ones(2))
    with pytest.raises(ValueError, match="by dimension"):
        assert Problem(rows, GAUSSIANS["full"], log_jacobian=1.0).shift


@pytest.mark.parametrize("inner", ["full", "gamma", "student"])
def test_noise_has_a_marginal_density_too(inner: str) -> None:
    rng = np.random.default_rng(14)
    bare = random_mixture(rng, inner, 2, 3)
    x = pierced(rng, draw(rng, bare, 200), 0.3)
    family = with_outliers(bare.family, x)
    mixture = Mixture(*family.with_outliers(bare.weights, bare.components, 0.2), family)
    problem = Problem(Rows(x, np.ones(200)), family, 1e-6)
    widths = np.nanmax(x, axis=1) - np.nanmin(x, axis=1)
    box = np.log(0.2) - np.where(np.isnan(x), 0, np.log(widths)[:, None]).sum(0)
    joint = np.concatenate([np.log(0.8) + log_marginals(bare, x), box[None]])
    kept = ~np.isnan(x).all(0)
    expected = logsumexp(joint, axis=0)[kept].sum()
    found = problem.e_step(mixture)
    assert float(found.log_likelihood) == pytest.approx(expected, rel=1e-9)
    assert float(found.elbo) == pytest.approx(expected, rel=1e-9)
    trace = fit(EM(), problem, mixture, Stop(0, 30), rng).trace  # whose every fall is an error here
    assert trace[-1].objective > trace[0].objective


def test_every_row_is_counted_once_an_e_step(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(10)
    mixture = random_mixture(rng, "full", 2, 3)
    x = pierced(rng, draw(rng, mixture, 100), 0.3)
    seen: list[int] = []

    def counting(rows: Rows, *arguments: Any) -> Expectation:
        seen.append(rows.n_rows)
        return project(rows, *arguments)

    monkeypatch.setattr("emseg.em.missing.project", counting)
    Problem(Rows(x, np.ones(100)), mixture.family).e_step(mixture)
    assert sum(seen) == (~np.isnan(x).all(0)).sum()


@pytest.mark.parametrize("criterion", ["bic", "icl", "aic", "mml", "elbo"])
def test_the_number_of_components_is_found_with_holes(criterion: str) -> None:
    rng = np.random.default_rng(13)
    centres = np.array([[0.0, 0, 0], [9, 0, 5], [0, 9, -5]])
    x = centres[rng.integers(3, size=900)].T + rng.normal(size=(3, 900))
    problem = Problem(Rows(pierced(rng, x, 0.25), np.ones(900)), GAUSSIANS["full"], 1e-6)
    found, _ = candidates(problem, 1, 5, criterion, rng)
    assert min(found, key=lambda one: one.value).mixture.k == 3


def test_incremental_and_online_see_holes_in_their_parts() -> None:
    rng = np.random.default_rng(12)
    truth = random_mixture(rng, "full", 2, 3)
    problem = Problem(Rows(pierced(rng, draw(rng, truth, 700), 0.3), np.ones(700)), truth.family, 1e-6)
    best = fit(EM(), problem, truth, Stop(1e-9, 2000), rng).trace[-1].log_likelihood
    blocks = fit(Incremental(5), problem, truth, Stop(1e-9, 500), rng).trace[-1]
    assert blocks.log_likelihood == pytest.approx(best, abs=1e-3)
    streamed = fit(Online(passes=10), problem, truth, Stop(0, 50), rng).trace[-1]
    assert streamed.log_likelihood == pytest.approx(best, abs=0.01 * abs(best))
