"""What every member of the EM family must keep, over the whole registry and every covariance model."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.special import logsumexp
from scipy.stats import multivariate_normal

from emseg.em.base import Algorithm, Info, State
from emseg.em.convergence import Stop
from emseg.em.em import EM
from emseg.em.fit import Fit, MonotonicityWarning, Row, fit
from emseg.em.problem import Expectation, Problem
from emseg.em.registry import ALGORITHMS, algorithm
from emseg.errors import UsageError
from emseg.mixture.covariance import COVARIANCES
from emseg.mixture.gaussian import Gaussian
from emseg.mixture.mixture import Mixture
from emseg.mixture.samples import Rows

FLOOR = 1e-6
every_variant = pytest.mark.parametrize("variant", ALGORITHMS)
every_model = pytest.mark.parametrize("model", COVARIANCES)


@dataclass(frozen=True)
class Counting(Problem):
    """A problem that knows how often it was asked."""

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "asked", [])

    def e_step(self, mixture: Mixture) -> Expectation:
        self.asked.append(mixture)  # type: ignore[attr-defined]
        return super().e_step(mixture)


def cloud(seed: int, n: int, d: int, k: int, apart: float) -> np.ndarray:
    """Samples (D, N) of k clusters whose centres lie about `apart` standard deviations from each other."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(k, d)) * apart
    return np.ascontiguousarray((centres[rng.integers(k, size=n)] + rng.normal(size=(n, d))).T)


def pose(x: np.ndarray, model: str, weight: np.ndarray | None = None, floor: float = FLOOR) -> Problem:
    shared = COVARIANCES[model]
    count = np.ones(x.shape[1]) if weight is None else weight.astype(float)
    return Counting(Rows(np.ascontiguousarray(x), count, shared.needs_products), shared, floor)


def start_at(x: np.ndarray, model: str, k: int) -> Mixture:
    """Equal weights, broad balls, means at k samples spread over the data."""
    d, n = x.shape
    means = x[:, np.linspace(0, n - 1, k).astype(int)].T
    return Mixture(np.full(k, 1 / k), Gaussian(means, np.stack([np.eye(d) * x.var()] * k)), COVARIANCES[model])


A_DOZEN = Stop(tol=0, max_iter=12)


def run(variant: str, problem: Problem, start: Mixture, stop: Stop = A_DOZEN) -> Fit:
    return fit(algorithm(variant), problem, start, stop, np.random.default_rng(0))


def assert_same(found: Mixture, expected: Mixture, tolerance: float) -> None:
    np.testing.assert_allclose(found.weights, expected.weights, rtol=tolerance, atol=tolerance)
    np.testing.assert_allclose(found.components.means, expected.components.means, rtol=tolerance, atol=tolerance)
    ours, theirs = found.components.covariances, expected.components.covariances
    np.testing.assert_allclose(ours, theirs, rtol=tolerance, atol=tolerance)


@every_variant
@every_model
@settings(max_examples=12)
@given(st.integers(0, 10**6), st.integers(1, 4), st.integers(1, 4), st.integers(12, 80), st.sampled_from([0.0, 1, 4]))
@example(1024, 4, 3, 43, 4.0)  # ends with a variance of 2e-5 beside one of 5
@example(100, 4, 3, 43, 4.0)
def test_the_objective_never_falls_and_the_bound_holds(
    model: str, variant: str, seed: int, d: int, k: int, n: int, apart: float
) -> None:
    x = cloud(seed, n, d, k, apart)
    problem = pose(x, model)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        trace = run(variant, problem, start_at(x, model, k), Stop(0, 25)).trace
    for last, row in pairwise(trace):
        assert row.objective >= last.objective - 1e-9 * (1 + abs(last.objective))
        assert row.delta == row.objective - last.objective
    for row in trace:
        assert row.kl >= 0
        assert row.log_likelihood == pytest.approx(row.elbo + row.kl, rel=1e-10)
        assert row.objective <= row.log_likelihood  # the penalty only takes


@every_variant
@every_model
def test_log_rows_hold_the_likelihood_and_its_bound(variant: str, model: str) -> None:
    """ℓ by scipy, and the ELBO Σ r (log π f - log r) by its definition."""
    x = cloud(1, 150, 3, 3, 2.0)
    problem = pose(x, model)
    found = run(variant, problem, start_at(x, model, 3), Stop(0, 4))
    parts = found.mixture.components
    joint = np.stack(
        [
            np.log(w) + multivariate_normal(mean, covariance).logpdf(x.T)
            for w, mean, covariance in zip(found.mixture.weights, parts.means, parts.covariances, strict=True)
        ]
    )
    r = np.exp(joint - logsumexp(joint, axis=0))
    assert found.trace[-1].log_likelihood == pytest.approx(logsumexp(joint, axis=0).sum(), rel=1e-10)
    assert found.trace[-1].elbo == pytest.approx((r * (joint - np.log(r))).sum(), rel=1e-10)
    distinct = parts.covariances[:1] if model == "tied" else parts.covariances
    penalty = -0.5 * FLOOR * x.shape[1] * sum(np.trace(np.linalg.inv(sigma)) for sigma in distinct)
    assert found.trace[-1].objective - found.trace[-1].log_likelihood == pytest.approx(penalty, rel=1e-6)


@every_variant
@every_model
@settings(max_examples=5)
@given(st.integers(0, 10**6))
def test_counts_are_repeated_rows(model: str, variant: str, seed: int) -> None:
    x = cloud(seed, 40, 2, 2, 3.0)
    count = np.random.default_rng(seed).integers(1, 5, 40)
    start = start_at(x, model, 2)
    counted = run(variant, pose(x, model, count), start)
    repeated = run(variant, pose(np.repeat(x, count, axis=1), model), start)
    assert counted.trace[-1].objective == pytest.approx(repeated.trace[-1].objective, rel=1e-9)
    assert_same(counted.mixture, repeated.mixture, 1e-6)


@every_variant
@every_model
@settings(max_examples=5)
@given(st.integers(0, 10**6))
def test_neither_the_order_of_rows_nor_that_of_components_matters(model: str, variant: str, seed: int) -> None:
    x = cloud(seed, 60, 2, 3, 3.0)
    rng = np.random.default_rng(seed)
    start, order = start_at(x, model, 3), rng.permutation(3)
    found = run(variant, pose(x, model), start)
    shuffled = run(variant, pose(x[:, rng.permutation(60)], model), start)
    permuted = run(variant, pose(x, model), start.permuted(order))
    assert_same(shuffled.mixture, found.mixture, 1e-6)
    assert_same(permuted.mixture, found.mixture.permuted(order), 1e-6)


@every_model
def test_all_variants_end_at_one_optimum(model: str) -> None:
    x = cloud(5, 300, 2, 3, 4.0)
    fits = {name: run(name, pose(x, model), start_at(x, model, 3), Stop(1e-12, 5000)) for name in ALGORITHMS}
    for found in fits.values():
        assert found.status.value.startswith("converged")
        assert found.trace[-1].objective == pytest.approx(fits["em"].trace[-1].objective, rel=1e-9)
        assert_same(found.mixture, fits["em"].mixture, 1e-4)


@every_variant
def test_every_e_step_is_counted(variant: str) -> None:
    """Rejected ones too: the data crawl, so that accelerators overshoot now and then."""
    x = cloud(2, 200, 2, 1, 1.0)
    problem = pose(x, "full")
    rows: list[Row] = []
    asked: list[int] = []

    def note(row: Row) -> None:
        rows.append(row)
        asked.append(len(problem.asked))  # type: ignore[attr-defined]

    found = fit(algorithm(variant), problem, start_at(x, "full", 3), Stop(0, 60), np.random.default_rng(0), note)
    assert [row.e_steps for row in rows] == asked
    assert tuple(rows) == found.trace
    assert rows[0].e_steps == 1
    assert all(a.seconds <= b.seconds for a, b in pairwise(rows))


@every_variant
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


@every_variant
@every_model
def test_a_start_at_the_optimum_stays_there(variant: str, model: str) -> None:
    """Differences of the iterates vanish to the bit there: nothing may be divided by them."""
    x = cloud(8, 80, 2, 1, 1.0)
    problem = pose(x, model)
    best = run("em", problem, start_at(x, model, 1), Stop(0, 10)).mixture
    found = run(variant, problem, best, Stop(0, 30))
    assert found.status.name == "STALLED"
    assert_same(found.mixture, best, 1e-9)


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
