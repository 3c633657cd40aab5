"""Conjugate gradients: conjugate they are, and on a quadratic as many lines as dimensions are enough."""

from __future__ import annotations

import numpy as np
import pytest

from emseg.em.accelerators.cg import CG, conjugate
from emseg.em.algorithm import State
from emseg.em.convergence import Stop
from emseg.em.fit import fit
from emseg.em.problem import Problem
from emseg.em.q_function import slope
from emseg.em.variants.em import EM
from emseg.em.variants.map import Map


def test_directions_are_conjugate_on_a_quadratic() -> None:
    """f = -½ θᵀAθ with a preconditioner, exact line searches: d⁺ᵀ(g⁺ - g) = 0, and p lines end at the maximum."""
    rng = np.random.default_rng(0)
    factor = rng.normal(size=(5, 5))
    a, metric = factor @ factor.T + np.eye(5), np.diag(rng.uniform(0.5, 2, 5))
    theta = rng.normal(size=5)
    g = -a @ theta
    d = metric @ g
    for _ in range(5):
        theta = theta + (d @ g) / (d @ a @ d) * d
        change = -a @ theta - g
        g = g + change
        new = conjugate(metric @ g, d, lambda v, change=change: float(change @ v))
        assert new @ change == pytest.approx(0, abs=1e-9)
        d = new
    np.testing.assert_allclose(theta, 0, atol=1e-9)


def test_directions_of_a_fit_are_conjugate(overlapping) -> None:
    problem, start = overlapping()
    rng = np.random.default_rng(0)
    state, _ = CG().init(problem, start, rng)
    seen = 0
    for _ in range(12):
        new, _ = CG().step(problem, state, rng)
        if new.turns > 1:
            d, before = new.direction, state.before
            along = slope(problem, state, d) - slope(problem, before, d)
            scale = np.linalg.norm(d) * abs(slope(problem, before, d))
            assert abs(along) <= 1e-5 * scale
            seen += 1
        state = new
    assert seen >= 4


def test_it_ends_where_em_does_in_fewer_steps(overlapping) -> None:
    problem, start = overlapping()
    ours, theirs = (fit(a, problem, start, Stop(1e-10, 5000), np.random.default_rng(0)) for a in (CG(), EM()))
    assert ours.trace[-1].objective == pytest.approx(theirs.trace[-1].objective, rel=1e-8)
    assert ours.trace[-1].e_steps < 0.6 * theirs.trace[-1].e_steps


def test_senseless_options() -> None:
    with pytest.raises(ValueError, match="trials must be at least 1"):
        CG(trials=0)


def test_slopes_are_those_of_what_the_base_climbs(overlapping, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a prior, its part of the slope too: the difference quotient of the base's own objective."""
    problem, start = overlapping()
    base = Map(shrinkage=20.0)
    seen: list[tuple[float, float]] = []

    def checked(posed: Problem, state: State, direction: np.ndarray) -> float:
        found, theta, h = slope(posed, state, direction), state.mixture.pack(), 1e-5
        ends = [base.evaluate(problem, start.unpack(theta + side * h * direction)) for side in (1, -1)]
        seen.append((found, float(ends[0].expectation.objective - ends[1].expectation.objective) / (2 * h)))
        return found

    monkeypatch.setattr("emseg.em.accelerators.cg.slope", checked)
    fit(CG(base), problem, start, Stop(0, 5), np.random.default_rng(0))
    found, expected = np.array(seen).T
    assert len(seen) > 10
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4 * np.abs(expected).max())
