"""The loop, on an algorithm that has nothing to do with mixtures: whatever has a start and a step can be fitted."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

from emseg.em.algorithm import Info
from emseg.em.convergence import Status, Stop
from emseg.em.fit import MonotonicityWarning, Row, fit, fit_with_state


@dataclass(frozen=True)
class Shares:
    weights: np.ndarray


@dataclass(frozen=True)
class Data:
    n: float = 10.0


@dataclass(frozen=True)
class Point:
    mixture: Shares
    counts: np.ndarray
    t: int


@dataclass(frozen=True)
class Scripted:
    """Goes through given rows; None is a singular step."""

    script: tuple[Info | None, ...]
    monotone: bool = True

    def init(self, problem: Data, start: Shares, rng: np.random.Generator) -> tuple[Point, Info]:
        return self._at(problem, start, 0)

    def step(self, problem: Data, state: Point, rng: np.random.Generator) -> tuple[Point, Info]:
        return self._at(problem, state.mixture, state.t + 1)

    def _at(self, problem: Data, start: Shares, t: int) -> tuple[Point, Info]:
        info = self.script[min(t, len(self.script) - 1)]
        if info is None:
            raise np.linalg.LinAlgError
        return Point(start, problem.n * start.weights, t), info


LONG = Stop(0, 20)
START = Shares(np.array([0.25, 0.75]))


def row(objective: float, rounding: float = 1e-9, comparable: bool = True, ending: Status | None = None) -> Info:
    return Info(objective, objective, objective, 0.0, 1, rounding, comparable, ending)


def run(*script: Info | None, stop: Stop = LONG) -> tuple:
    return fit_with_state(Scripted(script), Data(), START, stop, np.random.default_rng(0))


def test_a_stalled_objective_ends_and_the_state_is_handed_back() -> None:
    found, state = run(row(0), row(1), row(2), row(2), row(2))
    assert found.status is Status.STALLED
    assert [one.objective for one in found.trace] == [0, 1, 2, 2, 2]
    assert [one.e_steps for one in found.trace] == [1, 2, 3, 4, 5]
    assert state.t == 4
    np.testing.assert_array_equal(found.counts, [2.5, 7.5])


def test_an_algorithm_may_name_its_own_ending() -> None:
    found, _ = run(row(0), row(1, ending=Status.PASSED))
    assert found.status is Status.PASSED


def test_a_singular_start_has_no_state() -> None:
    found, state = run(None)
    assert state is None
    assert (found.status, found.trace) == (Status.DEGENERATE, ())
    np.testing.assert_array_equal(found.counts, [2.5, 7.5])


@pytest.mark.parametrize("bad", [None, row(np.nan), row(np.inf), row(3, rounding=1.1)])
def test_a_degenerate_step_ends_at_the_state_before(bad: Info | None) -> None:
    found, state = run(row(0), row(1), bad)
    assert found.status is Status.DEGENERATE
    assert len(found.trace) == 2
    assert state.t == 1


def test_a_fall_beyond_rounding_is_a_warning_unless_rows_cannot_be_compared() -> None:
    with pytest.warns(MonotonicityWarning, match=r"fell by 0\.5 at iteration 1"):
        run(row(1), row(0.5), stop=Stop(0, 1))
    run(row(1), row(0.5, comparable=False), stop=Stop(0, 1))  # warnings are errors in the tests
    run(row(1), row(0.5, rounding=0.6), stop=Stop(0, 1))
    fit(Scripted((row(1), row(0.5)), False), Data(), START, Stop(0, 1), np.random.default_rng(0))


def test_rows_that_cannot_be_compared_never_converge() -> None:
    found, _ = run(*(row(1.0, comparable=False) for _ in range(3)), stop=Stop(1.0, 12))
    assert found.status is Status.MAX_ITER
    assert len(found.trace) == 13


def test_every_row_is_shown_as_it_is_made() -> None:
    seen: list[Row] = []
    rows = tuple(row(float(i)) for i in range(4))
    found = fit(Scripted(rows), Data(), START, Stop(0, 3), np.random.default_rng(0), seen.append)
    assert tuple(seen) == found.trace
    assert [replace(one, seconds=0.0).delta for one in seen] == [0, 1, 1, 1]
