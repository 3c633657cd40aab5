"""When a fit stops, and whether what it says then is true."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emseg.em.convergence import Status, Stop, remaining
from emseg.em.fit import Fit, fit
from emseg.em.problem import Problem
from emseg.em.registry import ALGORITHMS, algorithm
from emseg.errors import UsageError
from emseg.mixture.families.gaussian import GAUSSIANS, Gaussian
from emseg.mixture.mixture import Mixture
from emseg.mixture.samples import Rows

pytestmark = pytest.mark.long

every_variant = pytest.mark.parametrize("variant", ALGORITHMS)
MONOTONE = [name for name in ALGORITHMS if algorithm(name).monotone]
every_monotone = pytest.mark.parametrize("variant", MONOTONE)
# The others climb something else than the likelihood and the floor's penalty.
every_likeliest = pytest.mark.parametrize("variant", [name for name in MONOTONE if name not in {"map", "vb", "cem"}])


@given(st.floats(0.05, 0.999), st.floats(0.1, 1e4), st.integers(0, 20))
def test_the_distance_to_the_limit_is_exact_for_a_geometric_series(rate: float, first: float, skipped: int) -> None:
    values = [-first * rate ** (skipped + t) for t in range(5)]
    assert remaining(values) == pytest.approx(-values[-1], rel=1e-6)


def test_nothing_is_claimed_of_increments_that_do_not_shrink() -> None:
    assert remaining([0, 1, 2, 3]) == np.inf
    assert remaining([0, 1, 1.1, 2]) == np.inf
    assert remaining([0, 1, 2]) == np.inf
    assert remaining([0, 1, 1, 1]) == 0


def test_the_rule_names_what_fired() -> None:
    stop = Stop(tol=1e-3, max_iter=4)
    assert stop.status([0, 1], 1, 1e-9) is None
    assert stop.status([0, 1, 1, 1], 1, 1e-9) is Status.STALLED
    assert stop.status([0, 1, 1.01, 1.0101, 1.010101, 1.01010101], 1, 1e-9) is Status.CONVERGED
    assert stop.status([0, 1, 2, 3, 4], 1, 1e-9) is Status.MAX_ITER


def test_increments_below_the_bound_on_rounding_still_count_while_they_shrink() -> None:
    """The bound is far above the rounding of most sums: there a fit can still be on its way."""
    stop = Stop(tol=0)
    assert stop.status([0, 1, 1 + 5e-10, 1 + 8e-10], 1, 1e-9) is None
    assert stop.status([0, 1, 1 + 3e-10, 1 + 8e-10], 1, 1e-9) is Status.STALLED
    assert stop.status([0, 1, 1 + 5e-10, 1 + 4e-10], 1, 1e-9) is Status.STALLED
    assert stop.status([0, 1, 1 + 5e-9, 1 + 6e-9], 1, 1e-9) is None


def test_nothing_is_claimed_where_rounding_may_hide_that_increments_do_not_shrink() -> None:
    crawl = [0.0]
    for step in range(6):
        crawl.append(crawl[-1] + 3e-9 * 0.99**step)
    assert remaining(crawl) < 1e-6
    assert remaining(crawl, 1e-9) == np.inf
    assert Stop(tol=1e-6).status(crawl, 1, 1e-9) is None
    assert Stop(tol=1e-6).status(crawl, 1, 1e-12) is Status.CONVERGED


def slow(seed: int = 1, gap: float = 2.2, means: tuple[float, float] = (0.0, 1.0)) -> tuple[Problem, Mixture]:
    """Two components that overlap so much that EM takes hundreds of steps."""
    rng = np.random.default_rng(seed)
    x = np.concatenate([rng.normal(0, 1, 400), rng.normal(gap, 1, 300)])[None]
    model = GAUSSIANS["full"]
    start = Mixture(np.array([0.5, 0.5]), Gaussian(np.array(means)[:, None], np.ones((2, 1, 1))), model)
    return Problem(Rows(x, np.ones(700)), model), start


def run(variant: str, problem: Problem, start: Mixture, stop: Stop) -> Fit:
    try:
        return fit(algorithm(variant), problem, start, stop, np.random.default_rng(0))
    except UsageError as error:
        pytest.skip(str(error))


def limit_of(problem: Problem, mixture: Mixture) -> float:
    """The objective where plain EM ends, however long that takes: where no step gains more than rounding."""
    last, gain, rounding = -np.inf, np.inf, 0.0
    while gain > rounding:
        expectation = problem.e_step(mixture)
        last, gain = float(expectation.objective), float(expectation.objective) - last
        rounding = float(expectation.rounding)
        mixture = problem.m_step(expectation.stats)
    return last


@every_likeliest
@pytest.mark.parametrize("tol", [1e-4, 1e-5, 1e-6, 1e-8])
def test_converged_means_within_the_tolerance_of_the_limit(variant: str, tol: float) -> None:
    problem, start = slow()
    found = run(variant, problem, start, Stop(tol, 20_000))
    assert found.status in {Status.CONVERGED, Status.STALLED}
    assert limit_of(problem, start) - found.trace[-1].objective <= 2 * tol * problem.n


# On these, plain EM stops where it should. An accelerator's increments are irregular, and some that happen to be small
# look like the limit.
HARD = [(2, 1.8, (-0.5, 2.5)), (9, 2.2, (-0.5, 2.5)), (4, 1.8, (0, 1)), (6, 2.2, (0, 1))]


@pytest.mark.parametrize("case", HARD)
@every_likeliest
def test_nobody_stops_early(variant: str, case: tuple[int, float, tuple[float, float]]) -> None:
    """Annealing may merge two components. EM leaves such a saddle at a crawl, and must not call that the limit."""
    problem, start = slow(*case)
    found = run(variant, problem, start, Stop(1e-5, 8000))
    assert found.status in {Status.CONVERGED, Status.STALLED} or variant == "daem"
    if found.status is not Status.MAX_ITER:
        assert limit_of(problem, found.mixture) - found.trace[-1].objective <= 2e-5 * problem.n


def test_the_last_step_alone_would_have_stopped_far_too_early() -> None:
    """So the example is one on which the usual rule fails."""
    problem, start = slow()
    trace = run("em", problem, start, Stop(0, 400)).trace
    early = next(row for row in trace[1:] if row.delta < 1e-5 * problem.n)
    assert limit_of(problem, start) - early.objective > 10 * 1e-5 * problem.n


@every_variant
@pytest.mark.parametrize("most", [1, 2, 7])
def test_max_iter_is_kept_and_said(variant: str, most: int) -> None:
    found = run(variant, *slow(), Stop(0, most))
    assert found.status is Status.MAX_ITER
    assert len(found.trace) == most + 1
    assert found.status.value.startswith("not converged")


@every_likeliest
def test_a_fit_that_cannot_move_has_stalled(variant: str) -> None:
    x = np.random.default_rng(0).normal(size=(2, 100))
    model = GAUSSIANS["full"]
    start = Mixture(np.ones(1), Gaussian(np.zeros((1, 2)), np.eye(2)[None]), model)
    found = run(variant, Problem(Rows(x, np.ones(100)), model), start, Stop(0, 1000))
    assert found.status is Status.STALLED
    assert len(found.trace) < 10


@every_likeliest
@pytest.mark.parametrize("place", [0.0, 0.3, 7.7])
@pytest.mark.parametrize("name", GAUSSIANS)
def test_a_collapse_is_named_and_leaves_a_finite_mixture(variant: str, name: str, place: float) -> None:
    """Without a floor, one component shrinks onto forty equal points and its likelihood grows without bound."""
    rng = np.random.default_rng(1)
    x = np.concatenate([rng.normal(size=(2, 60)), np.full((2, 40), place)], axis=1)
    model = GAUSSIANS[name]
    means = np.array([[-1.0, -1.0], [place, place]])
    start = Mixture(np.array([0.6, 0.4]), Gaussian(means, np.stack([np.eye(2), 1e-3 * np.eye(2)])), model)
    if model.covariance.letters[0] == "E":
        x[:, :60] = -1.0  # equal volumes collapse only where every cluster does
        start = Mixture(start.weights, Gaussian(means, np.stack([np.eye(2)] * 2)), model)
    found = run(variant, Problem(Rows(x, np.ones(100)), model), start, Stop(1e-9, 2000))
    assert found.status is Status.DEGENERATE
    assert "a floor above 0" in found.status.value
    assert np.isfinite(found.mixture.components.means).all()
    assert np.isfinite(found.mixture.components.covariances).all()
    assert found.mixture.weights.sum() == pytest.approx(1)
    assert all(np.isfinite(row.objective) for row in found.trace)


@every_variant
def test_a_singular_start_is_degenerate_at_once(variant: str) -> None:
    problem, start = slow()
    flat = Mixture(start.weights, Gaussian(start.components.means, np.zeros((2, 1, 1))), start.family)
    found = run(variant, problem, flat, Stop())
    assert found.status is Status.DEGENERATE
    assert found.trace == ()


@every_variant
def test_an_empty_component_with_a_floor_stays_finite(variant: str) -> None:
    problem, start = slow()
    floored = Problem(problem.samples, problem.family, 1e-6)
    parts = start.components
    away = Mixture(start.weights, Gaussian(parts.means + np.array([[0.0], [1e3]]), parts.covariances), start.family)
    found = run(variant, floored, away, Stop(1e-6, 500))
    assert np.isfinite(found.trace[-1].objective)
    assert np.isfinite(found.mixture.components.covariances).all()


@pytest.mark.parametrize(("rounding", "expected"), [(1e-7, Status.STALLED), (1.0, Status.HIDDEN)])
def test_rounding_larger_than_the_tolerance_is_no_convergence(rounding: float, expected: Status) -> None:
    """A hundred samples, a tolerance of 1e-5 nats each: steps that change less than rounding tell of no limit."""
    values = [-100.0, -100.0 + rounding / 2, -100.0]
    assert Stop(1e-5).status(values, 100, rounding) is expected
    assert "rounding hides" in Status.HIDDEN.value
