"""Simulated annealing EM, between its two ends, and stochastic approximation EM."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from emseg.em.algorithm import Algorithm
from emseg.em.convergence import Status, Stop
from emseg.em.fit import Fit, fit
from emseg.em.stochastic.saem import SAEM
from emseg.em.stochastic.sem import SEM
from emseg.em.variants.em import EM

pytestmark = pytest.mark.long

FORMS = ["celeux-diebolt", "robbins-monro"]


def same(first: Fit, second: Fit) -> None:
    """To the bit."""
    assert first.mixture.pack().tobytes() == second.mixture.pack().tobytes()
    assert [replace(row, seconds=0) for row in first.trace] == [replace(row, seconds=0) for row in second.trace]


def run(algorithm: Algorithm, posed: tuple, stop: Stop) -> Fit:
    return fit(algorithm, *posed, stop, np.random.default_rng(7))


def test_without_randomness_it_is_em(triangle) -> None:
    posed = triangle(side=2.5)
    same(run(SAEM(hold=0, steps=0), posed, Stop(1e-9, 5000)), run(EM(), posed, Stop(1e-9, 5000)))


@pytest.mark.parametrize("form", FORMS)
def test_with_all_randomness_it_is_sem(triangle, form: str) -> None:
    posed = triangle(side=2.5)
    same(run(SAEM(form, hold=1000), posed, Stop(0, 30)), run(SEM(burn_in=1000), posed, Stop(0, 30)))


def test_the_share_of_randomness_falls_to_zero() -> None:
    linear, power = SAEM(hold=3, steps=4), SAEM("robbins-monro", hold=3, exponent=0.6)
    assert [linear.gamma(t) for t in range(9)] == pytest.approx([1, 1, 1, 0.8, 0.6, 0.4, 0.2, 0, 0])
    assert [power.gamma(t) for t in range(6)] == pytest.approx([1, 1, 1, 1, 2**-0.6, 3**-0.6])


@pytest.mark.parametrize("side", [2.5, 4.0])
def test_annealed_it_ends_where_em_does_and_says_converged(triangle, side: float) -> None:
    posed = triangle(side=side)
    found, em = run(SAEM(), posed, Stop(1e-10, 5000)), run(EM(), posed, Stop(1e-10, 5000))
    assert found.status.value.startswith("converged")
    assert len(found.trace) > 110
    assert found.trace[-1].objective == pytest.approx(em.trace[-1].objective, abs=1e-5)
    np.testing.assert_allclose(found.mixture.components.means, em.mixture.components.means, atol=1e-3)


def test_the_running_average_comes_close_to_em(triangle) -> None:
    """Within 0.0005 nats a sample; with ten times the steps within a tenth of that."""
    posed = triangle(n=600, side=4.0)
    best = run(EM(), posed, Stop(1e-10, 5000)).trace[-1].objective
    short, long = (run(SAEM("robbins-monro", steps=n), posed, Stop(1e9, 5000)) for n in (100, 1000))
    assert short.status is long.status is Status.AVERAGED
    assert short.trace[-1].kl == 0
    assert 0 <= best - short.trace[-1].objective < 5e-4 * 600
    assert 0 <= best - long.trace[-1].objective < 5e-5 * 600


@pytest.mark.parametrize("options", [{"form": "x"}, {"hold": -1}, {"steps": -1}, {"exponent": 0.5}, {"exponent": 1.1}])
def test_senseless_options(options: dict) -> None:
    with pytest.raises(ValueError, match="must be"):
        SAEM(**options)
