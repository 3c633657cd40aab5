"""Q against its definition, and its slope against differences of the likelihood itself (Fisher's identity)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from emseg.em.q_function import q_value, slope
from emseg.em.variants.em import EM


def test_differences_of_q_are_those_of_its_definition(overlapping) -> None:
    problem, start = overlapping()
    state = EM().evaluate(problem, start)
    joint = start.log_joint(problem.rows.x)
    r = np.exp(joint - np.logaddexp.reduce(joint))
    other = EM().update(problem, state)
    expected = (r * (other.log_joint(problem.rows.x) - joint)).sum()
    stats = state.expectation.stats
    assert q_value(problem, other, stats) - q_value(problem, start, stats) == pytest.approx(expected, rel=1e-9)
    singular = replace(start, components=replace(start.components, covariances=0 * start.components.covariances))
    assert q_value(problem, singular, stats) == -np.inf


def test_the_slope_is_that_of_the_likelihood(overlapping) -> None:
    problem, start = overlapping()
    state = EM().evaluate(problem, start)
    theta = start.pack()
    direction = np.random.default_rng(0).normal(size=theta.size)
    h = 1e-5
    ends = [float(problem.e_step(start.unpack(theta + s * h * direction)).log_likelihood) for s in (1, -1)]
    assert slope(problem, state, direction) == pytest.approx((ends[0] - ends[1]) / (2 * h), rel=1e-6)
