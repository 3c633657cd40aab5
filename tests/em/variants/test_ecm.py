"""Multi-cycle ECM: each cycle is a conditional maximum for its own E-step."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from emseg.em.convergence import Stop
from emseg.em.fit import fit
from emseg.em.q_function import q_value
from emseg.em.variants.ecm import ECM
from emseg.em.variants.em import EM
from emseg.mixture.families.gaussian import GAUSSIANS, Gaussian


@pytest.mark.parametrize("model", GAUSSIANS)
def test_each_cycle_maximises_q_given_the_rest(overlapping, model: str) -> None:
    """No nudge of the parameters that a cycle moves raises Q of that cycle's E-step."""
    problem, start = overlapping(model=model)
    rng = np.random.default_rng(1)
    state, _ = ECM().init(problem, start, rng)
    for _ in range(3):
        state, _ = ECM().step(problem, state, rng)
    new, info = ECM().step(problem, state, rng)
    assert info.e_steps == 2
    old, parts = state.mixture, new.mixture.components
    moved = replace(new.mixture, components=replace(parts, covariances=old.components.covariances))
    head = 3 + 6  # logits and means
    for before, after, fixed in ((old, moved, slice(head, None)), (moved, new.mixture, slice(0, head))):
        stats, theta = problem.e_step(before).stats, after.pack()
        best = q_value(problem, after, stats)
        for _ in range(20):
            nudge = 1e-3 * rng.normal(size=theta.size)
            nudge[fixed] = 0
            assert q_value(problem, after.unpack(theta + nudge), stats) <= best + 1e-9


def test_pinned_statistics_give_scatter_about_the_pins(overlapping) -> None:
    problem, start = overlapping()
    stats, means = problem.e_step(start).stats, start.components.means + 0.3
    pins = Gaussian(means, start.components.covariances)
    found = problem.m_step(problem.family.holding_locations(stats, pins)).components
    r = np.exp(start.log_joint(problem.samples.x))
    r /= r.sum(0)
    for k in range(3):
        off = problem.samples.x - means[k][:, None]
        np.testing.assert_allclose(found.means[k], means[k])
        np.testing.assert_allclose(found.covariances[k], (r[k] * off) @ off.T / r[k].sum(), rtol=1e-9)


def test_fewer_iterations_than_em_to_the_same_optimum(overlapping) -> None:
    problem, start = overlapping()
    ours, theirs = (fit(a, problem, start, Stop(1e-10, 5000), np.random.default_rng(0)) for a in (ECM(), EM()))
    assert ours.trace[-1].objective == pytest.approx(theirs.trace[-1].objective, rel=1e-8)
    assert len(ours.trace) <= len(theirs.trace)
    assert ours.trace[-1].e_steps == 2 * len(ours.trace) - 1
