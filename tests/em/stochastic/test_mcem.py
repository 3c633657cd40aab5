"""Monte-Carlo EM: between stochastic EM and EM. The variance of its statistics is in test_assignments."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from emseg.em.convergence import Status, Stop
from emseg.em.fit import fit
from emseg.em.stochastic.mcem import MCEM, MOST
from emseg.em.stochastic.sem import SEM
from emseg.em.variants.em import EM


def test_one_draw_is_stochastic_em(triangle) -> None:
    problem, start = triangle(side=2.5)
    one = fit(MCEM(draws=1, growth=1), problem, start, Stop(0, 30), np.random.default_rng(7))
    sem = fit(SEM(burn_in=1000), problem, start, Stop(0, 30), np.random.default_rng(7))
    assert one.mixture.pack().tobytes() == sem.mixture.pack().tobytes()
    assert [replace(row, seconds=0) for row in one.trace] == [replace(row, seconds=0) for row in sem.trace]


def test_many_draws_are_em(triangle) -> None:
    problem, start = triangle(side=2.5)
    stop = Stop(0, 20)
    many = fit(MCEM(draws=MOST, growth=1), problem, start, stop, np.random.default_rng(7))
    em = fit(EM(), problem, start, stop, np.random.default_rng(7))
    np.testing.assert_allclose(many.mixture.pack(), em.mixture.pack(), atol=1e-4)
    for ours, exact in zip(many.trace, em.trace, strict=True):
        assert ours.log_likelihood == pytest.approx(exact.log_likelihood, rel=1e-6)
        assert ours.kl < 1e-5


def test_draws_grow_until_the_increments_can_be_judged(triangle) -> None:
    problem, start = triangle(side=4.0)
    found = fit(MCEM(), problem, start, Stop(1e-7, 5000), np.random.default_rng(0))
    best = fit(EM(), problem, start, Stop(1e-12, 5000), np.random.default_rng(0)).trace[-1].objective
    assert found.status is Status.CONVERGED
    assert len(found.trace) > 76  # 1.2^76 is a million
    assert best - found.trace[-1].objective < 1e-6 * 600
    assert found.trace[-1].kl < found.trace[40].kl < found.trace[0].kl


def test_without_growth_it_never_converges(triangle) -> None:
    found = fit(MCEM(draws=5, growth=1), *triangle(), Stop(1e9, 50), np.random.default_rng(0))
    assert found.status is Status.MAX_ITER


@pytest.mark.parametrize("options", [{"draws": 0}, {"draws": 10**10}, {"growth": 0.9}, {"growth": float("nan")}])
def test_senseless_options(options: dict) -> None:
    with pytest.raises(ValueError, match="must be"):
        MCEM(**options)
