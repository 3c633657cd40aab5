"""What every member of the EM family must keep, over the whole registry and every family.

A new algorithm is covered by being registered. What is asked of it follows from what it says of itself: `monotone` ones
climb, the others are random and must stay finite and honest. Those that need another family are skipped, as they say.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field, fields, replace
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.special import logsumexp

from emseg.em.algorithm import Algorithm, Info, State
from emseg.em.convergence import Stop
from emseg.em.expectation import Expectation
from emseg.em.fit import Fit, MonotonicityWarning, Row, fit
from emseg.em.problem import Problem
from emseg.em.registry import ALGORITHMS, algorithm
from emseg.em.variants.em import EM
from emseg.errors import UsageError
from emseg.mixture.families.gamma import GammaFamily
from emseg.mixture.families.gaussian import GAUSSIANS, Gaussian
from emseg.mixture.families.poisson import PoissonFamily
from emseg.mixture.families.student import Student, StudentFamily
from emseg.mixture.families.von_mises import VonMisesFamily
from emseg.mixture.family import Family
from emseg.mixture.mixture import Mixture
from emseg.mixture.samples import Rows
from tests.rounding import assert_bound

pytestmark = pytest.mark.long

FLOOR = 1e-6
MONOTONE = [name for name in ALGORITHMS if algorithm(name).monotone]
RANDOM = [name for name in ALGORITHMS if name not in MONOTONE]
# These climb something else than the likelihood and the floor's penalty.
LIKELIEST = [name for name in MONOTONE if name not in {"map", "vb", "cem"}]
# The path of these depends on how the rows fall into blocks.
WHOLE = [name for name in MONOTONE if name != "incremental"]
every_variant = pytest.mark.parametrize("variant", ALGORITHMS)
every_monotone = pytest.mark.parametrize("variant", MONOTONE)
every_random = pytest.mark.parametrize("variant", RANDOM)
every_likeliest = pytest.mark.parametrize("variant", LIKELIEST)
every_whole = pytest.mark.parametrize("variant", WHOLE)
FAMILIES: dict[str, Family] = {
    **GAUSSIANS,
    "poisson": PoissonFamily(),
    "gamma": GammaFamily(),
    "von-mises": VonMisesFamily(),
    "student": StudentFamily(GAUSSIANS["full"]),
    "student-EEE-common": StudentFamily(GAUSSIANS["EEE"], "common"),
}
HOLES = ", with holes"  # a third of the values missing
FAMILIES |= {model + HOLES: FAMILIES[model] for model in ("full", "poisson")}
every_model = pytest.mark.parametrize("model", FAMILIES)


def is_gaussian(model: str) -> bool:
    return FAMILIES[model].name == "gaussian"


@dataclass(frozen=True)
class Counting(Problem):
    """A problem that knows how many rows were looked at, by itself or by parts made from it."""

    seen: list[int] = field(default_factory=list)

    def e_step(self, *arguments: Any) -> Expectation:
        self.seen.append(self.samples.n_rows)
        return super().e_step(*arguments)


def cloud(seed: int, n: int, d: int, k: int, apart: float) -> np.ndarray:
    """Samples (D, N) of k clusters whose centres lie about `apart` standard deviations from each other."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(k, d)) * apart
    return np.ascontiguousarray((centres[rng.integers(k, size=n)] + rng.normal(size=(n, d))).T)


def of_family(model: str, x: np.ndarray) -> np.ndarray:
    """Gaussian samples made into some that the family has a density at."""
    name = FAMILIES[model].name
    if name in ("poisson", "gamma"):
        positive = 5 * np.exp(x / 4)
        return np.floor(positive) if name == "poisson" else positive
    if name == "student":  # noise of two degrees of freedom, drawn by the digits: equal rows stay equal
        u = np.clip(1e3 * np.abs(x) % 1, 1e-3, 1 - 1e-3)
        return np.asarray(x + (u - 0.5) / np.sqrt(2 * u * (1 - u)))
    return np.array(x / 4 % (2 * np.pi)) if name == "von-mises" else x


def observed(model: str, x: np.ndarray) -> np.ndarray:
    """Samples of the family; with holes, where the digits of the Gaussian samples say so: equal rows stay equal."""
    values = of_family(model, x)
    if not model.endswith(HOLES):
        return values
    holes = 1e3 * np.abs(x) % 1 < 1 / 3
    return np.where(holes & ~holes.all(0), np.nan, values)  # no row without any value, so that there are N


def log_densities(mixture: Mixture, x: np.ndarray) -> np.ndarray:
    """log f_k(x) by scipy, (K, N)."""
    holes = np.isnan(x)
    if holes.any():  # a column at a time, of what is seen there
        seen = [np.flatnonzero(~hole) for hole in holes.T]
        each = [log_densities(mixture.marginal(o), x[o, i, None]) for i, o in enumerate(seen)]
        return np.concatenate(each, axis=1)
    parts, name = mixture.components, mixture.family.name
    if name == "gaussian":
        pairs = zip(parts.means, parts.covariances, strict=True)
        return np.stack([stats.multivariate_normal(mean, matrix).logpdf(x.T).reshape(-1) for mean, matrix in pairs])
    if name == "student":
        each_k = zip(parts.means, parts.scales, parts.dof, strict=True)
        return np.stack(
            [stats.multivariate_t(mean, scale, df=nu).logpdf(x.T).reshape(-1) for mean, scale, nu in each_k]
        )
    means, samples = parts.means[..., None], x[None]
    each = {
        "poisson": lambda: stats.poisson.logpmf(samples, means),
        "gamma": lambda: stats.gamma.logpdf(samples, (a := parts.shapes[..., None]), scale=means / a),
        "von-mises": lambda: stats.vonmises.logpdf(samples, parts.concentrations[..., None], loc=means),
    }[name]()
    return np.asarray(each.sum(1))


def pose(x: np.ndarray, model: str, weight: np.ndarray | None = None, floor: float = FLOOR) -> Problem:
    count = np.ones(x.shape[1]) if weight is None else weight.astype(float)
    return Counting(Rows(np.ascontiguousarray(observed(model, x)), count), FAMILIES[model], floor)


def start_at(x: np.ndarray, model: str, k: int) -> Mixture:
    """Equal weights, broad components, means at k samples spread over the data."""
    d, n = x.shape
    means = of_family(model, x)[:, np.linspace(0, n - 1, k).astype(int)].T
    broad, family = np.stack([np.eye(d) * x.var()] * k), FAMILIES[model]
    if isinstance(family, StudentFamily):
        start = family.constrained(np.full(k, 1 / k), Student(means, broad, np.full(k, 8.0)))
        return Mixture(np.full(k, 1 / k), start, family)
    if not is_gaussian(model):
        ones, name = np.ones_like(means), FAMILIES[model].name
        rates = means + 0.5 + 0.1 * np.arange(k)[:, None]  # all different, or hard labels were a matter of rounding
        parts = {"poisson": (rates,), "gamma": (means, 2 * ones), "von-mises": (means, ones)}[name]
        return Mixture(np.full(k, 1 / k), FAMILIES[model].kind(*parts), FAMILIES[model])
    return Mixture(np.full(k, 1 / k), Gaussian(means, broad), family)


A_DOZEN = Stop(tol=0, max_iter=12)


def run(variant: str, problem: Problem, start: Mixture, stop: Stop = A_DOZEN) -> Fit:
    try:
        return fit(algorithm(variant), problem, start, stop, np.random.default_rng(0))
    except UsageError as error:
        pytest.skip(str(error))


def assert_same(found: Mixture, expected: Mixture, tolerance: float) -> None:
    np.testing.assert_allclose(found.weights, expected.weights, rtol=tolerance, atol=tolerance)
    for part in expected.family.kind.parts():
        ours, theirs = getattr(found.components, part), getattr(expected.components, part)
        np.testing.assert_allclose(ours, theirs, rtol=tolerance, atol=tolerance)


NUDGE = 10.0  # times the rounding that an E-step reports: then the largest of three draws exceeds rounding's own effect


@dataclass(frozen=True, eq=False)
class Nudged(Problem):
    """A problem whose sample weights are a little off, otherwise at every E-step, as rounding is.

    Weights that are off in one way for a whole fit do not stand for rounding: the fit follows the other problem's path,
    and errors that do not repeat, which conjugate gradients multiply by thousands, are not seen.
    """

    rng: np.random.Generator = field(default_factory=np.random.default_rng)

    def e_step(self, *arguments: Any) -> Expectation:
        rows, rounding = self.rows, super().e_step(*arguments).rounding / self.n  # in nats per sample
        nudge = 1 + NUDGE * rounding * self.rng.uniform(-1, 1, rows.n_rows)
        return Problem.e_step(replace(self, samples=replace(rows, weight=rows.weight * nudge)), *arguments)


def nudged(problem: Problem, seed: int) -> Nudged:
    """The problem, with weights drawn from that seed."""
    values = {each.name: getattr(problem, each.name) for each in fields(Problem) if each.init}
    return Nudged(**values, rng=np.random.default_rng(seed))


def moved(one: Mixture, other: Mixture) -> float:
    """Largest difference of parameters, relative where these are large."""
    pairs = [(one.weights, other.weights)]
    pairs += [(getattr(one.components, part), getattr(other.components, part)) for part in one.family.kind.parts()]
    return max(float(np.max(np.abs(a - b) / (1 + np.abs(b)))) for a, b in pairs)


def assert_as_near(variant: str, problem: Problem, start: Mixture, found: Mixture, other: Mixture) -> None:
    """`found` is the fit of a problem from a start, and `other` that of the same problem put another way.

    Accelerators multiply rounding by the inverse of 1 - λ at every jump. By how much, nobody knows beforehand: so where
    two fits differ by more than a millionth, they may differ by what nudged weights of the samples lead to.
    """
    apart = moved(other, found)
    if apart <= 1e-6:
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MonotonicityWarning)  # the objective of other weights may well be lower
        ways = [moved(run(variant, nudged(problem, seed), start).mixture, found) for seed in range(3)]
    assert apart <= max(ways)


@dataclass
class Noted:
    """An algorithm whose log rows can be looked at as it wrote them, and the rounding that its E-steps report."""

    inner: Algorithm
    rows: list[Info] = field(default_factory=list)
    rounding: list[float] = field(default_factory=list)

    @property
    def monotone(self) -> bool:
        return self.inner.monotone

    def init(self, problem: Problem, start: Mixture, rng: np.random.Generator) -> tuple[State, Info]:
        return self._noted(*self.inner.init(problem, start, rng))

    def step(self, problem: Problem, state: State, rng: np.random.Generator) -> tuple[State, Info]:
        return self._noted(*self.inner.step(problem, state, rng))

    def _noted(self, state: State, info: Info) -> tuple[State, Info]:
        self.rows.append(info)
        self.rounding.append(float(state.expectation.rounding))
        return state, info


shapes = given(
    st.integers(0, 10**6), st.integers(1, 4), st.integers(1, 4), st.integers(12, 80), st.sampled_from([0.0, 1, 4])
)


@every_monotone
@every_model
@settings(max_examples=12)
@shapes
@example(1024, 4, 3, 43, 4.0)  # ends with a variance of 2e-5 beside one of 5
@example(100, 4, 3, 43, 4.0)
def test_the_objective_never_falls_and_the_bound_holds(
    model: str, variant: str, seed: int, d: int, k: int, n: int, apart: float
) -> None:
    x = cloud(seed, n, min(d, 2) if model.endswith(HOLES) else d, k, apart)
    problem = pose(x, model)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        noted = Noted(algorithm(variant))
        try:
            found = fit(noted, problem, start_at(x, model, k), Stop(0, 25), np.random.default_rng(0))
        except UsageError as error:
            pytest.skip(str(error))
    steps = zip(found.trace, found.trace[1:], noted.rows[1:], noted.rounding[1:], strict=False)
    for last, row, info, rounding in steps:
        assert row.objective >= last.objective - rounding or not info.comparable
        assert row.delta == row.objective - last.objective
    assert_bound(found.trace)
    for row, info in zip(found.trace[1:], noted.rows[1:], strict=False):
        if variant in LIKELIEST and info.comparable and row.kl == 0:
            assert row.objective <= row.log_likelihood or not is_gaussian(model)  # the penalty only takes


@every_random
@every_model
@settings(max_examples=12)
@shapes
def test_what_is_random_stays_finite_and_below_the_likelihood(
    model: str, variant: str, seed: int, d: int, k: int, n: int, apart: float
) -> None:
    x = cloud(seed, n, d, k, apart)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = run(variant, pose(x, model), start_at(x, model, k), Stop(0, 25))
    assert_bound(found.trace)
    assert np.isfinite(found.mixture.pack()).all()
    assert found.mixture.weights.sum() == pytest.approx(1)


@every_variant
def test_the_same_seed_gives_the_same_bits(variant: str) -> None:
    x = cloud(4, 150, 2, 3, 2.0)
    first, second = (run(variant, pose(x, "full"), start_at(x, "full", 3)) for _ in range(2))
    assert first.mixture.pack().tobytes() == second.mixture.pack().tobytes()
    assert [replace(row, seconds=0.0) for row in first.trace] == [replace(row, seconds=0.0) for row in second.trace]


@pytest.mark.parametrize("variant", [name for name in ALGORITHMS if name != "vb"])  # its ℓ is that of the model
@every_model
def test_log_rows_hold_the_likelihood_and_its_bound(variant: str, model: str) -> None:
    """ℓ by scipy; after an exact E-step also the ELBO Σ r (log π f - log r) by its definition, and the penalty."""
    x = cloud(1, 150, 3, 3, 2.0)
    problem = pose(x, model)
    found = run(variant, problem, start_at(x, model, 3), Stop(0, 4))
    parts = found.mixture.components
    joint = np.log(found.mixture.weights)[:, None] + log_densities(found.mixture, problem.samples.x)
    assert found.trace[-1].log_likelihood == pytest.approx(logsumexp(joint, axis=0).sum(), rel=1e-10)
    if found.trace[-1].kl > 0:
        return
    r = np.exp(joint - logsumexp(joint, axis=0))
    assert found.trace[-1].elbo == pytest.approx((r * (joint - np.log(r))).sum(), rel=1e-10)
    if variant not in LIKELIEST:
        return
    if not is_gaussian(model):
        assert (found.trace[-1].objective == found.trace[-1].log_likelihood) is (FAMILIES[model].name == "poisson")
        return
    distinct = parts.covariances[:1] if FAMILIES[model].covariance.tied else parts.covariances
    penalty = -0.5 * FLOOR * x.shape[1] * sum(np.trace(np.linalg.inv(sigma)) for sigma in distinct)
    assert found.trace[-1].objective - found.trace[-1].log_likelihood == pytest.approx(penalty, rel=1e-6)


@every_whole
@every_model
@settings(max_examples=5)
@given(st.integers(0, 10**6))
def test_counts_are_repeated_rows(model: str, variant: str, seed: int) -> None:
    x = cloud(seed, 40, 2, 2, 3.0)
    count = np.random.default_rng(seed).integers(1, 5, 40)
    start = start_at(x, model, 2)
    problem, whole = pose(x, model, count), pose(np.repeat(x, count, axis=1), model)
    counted, repeated = (run(variant, posed, start).mixture for posed in (problem, whole))
    assert_as_near(variant, problem, start, counted, repeated)
    one, other = (posed.e_step(counted) for posed in (problem, whole))
    assert abs(one.objective - other.objective) <= one.rounding


@every_whole
@every_model
@settings(max_examples=5)
@given(st.integers(0, 10**6))
def test_neither_the_order_of_rows_nor_that_of_components_matters(model: str, variant: str, seed: int) -> None:
    x = cloud(seed, 60, 2, 3, 3.0)
    rng = np.random.default_rng(seed)
    start, order = start_at(x, model, 3), rng.permutation(3)
    problem = pose(x, model)
    found = run(variant, problem, start).mixture
    shuffled = run(variant, pose(x[:, rng.permutation(60)], model), start).mixture
    permuted = run(variant, pose(x, model), start.permuted(order)).mixture
    assert_as_near(variant, problem, start, found, shuffled)
    assert_as_near(variant, problem, start, found, permuted.permuted(np.argsort(order)))


@every_likeliest
@every_model
def test_all_likelihood_climbers_end_at_one_optimum(variant: str, model: str) -> None:
    x = cloud(5, 300, 2, 3, 4.0)
    expected, found = (run(name, pose(x, model), start_at(x, model, 3), Stop(1e-12, 5000)) for name in ("em", variant))
    assert found.status.value.startswith("converged")
    assert found.trace[-1].objective == pytest.approx(expected.trace[-1].objective, rel=1e-9)
    ours, theirs = found.mixture, expected.mixture
    assert_same(ours.permuted(ours.canonical_order()), theirs.permuted(theirs.canonical_order()), 1e-4)


@every_variant
def test_every_e_step_is_counted(variant: str) -> None:
    """Rejected ones too: the data crawl, so that accelerators overshoot now and then. Parts count as parts."""
    x = cloud(2, 200, 2, 1, 1.0)
    problem = pose(x, "full")
    rows: list[Row] = []
    passes: list[float] = []

    def note(row: Row) -> None:
        rows.append(row)
        passes.append(sum(problem.seen) / 200)  # type: ignore[attr-defined]

    try:
        start, rng = start_at(x, "full", 3), np.random.default_rng(0)
        found = fit(algorithm(variant), problem, start, Stop(0, 60), rng, note)
    except UsageError as error:
        pytest.skip(str(error))
    for row, seen in zip(rows, passes, strict=True):
        assert 0.9 * row.e_steps <= seen <= row.e_steps
    assert tuple(rows) == found.trace
    assert rows[0].e_steps == 1
    assert all(a.seconds <= b.seconds for a, b in pairwise(rows))


@every_likeliest
def test_one_component_is_the_weighted_mean_and_covariance(variant: str) -> None:
    rng = np.random.default_rng(3)
    x, count = rng.normal(size=(3, 50)), rng.integers(1, 4, 50)
    for model, keep in [("full", np.ones((3, 3))), ("tied", np.ones((3, 3))), ("diag", np.eye(3))]:
        found = run(variant, pose(x, model, count, 0.01), start_at(x, model, 1), Stop(1e-9, 50)).mixture
        np.testing.assert_allclose(found.weights, [1])
        np.testing.assert_allclose(found.components.means[0], np.average(x, axis=1, weights=count), atol=1e-9)
        expected = np.cov(x, fweights=count, bias=True) * keep + 0.01 * np.eye(3)
        np.testing.assert_allclose(found.components.covariances[0], expected, atol=1e-9)
    found = run(variant, pose(x, "spherical", count, 0.01), start_at(x, "spherical", 1), Stop(1e-9, 50)).mixture
    ball = np.trace(np.cov(x, fweights=count, bias=True)) / 3 + 0.01
    np.testing.assert_allclose(found.components.covariances[0], ball * np.eye(3), atol=1e-9)


@lru_cache
def settled(model: str) -> Mixture:
    """Where EM for one component hardly moves, though it would for thousands of steps."""
    x = cloud(8, 80, 2, 1, 1.0)
    problem = pose(x, model)
    best = run("anderson", problem, start_at(x, model, 1), Stop(0, 300)).mixture
    for _ in range(1500):
        best = EM().update(problem, EM().evaluate(problem, best))
    return best


@every_likeliest
@every_model
def test_a_start_at_the_optimum_stays_there(variant: str, model: str) -> None:
    """Differences of the iterates vanish to the bit there: nothing may be divided by them."""
    x = cloud(8, 80, 2, 1, 1.0)
    problem = pose(x, model)
    best = run("em", problem, start_at(x, model, 1), Stop(0, 300)).mixture
    if FAMILIES[model].name == "student":  # EM crawls there too
        best = settled(model)
    found = run(variant, problem, best, Stop(0, 30))
    assert found.status.name == "STALLED"
    assert_same(found.mixture, best, 1e-6 if model.endswith(HOLES) else 1e-9)  # where EM crawls, the objective is flat


class Falling:
    """Moves one mean away from the data at every step."""

    monotone = True

    def init(self, problem: Problem, start: Mixture, rng: np.random.Generator) -> tuple[State, Info]:
        return EM().init(problem, start, rng)

    def step(self, problem: Problem, state: State, rng: np.random.Generator) -> tuple[State, Info]:
        parts = state.mixture.components
        return self.init(problem, replace(state.mixture, components=replace(parts, means=parts.means + 1.0)), rng)


def test_a_falling_objective_is_reported() -> None:
    x = cloud(1, 50, 2, 2, 3.0)
    falling: Algorithm = Falling()
    with pytest.warns(MonotonicityWarning, match=r"fell by .* at iteration 1; please report"):
        found = fit(falling, pose(x, "full"), start_at(x, "full", 2), Stop(0, 1), np.random.default_rng(0))
    assert found.trace[1].delta < 0
    falling.monotone = False
    fit(falling, pose(x, "full"), start_at(x, "full", 2), Stop(0, 1), np.random.default_rng(0))


def test_an_unknown_algorithm_is_a_usage_error_that_lists_the_others() -> None:
    with pytest.raises(UsageError, match="unknown algorithm 'emm': choose one of em, "):
        algorithm("emm")
