"""Stepwise EM over minibatches."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from emseg.em.convergence import Status, Stop
from emseg.em.fit import fit
from emseg.em.stochastic.online import Online
from emseg.em.variants.em import EM


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_one_pass_comes_close_to_the_batch_optimum(triangle, seed: int) -> None:
    """Within 0.002 nats a sample and 0.1 standard deviations."""
    problem, start = triangle(n=20_000, side=4.0, seed=seed)
    em = fit(EM(), problem, start, Stop(1e-10, 5000), np.random.default_rng(0))
    found = fit(Online(passes=1), problem, start, Stop(), np.random.default_rng(seed))
    assert found.status is Status.PASSED
    assert found.trace[-1].e_steps == 3  # the start, the pass and the evaluation of its end
    assert 0 <= em.trace[-1].objective - found.trace[-1].objective < 0.002 * 20_000
    np.testing.assert_allclose(found.mixture.components.means, em.mixture.components.means, atol=0.1)


def test_more_passes_come_closer(triangle) -> None:
    problem, start = triangle(n=5000, side=4.0)
    best = fit(EM(), problem, start, Stop(1e-10, 5000), np.random.default_rng(0)).trace[-1].objective
    trace = fit(Online(passes=30), problem, start, Stop(), np.random.default_rng(0)).trace
    assert len(trace) == 31
    assert best - trace[-1].objective < min(0.2 * (best - trace[1].objective), 3e-4 * 5000)


@pytest.mark.parametrize("t0", [0.0, 2.0, 30.0])
def test_two_passes_of_one_batch_each_by_the_formula(triangle, t0: float) -> None:
    """A batch of all rows draws each of them once, so S ← (1 - γ) S + γ E[S | θ] with γ = (t + t0)^-alpha is exact."""
    problem, start = triangle()
    rng, online = np.random.default_rng(0), Online(batch=600, t0=t0)
    state, _ = online.init(problem, start, rng)
    stats = problem.e_step(start).stats
    mixture = start
    for t in (1, 2, 3):
        state, _ = online.step(problem, state, rng)
        gamma = (t + t0) ** -0.7
        stats = (1 - gamma) * stats + gamma * problem.e_step(mixture).stats
        mixture = problem.m_step(stats, mixture)
        np.testing.assert_allclose(state.mixture.pack(), mixture.pack(), rtol=1e-9, atol=1e-9)


def test_counts_are_drawn_as_often_as_they_say(triangle) -> None:
    """Data of which one row in ten stands for a hundred samples each has the optimum of those counts."""
    problem, start = triangle(n=6000, side=4.0)
    weight = np.where(np.arange(6000) % 10 == 0, 100.0, 1.0)
    heavy = replace(problem, samples=replace(problem.samples, weight=weight))
    em = fit(EM(), heavy, start, Stop(1e-10, 5000), np.random.default_rng(0))
    found = fit(Online(passes=20), heavy, start, Stop(), np.random.default_rng(0))
    assert em.trace[-1].objective - found.trace[-1].objective < 1e-3 * weight.sum()


@pytest.mark.parametrize(
    "options", [{"batch": 0}, {"passes": 0}, {"alpha": 0.5}, {"alpha": 1.1}, {"t0": -1.0}, {"t0": float("nan")}]
)
def test_senseless_options(options: dict) -> None:
    with pytest.raises(ValueError, match="must be"):
        Online(**options)
