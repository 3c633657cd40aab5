"""Aitken acceleration: its rate matrix has the rate at which EM is seen to converge."""

from __future__ import annotations

import numpy as np
import pytest

from emseg.em.accelerators.aitken import Aitken
from emseg.em.accelerators.rate_matrix import predicted_fixed_point, rate
from emseg.em.convergence import Stop
from emseg.em.fit import fit
from emseg.em.problem import Problem
from emseg.em.variants.em import EM
from emseg.mixture.mixture import Mixture


def test_the_spectral_radius_is_the_rate_of_em(overlapping) -> None:
    problem, start = overlapping()
    points = [start.pack()]
    for _ in range(400):
        start = problem.m_step(problem.e_step(start).stats)
        points.append(start.pack())
    late = points[100:106]
    action, basis = rate(late[:-1], late[1:], 1e-4)
    radius = np.abs(np.linalg.eigvals(basis.T @ action)).max()
    sizes = [float(np.linalg.norm(points[t + 1] - points[t])) for t in (110, 111)]
    assert radius == pytest.approx(sizes[1] / sizes[0], rel=1e-4)
    assert radius == pytest.approx(np.abs(np.linalg.eigvals(jacobian(problem, start))).max(), rel=1e-3)


def jacobian(problem: Problem, mixture: Mixture) -> np.ndarray:
    """∂Φ/∂θ by differences."""
    theta, h = mixture.pack(), 1e-5
    ends = [
        [problem.m_step(problem.e_step(mixture.unpack(theta + s * e)).stats).pack() for s in (h, -h)]
        for e in np.eye(theta.size)
    ]
    return np.array([(a - b) / (2 * h) for a, b in ends]).T


def test_on_a_linear_map_one_jump_is_exact() -> None:
    """Two modes, two differences: the fixed point itself, with the sign that leads there."""
    spread, limit = np.diag([0.9, 0.4]), np.array([1.0, -2.0])
    points = [np.array([5.0, 7.0])]
    for _ in range(3):
        points.append(limit + spread @ (points[-1] - limit))
    aim = predicted_fixed_point(points[:3], points[1:], 1e-4, lambda gap, _: gap)
    np.testing.assert_allclose(aim, limit, atol=1e-9)


def test_it_waits_for_the_burn_in_and_ends_where_em_does(overlapping) -> None:
    problem, start = overlapping()
    rivals = (Aitken(burn_in=5, order=2), EM())
    ours, theirs = (fit(a, problem, start, Stop(1e-10, 5000), np.random.default_rng(0)) for a in rivals)
    same = [row.objective for row in theirs.trace[:8]]
    assert [row.objective for row in ours.trace[:8]] == pytest.approx(same, rel=1e-12)
    assert ours.trace[8].objective > theirs.trace[8].objective
    assert ours.trace[-1].objective == pytest.approx(theirs.trace[-1].objective, rel=1e-8)
    assert ours.trace[-1].e_steps < theirs.trace[-1].e_steps / 2


def test_senseless_options() -> None:
    with pytest.raises(ValueError, match="burn_in must not be negative, order at least 1"):
        Aitken(order=0)
