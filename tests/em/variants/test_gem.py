"""Generalised EM: Q never falls, the steps are not the M-step's, and they end where EM does."""

from __future__ import annotations

import numpy as np
import pytest

from emseg.em.convergence import Stop
from emseg.em.fit import fit
from emseg.em.q_function import q_value, slope
from emseg.em.variants.em import EM
from emseg.em.variants.gem import GEM


@pytest.mark.parametrize("algorithm", [GEM(), GEM(start=0.4, growth=1)], ids=["growing", "short"])
def test_no_step_lowers_q_and_hardly_one_is_em(overlapping, algorithm: GEM) -> None:
    problem, start = overlapping()
    rng = np.random.default_rng(0)
    state, _ = algorithm.init(problem, start, rng)
    full = 0
    for _ in range(60):
        stats, theta = state.expectation.stats, state.mixture.pack()
        best = problem.m_step(stats, state.mixture)
        new, info = algorithm.step(problem, state, rng)
        least = q_value(problem, state.mixture, stats)
        assert least <= q_value(problem, new.mixture, stats) <= q_value(problem, best, stats) + 1e-9
        assert info.e_steps == 1
        full += np.allclose(new.mixture.pack() - theta, best.pack() - theta, rtol=1e-3, atol=1e-12)
        state = new
    assert full <= 12


def test_q_is_the_expected_complete_log_likelihood(overlapping) -> None:
    problem, start = overlapping()
    found = problem.e_step(start)
    assert q_value(problem, start, found.stats) == pytest.approx(float(found.complete + found.log_prior))


def test_the_slope_is_that_of_the_likelihood(overlapping) -> None:
    """Fisher's identity, against differences of ℓ itself."""
    problem, start = overlapping()
    state, direction = EM().evaluate(problem, start), np.random.default_rng(0).normal(size=start.pack().size)
    ahead, behind = (problem.e_step(start.unpack(start.pack() + h * direction)).objective for h in (1e-5, -1e-5))
    assert slope(problem, state, direction) == pytest.approx((ahead - behind) / 2e-5, rel=1e-6)


@pytest.mark.parametrize("options", [{"start": 0}, {"start": 2}, {"growth": 0.5}, {"start": float("nan")}])
def test_senseless_options(options: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="start must lie between"):
        GEM(**options)


def test_it_ends_where_em_does_in_fewer_steps(overlapping) -> None:
    problem, start = overlapping()
    ours, theirs = (fit(a, problem, start, Stop(1e-10, 5000), np.random.default_rng(0)) for a in (GEM(), EM()))
    assert ours.trace[-1].objective == pytest.approx(theirs.trace[-1].objective, rel=1e-8)
    assert ours.trace[-1].e_steps < theirs.trace[-1].e_steps
