"""Deterministic annealing EM."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from emseg.em.convergence import Stop
from emseg.em.fit import fit
from emseg.em.problem import Problem
from emseg.em.variants.daem import DAEM, DAEMState
from emseg.em.variants.em import EM
from emseg.mixture.families.gaussian import GAUSSIANS, Gaussian
from emseg.mixture.mixture import Mixture
from emseg.mixture.samples import Rows

pytestmark = pytest.mark.long


def test_at_one_it_is_em(triangle) -> None:
    problem, start = triangle(side=2.5)
    daem = fit(DAEM(beta=1), problem, start, Stop(1e-9, 5000), np.random.default_rng(0))
    em = fit(EM(), problem, start, Stop(1e-9, 5000), np.random.default_rng(0))
    assert daem.mixture.pack().tobytes() == em.mixture.pack().tobytes()
    assert [replace(row, seconds=0) for row in daem.trace] == [replace(row, seconds=0) for row in em.trace]


def bad_start(model: str, seed: int) -> tuple[Problem, Mixture]:
    """Three balls six apart; two components start in one of them, the third halfway between the others."""
    rng = np.random.default_rng(seed)
    centres = np.array([[0.0, 0.0], [6.0, 0.0], [0.0, 6.0]])
    x = np.ascontiguousarray((centres[rng.integers(3, size=300)] + rng.normal(size=(300, 2))).T)
    means = np.array([[-0.5, 0.0], [0.5, 0.0], [3.0, 3.0]]) + 0.1 * rng.normal(size=(3, 2))
    shared = GAUSSIANS[model]
    start = Mixture(np.full(3, 1 / 3), Gaussian(means, np.stack([np.eye(2)] * 3)), shared)
    return Problem(Rows(x, np.ones(300)), shared, 1e-6), start


@pytest.mark.parametrize(("model", "seed"), [("spherical", s) for s in (0, 1, 3, 4)] + [("full", s) for s in (3, 4, 5)])
def test_it_leaves_bad_starts_in_which_em_is_caught(model: str, seed: int) -> None:
    problem, start = bad_start(model, seed)
    caught = fit(EM(), problem, start, Stop(1e-9, 5000), np.random.default_rng(0))
    found = fit(DAEM(), problem, start, Stop(1e-9, 5000), np.random.default_rng(0))
    assert found.trace[-1].objective > caught.trace[-1].objective + 100
    nearest = np.linalg.norm(found.mixture.components.means[:, None] - [[0, 0], [6, 0], [0, 6]], axis=-1).min(0)
    assert (nearest < 0.5).all()


@pytest.mark.parametrize("beta", [0.2, 0.5, 0.8])
def test_the_free_energy_is_right_and_never_falls_at_its_temperature(triangle, beta: float) -> None:
    """Given θ the best q makes it Σ log Σ_k (π_k f_k)^β / β."""
    problem, start = triangle(side=2.5)
    algorithm, rng = DAEM(beta=beta, steps=10**6), np.random.default_rng(0)
    state, info = algorithm.init(problem, start, rng)
    for _ in range(60):
        last = info
        state, info = algorithm.step(problem, state, rng)
        assert isinstance(state, DAEMState)
        if state.beta > beta:
            break
        assert info.objective >= last.objective - info.rounding
        assert not info.comparable
        assert info.kl >= 0
        joint = beta * state.mixture.log_joint(problem.samples.x)
        expected = np.logaddexp.reduce(joint).sum() / beta + state.expectation.log_prior
        assert info.objective == pytest.approx(float(expected), rel=1e-9)


@pytest.mark.parametrize("options", [{"beta": 0.0}, {"beta": 1.1}, {"rate": 1.0}, {"steps": 0}])
def test_senseless_options(options: dict) -> None:
    with pytest.raises(ValueError, match="must be"):
        DAEM(**options)
