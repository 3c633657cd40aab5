"""Samples in parts: one, seven, or seven that two processes work on, for every algorithm the same."""

from __future__ import annotations

import pickle
from collections.abc import Iterator

import numpy as np
import pytest

from emseg.em.algorithm import State
from emseg.em.convergence import Stop
from emseg.em.fit import Fit, fit_with_state
from emseg.em.problem import Problem
from emseg.em.registry import ALGORITHMS, algorithm
from emseg.execution.executor import Executor, Serial
from emseg.execution.processes import Processes
from emseg.mixture.families.gaussian import GAUSSIANS, Gaussian
from emseg.mixture.families.student import Student, StudentFamily
from emseg.mixture.mixture import Mixture
from emseg.mixture.parts import cut
from emseg.mixture.samples import DRAW_BLOCK, Rows, Samples

pytestmark = pytest.mark.long

N = 6 * DRAW_BLOCK + 1000  # seven parts, the last one short
#: Settings with which a run of few iterations comes to what the algorithm does last.
BRIEF = {"sem": {"burn_in": "1", "draws": "3"}, "saem": {"hold": "2", "steps": "1"}, "online": {"passes": "2"}}
CENTRES = np.array([[0.0, 0.0], [4.0, 1.0], [1.0, 5.0]])


@pytest.fixture(scope="module")
def two() -> Iterator[Processes]:
    with Processes(2) as executor:
        yield executor


def rows(holes: bool) -> Rows:
    rng = np.random.default_rng(6)
    x = CENTRES[rng.integers(3, size=N)].T + rng.normal(size=(2, N))
    if holes:
        x[rng.random((2, N)) < 0.2] = np.nan
    return Rows(np.ascontiguousarray(x), rng.integers(1, 4, N).astype(float))


def start(variant: str) -> Mixture:
    weights, means, balls = np.full(3, 1 / 3), CENTRES + 0.5, np.stack([np.eye(2)] * 3)
    if variant == "px":
        return Mixture(weights, Student(means, balls, np.full(3, 9.0)), StudentFamily(GAUSSIANS["full"]))
    return Mixture(weights, Gaussian(means, balls), GAUSSIANS["full"])


def reached(variant: str, samples: Samples, executor: Executor | None = None) -> tuple[Fit[Mixture], State[Mixture]]:
    theta = start(variant)
    problem = Problem(samples, theta.family, 1e-6, executor=executor or Serial())
    steps = algorithm(variant, options=BRIEF.get(variant))
    found, state = fit_with_state(steps, problem, theta, Stop(0, 4), np.random.default_rng(1))
    assert isinstance(state, State)
    return found, state


@pytest.mark.parametrize("holes", [False, True], ids=["whole", "holes"])
@pytest.mark.parametrize("variant", ALGORITHMS)
def test_parts_and_processes_change_nothing(variant: str, holes: bool, two: Processes) -> None:
    whole = rows(holes)
    (one, state), (seven, of_seven), (shared, of_two) = (
        reached(variant, whole),
        reached(variant, cut(whole, 7)),
        reached(variant, cut(whole, 7), two),
    )
    assert len(cut(whole, 7).parts()) == 7
    stats, scale = state.expectation.stats, np.abs(state.expectation.stats.t).max()
    for other in (of_seven.expectation.stats, of_two.expectation.stats):
        # Four iterations and an extrapolation on the way multiply the rounding of sums of 25 000 terms.
        np.testing.assert_allclose(other.t, stats.t, rtol=1e-7, atol=1e-9 * scale)
        np.testing.assert_allclose(other.n, stats.n, rtol=1e-7)
    labels = one.mixture.log_joint(whole.x).argmax(0)
    for found in (seven, shared):
        assert found.status is one.status
        np.testing.assert_array_equal(found.mixture.log_joint(whole.x).argmax(0), labels)
    assert [row.e_steps for row in seven.trace] == [row.e_steps for row in one.trace]


def test_an_e_step_of_seven_parts_is_that_of_one_to_rounding(two: Processes) -> None:
    theta = start("em")
    for holes in (False, True):
        whole = rows(holes)
        one = Problem(whole, theta.family, 1e-6, log_jacobian=np.array([0.1, -0.3])).e_step(theta)
        for executor in (Serial(), two):
            problem = Problem(cut(whole, 7), theta.family, 1e-6, np.array([0.1, -0.3]), executor=executor)
            found = problem.e_step(theta)
            np.testing.assert_allclose(found.stats.t, one.stats.t, rtol=1e-12, atol=1e-10 * N)
            for name in ("log_likelihood", "complete", "entropy", "objective", "log_prior"):
                assert abs(getattr(found, name) - getattr(one, name)) <= one.rounding, name
            assert problem.shift == pytest.approx(Problem(whole, theta.family, 0, np.array([0.1, -0.3])).shift)


def test_priors_are_centred_on_all_parts() -> None:
    for holes in (False, True):
        whole = rows(holes)
        one, seven = (Problem(samples, GAUSSIANS["full"], 1e-6) for samples in (whole, cut(whole, 7)))
        np.testing.assert_allclose(seven.total.t, one.total.t, rtol=1e-8)
        np.testing.assert_allclose(seven.filled.x, one.filled.x, rtol=1e-8)


def test_rows_travel_without_what_was_computed_from_them() -> None:
    small = Rows(np.zeros((2, 1000)), np.ones(1000), 3 * DRAW_BLOCK)
    list(small.blocks(GAUSSIANS["full"], 100))
    assert small.n == 1000
    assert small.patterns == ()
    sent = pickle.dumps(small, 5)
    assert len(sent) < 3 * 8000 + 1000
    there = pickle.loads(sent)
    assert there.place == 3 * DRAW_BLOCK
    np.testing.assert_array_equal(there.x, small.x)
