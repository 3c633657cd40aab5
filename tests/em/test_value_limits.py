"""EM for censored and truncated Gaussians, against direct optimisation, scipy's own fits and known parameters."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, stats
from scipy.special import logsumexp

from emseg.em.algorithm import State
from emseg.em.convergence import Stop
from emseg.em.fit import fit
from emseg.em.problem import Problem
from emseg.em.q_function import slope
from emseg.em.registry import ALGORITHMS, algorithm
from emseg.errors import UsageError
from emseg.mixture.covariance.model import COVARIANCE_MODELS
from emseg.mixture.families.censored_gaussian import CensoredGaussianFamily
from emseg.mixture.families.gaussian import Gaussian
from emseg.mixture.families.sensor_limits import SensorLimits
from emseg.mixture.mixture import Mixture
from emseg.mixture.samples import Rows
from tests.rounding import assert_bound

pytestmark = pytest.mark.long

INF = np.inf
CENSORED, TRUNCATED = {"censored": (-1.0, 1.5)}, {"truncated": (-1.5, 2.5)}
BOTH = {"censored": (-1.0, 1.5), "truncated": (-1.5, 2.5)}
KINDS = {"censored": CENSORED, "truncated": TRUNCATED, "both": BOTH, "one side": {"censored": (-INF, 1.0)}}
every_kind = pytest.mark.parametrize("kind", KINDS)


def family(d: int, kind: str, model: str = "full") -> CensoredGaussianFamily:
    return CensoredGaussianFamily(COVARIANCE_MODELS[model], SensorLimits.of(d, **KINDS[kind]))


def recorded(x: np.ndarray, censored: tuple[float, float] = (-INF, INF), truncated: tuple[float, float] = (-INF, INF)):
    """What a sensor makes of samples (D, N)."""
    x = x[:, ((x >= truncated[0]) & (x <= truncated[1])).all(0)]
    return np.ascontiguousarray(np.clip(x, *censored))


def mixture(d: int, k: int, seed: int, where: CensoredGaussianFamily) -> Mixture:
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(k, d, d)) * 0.4 + np.eye(d)
    covariances = root @ np.swapaxes(root, 1, 2) * 0.5
    if not where.products:
        covariances = covariances * np.eye(d)
    return Mixture(rng.dirichlet(np.full(k, 5)), Gaussian(rng.normal(size=(k, d)), covariances), where)


def drawn(of: Mixture, n: int, rng: np.random.Generator) -> np.ndarray:
    labels = rng.choice(of.k, n, p=of.weights)
    root = np.linalg.cholesky(of.components.covariances)[labels]
    return np.ascontiguousarray((of.components.means[labels] + (root @ rng.normal(size=(n, of.d, 1)))[..., 0]).T)


def problem_of(d: int, kind: str, model: str = "full", n: int = 400, floor: float = 1e-6, seed: int = 0) -> Problem:
    where = family(d, kind, model)
    x = recorded(drawn(mixture(d, 2, seed, where), n, np.random.default_rng(seed)), **KINDS[kind])
    return Problem(Rows(x, np.ones(x.shape[1])), where, floor)


def log_density(x: np.ndarray, mean: float, sd: float, kind: str) -> np.ndarray:
    """log f of one component in one dimension, by scipy."""
    (low, high), (least, most) = (KINDS[kind].get(name, (-INF, INF)) for name in ("censored", "truncated"))
    normal = stats.norm(mean, sd)
    below, above = normal.cdf(low) - normal.cdf(least), normal.sf(high) - normal.sf(most)
    with np.errstate(divide="ignore", invalid="ignore"):
        found = np.where(x <= low, np.log(below), np.where(x >= high, np.log(above), normal.logpdf(x)))
    return found - np.log(normal.cdf(most) - normal.cdf(least))


@every_kind
def test_one_dimension_by_direct_optimisation(kind: str) -> None:
    where, rng = family(1, kind), np.random.default_rng(3)
    truth = Mixture(np.array([0.4, 0.6]), Gaussian(np.array([[-0.8], [1.2]]), np.array([[[0.16]], [[0.49]]])), where)
    x = recorded(drawn(truth, 500, rng), **KINDS[kind])[0]
    problem = Problem(Rows(x[None], np.ones(x.size)), where)

    def loss(theta: np.ndarray) -> float:
        share = np.log(np.array([1 / (1 + np.exp(-theta[0])), 1 / (1 + np.exp(theta[0]))]))
        parts = [share[k] + log_density(x, theta[1 + k], np.exp(theta[3 + k]), kind) for k in range(2)]
        return -float(logsumexp(parts, axis=0).sum())

    found = fit(algorithm("anderson"), problem, truth, Stop(1e-13, 1000), rng)
    parts = found.mixture.components
    at = np.concatenate([[np.log(found.mixture.weights[0] / found.mixture.weights[1])], parts.means[:, 0]])
    at = np.concatenate([at, 0.5 * np.log(parts.covariances[:, 0, 0])])
    assert found.trace[-1].log_likelihood == pytest.approx(-loss(at), rel=1e-11)
    best = optimize.minimize(loss, at + 0.02, method="BFGS", options={"gtol": 1e-7})
    assert -best.fun == pytest.approx(found.trace[-1].log_likelihood, rel=1e-10)
    np.testing.assert_allclose(at, best.x, atol=1e-6)


@every_kind
@pytest.mark.parametrize("d", [1, 2, 3])
@pytest.mark.parametrize("model", ["full", "diag"])
def test_statistics_give_the_gradient_of_the_likelihood(kind: str, d: int, model: str) -> None:
    """Fisher's identity: true of the exact E-step alone."""
    problem = problem_of(d, kind, model, n=60)
    here = mixture(d, 2, 1, family(d, kind, model))
    state = State(here, problem.e_step(here))
    rng, theta = np.random.default_rng(0), here.pack()
    for _ in range(3):
        direction = rng.normal(size=theta.size)
        h = 1e-4
        ends = [float(problem.e_step(here.unpack(theta + s * h * direction)).objective) for s in (1, -1)]
        assert slope(problem, state, direction) == pytest.approx((ends[0] - ends[1]) / (2 * h), rel=1e-5, abs=1e-5)


def test_one_component_is_scipys_fit_of_censored_data() -> None:
    x = recorded(np.random.default_rng(1).normal(0.6, 1.2, (1, 800)), **CENSORED)
    where = family(1, "censored")
    start = Mixture(np.ones(1), Gaussian(np.zeros((1, 1)), np.ones((1, 1, 1))), where)
    found = fit(algorithm("em"), Problem(Rows(x, np.ones(800)), where), start, Stop(1e-13, 1000), None)  # type: ignore[arg-type]
    low, high = (x[0] <= -1.0), (x[0] >= 1.5)
    data = stats.CensoredData(x[0][~(low | high)], left=x[0][low], right=x[0][high])
    mean, sd = stats.norm.fit(data)
    parts = found.mixture.components
    # scipy's simplex is the less exact of the two.
    assert parts.means[0, 0] == pytest.approx(mean, abs=1e-4)
    assert np.sqrt(parts.covariances[0, 0, 0]) == pytest.approx(sd, abs=1e-4)


@pytest.mark.parametrize("d", [1, 2, 3])
@pytest.mark.parametrize("kind", ["censored", "truncated"])
def test_known_parameters_come_back(kind: str, d: int) -> None:
    """Of a Gaussian of which much is cut off; a plain fit is far off."""
    where, rng = family(d, kind), np.random.default_rng(d)
    matrix = 0.8 * np.eye(d) + 0.4
    truth = Mixture(np.ones(1), Gaussian(np.full((1, d), 0.7), matrix[None]), where)
    x = recorded(drawn(truth, 20_000, rng), **KINDS[kind])
    problem = Problem(Rows(x, np.ones(x.shape[1])), where)
    start = Mixture(np.ones(1), Gaussian(x.mean(1)[None], np.cov(x).reshape(1, d, d)), where)
    found = fit(algorithm("anderson"), problem, start, Stop(1e-9, 500), rng).mixture.components
    np.testing.assert_allclose(found.means[0], 0.7, atol=0.06)
    np.testing.assert_allclose(found.covariances[0], matrix, atol=0.1)
    assert (np.cov(x).reshape(d, d).diagonal() < 0.7 * matrix.diagonal()).all()


@every_kind
def test_the_bound_by_its_definition(kind: str) -> None:
    problem, where = problem_of(1, kind, n=80), family(1, kind)
    here = mixture(1, 2, 1, where)
    parts, x = here.components, problem.samples.x[0]
    densities = [log_density(x, parts.means[k, 0], np.sqrt(parts.covariances[k, 0, 0]), kind) for k in range(2)]
    joint = np.log(here.weights)[:, None] + np.stack(densities)
    np.testing.assert_allclose(here.log_joint(problem.samples.x), joint, atol=1e-12)
    r = np.exp(joint - logsumexp(joint, axis=0))
    found = problem.e_step(here)
    assert float(found.log_likelihood) == pytest.approx(logsumexp(joint, axis=0).sum(), rel=1e-12)
    assert float(found.elbo) == pytest.approx((r * (joint - np.log(r))).sum(), rel=1e-12)
    np.testing.assert_allclose(found.stats.n, r.sum(1), rtol=1e-12)


def test_units_change_densities_and_not_probabilities() -> None:
    """ℓ in other units differs by log-scale once for each value that is no bound; labels do not differ."""
    problem, where = problem_of(2, "both"), family(2, "both")
    here = mixture(2, 2, 5, where)
    shift, scale = np.array([3.0, -1.0]), np.array([50.0, 0.1])
    there, x = here.affine(shift, scale), shift[:, None] + scale[:, None] * problem.samples.x
    free = ((problem.samples.x > -1.0) & (problem.samples.x < 1.5)).sum(1)
    one, other = (logsumexp(m.log_joint(y), axis=0).sum() for m, y in ((here, problem.samples.x), (there, x)))
    whole = problem.samples.n_rows * np.log(scale).sum()
    # A problem in standard units adds the whole log-jacobian; the family takes back what bounds have none of.
    assert other == pytest.approx(one - whole, rel=1e-10)
    censored, truncated = (
        [shift + scale * limit for limit in ends] for ends in (([-1.0] * 2, [1.5] * 2), ([-1.5] * 2, [2.5] * 2))
    )
    bare = CensoredGaussianFamily(where.covariance, SensorLimits(*censored, *truncated, np.zeros(2)))
    plain = Mixture(there.weights, there.components, bare)
    assert logsumexp(plain.log_joint(x), axis=0).sum() == pytest.approx(one - free @ np.log(scale), rel=1e-10)
    np.testing.assert_array_equal(here.log_joint(problem.samples.x).argmax(0), there.log_joint(x).argmax(0))


@pytest.mark.parametrize("variant", [name for name in ALGORITHMS if name != "vb"])
@every_kind
@settings(max_examples=2, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 2), st.integers(1, 3))
def test_every_algorithm_goes_with_bounds(kind: str, variant: str, seed: int, d: int, k: int) -> None:
    problem = problem_of(d, kind, n=80, floor=1e-4, seed=seed)
    start, climbs = mixture(d, k, seed + 1, family(d, kind)), algorithm(variant)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            found = fit(climbs, problem, start, Stop(0, 8), np.random.default_rng(0))
        except UsageError as error:
            assert "family=" in str(error)  # noqa: PT017  an algorithm that is for another family, bounds or none
            pytest.skip(str(error))
    assert_bound(found.trace)
    rounding = float(problem.e_step(found.mixture).rounding)
    risen = found.trace[-1].objective >= found.trace[0].objective - rounding
    assert climbs.monotone is False or risen or variant == "daem"


@every_kind
def test_variational_bayes_says_that_it_knows_no_bounds(kind: str) -> None:
    start = mixture(1, 2, 0, family(1, kind))
    with pytest.raises(UsageError, match="algorithm='vb': does not go with limits of values; leave out censored"):
        fit(algorithm("vb"), problem_of(1, kind), start, Stop(), np.random.default_rng(0))


@pytest.mark.parametrize("variant", ["ecm", "gem", "ecme", "sage", "squarem", "incremental"])
@pytest.mark.parametrize("kind", ["censored", "truncated"])
def test_climbers_end_at_one_optimum(kind: str, variant: str) -> None:
    where, rng = family(2, kind), np.random.default_rng(3)
    matrices = np.array([[[0.3, 0.1], [0.1, 0.3]], [[0.4, -0.2], [-0.2, 0.5]]])
    truth = Mixture(np.array([0.4, 0.6]), Gaussian(np.array([[-0.8, 0.2], [1.2, 0.7]]), matrices), where)
    x = recorded(drawn(truth, 300, rng), **KINDS[kind])
    problem = Problem(Rows(x, np.ones(x.shape[1])), where)
    expected, found = (fit(algorithm(name), problem, truth, Stop(1e-11, 400), rng) for name in ("anderson", variant))
    assert found.trace[-1].log_likelihood == pytest.approx(expected.trace[-1].log_likelihood, rel=1e-7)


def test_missing_values_go_with_censored_ones_and_not_with_truncated_ones() -> None:
    """A censored value beside a missing one is the censored problem of one dimension."""
    where = family(2, "censored")
    here = mixture(2, 2, 2, where)
    x = np.array([[-1.0, 0.3, 1.5, np.nan], [np.nan, np.nan, 1.5, 0.2]])
    found = Problem(Rows(x, np.ones(4)), where).e_step(here)
    line = here.marginal(np.array([0]))
    expected = logsumexp(line.log_joint(x[:1, :2]), axis=0).sum()
    expected += logsumexp(here.log_joint(x[:, [2]]), axis=0)[0]
    expected += logsumexp(here.marginal(np.array([1])).log_joint(x[1:, [3]]), axis=0)[0]
    assert float(found.log_likelihood) == pytest.approx(expected, rel=1e-12)
    state, theta = State(here, found), here.pack()
    direction = np.random.default_rng(0).normal(size=theta.size)
    problem = Problem(Rows(x, np.ones(4)), where)
    ends = [float(problem.e_step(here.unpack(theta + s * 1e-4 * direction)).objective) for s in (1, -1)]
    assert slope(problem, state, direction) == pytest.approx((ends[0] - ends[1]) / 2e-4, rel=1e-5)
    with pytest.raises(UsageError, match="truncated: does not go with unknown values; use missing='drop'"):
        Problem(Rows(x, np.ones(4)), family(2, "truncated")).e_step(mixture(2, 2, 2, family(2, "truncated")))


def test_a_stack_is_judged_nearly_as_its_members() -> None:
    where, problem = family(3, "both"), problem_of(3, "both")
    members = [mixture(3, 2, seed, where) for seed in range(3)]
    stack = Mixture(
        np.stack([m.weights for m in members]),
        Gaussian(*(np.stack([getattr(m.components, name) for m in members]) for name in ("means", "covariances"))),
        where,
    )
    together = problem.e_step(stack)
    for i, member in enumerate(members):
        alone = problem.e_step(member)
        assert together.log_likelihood[i] == pytest.approx(float(alone.log_likelihood), abs=0.02 * problem.n)
        np.testing.assert_allclose(together.stats.n[i], alone.stats.n, atol=0.05 * problem.n)


@settings(max_examples=30, deadline=None)
@given(st.floats(-300, 300), st.floats(-3, 3))
def test_a_box_at_most_doubles_the_variance_of_the_statistic(low: float, log_width: float) -> None:
    """Largest eigenvalue of Cov(x, x² | box) relative to Cov(x, x²) = diag(1, 2), by quadrature."""
    high, points = low + 10.0**log_width, np.polynomial.legendre.leggauss(300)
    near = float(np.clip(0, low, high))
    reach = 40 / max(1.0, abs(near)) if near else 9.0
    ends = max(low, near - reach), min(high, near + reach)
    x = (ends[0] + ends[1]) / 2 + (ends[1] - ends[0]) / 2 * points[0]
    p = points[1] * np.exp(-(x - near) * (x + near) / 2)
    apart = np.stack([x, x**2]) - (np.stack([x, x**2]) @ (p / p.sum()))[:, None]
    inside = apart * (p / p.sum()) @ apart.T
    assert np.linalg.eigvalsh(inside / np.sqrt(np.outer([1, 2], [1, 2])))[-1] <= 2 + 1e-6


def test_a_component_outside_of_what_is_recorded_comes_back() -> None:
    """Its share inside is 1e-15 at first; ℓ never falls on the way, and the end is that of a good start."""
    where, rng = family(1, "truncated"), np.random.default_rng(2)
    x = recorded(rng.normal(0.3, 0.8, (1, 600)), **TRUNCATED)
    problem = Problem(Rows(x, np.ones(x.shape[1])), where)
    ends = []
    for mean in (8.0, 0.0):
        start = Mixture(np.ones(1), Gaussian(np.array([[mean]]), np.array([[[0.5]]])), where)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            ends.append(fit(algorithm("em"), problem, start, Stop(1e-10, 3000), rng))
    assert ends[0].trace[-1].log_likelihood == pytest.approx(ends[1].trace[-1].log_likelihood, rel=1e-7)


def test_far_away_components_neither_fail_nor_count() -> None:
    """A component a thousand standard deviations beyond what is recorded, and one that is a point."""
    for kind in KINDS:
        where = family(2, kind)
        parts = Gaussian(
            np.array([[0.0, 0.0], [1e3, -1e3], [0.5, 0.5]]), np.stack([np.eye(2), np.eye(2), 1e-10 * np.eye(2)])
        )
        problem = problem_of(2, kind)
        found = problem.e_step(Mixture(np.array([0.4, 0.3, 0.3]), parts, where))
        assert np.isfinite(found.log_likelihood)
        assert np.isfinite(found.stats.t).all()
        moved = problem.m_step(found.stats)
        assert np.isfinite(moved.components.means).all()
