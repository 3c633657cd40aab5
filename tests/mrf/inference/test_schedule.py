"""Step sizes of stochastic approximation."""

from __future__ import annotations

import numpy as np

from emseg.mrf.inference.schedule import Schedule


def test_steps_are_one_at_first_and_then_fall() -> None:
    plan = Schedule(iterations=20, hold=5, sweeps=1, answer=1)
    found = np.array([plan.step_size(t) for t in range(20)])
    np.testing.assert_allclose(found[:6], 1)
    np.testing.assert_allclose(found[5:], np.arange(1.0, 16) ** -0.7)


def test_the_sum_of_steps_has_no_limit_and_that_of_their_squares_has() -> None:
    """The conditions of Robbins & Monro, by sums over decades: the one grows, the other shrinks."""
    plan = Schedule(iterations=10**6, hold=0, sweeps=1, answer=1)
    decades = [np.array([plan.step_size(t) for t in range(10**d, 10 ** (d + 1), 10**d // 10)]) for d in (2, 3, 4)]
    sums = [steps.sum() * 10 ** (d - 1) for d, steps in zip((2, 3, 4), decades, strict=True)]
    squares = [(steps**2).sum() * 10 ** (d - 1) for d, steps in zip((2, 3, 4), decades, strict=True)]
    assert sums == sorted(sums)
    assert squares == sorted(squares, reverse=True)
