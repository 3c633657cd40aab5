"""Component-wise EM: every sub-step rises, weights stay a distribution, and no more sweeps than EM has steps."""

from __future__ import annotations

import numpy as np
import pytest

from emseg.em.convergence import Stop
from emseg.em.fit import Fit, fit
from emseg.em.problem import Problem
from emseg.em.variants.em import EM
from emseg.em.variants.sage import SAGE
from emseg.mixture.families.gaussian import GAUSSIANS
from emseg.mixture.mixture import Mixture

pytestmark = pytest.mark.long


@pytest.mark.parametrize("model", GAUSSIANS)
def test_no_sub_step_falls_and_weights_sum_to_one(overlapping, model: str) -> None:
    problem, start = overlapping(model=model)
    state = EM().evaluate(problem, start)
    for k in 4 * [2, 0, 1]:
        new = EM().evaluate(problem, SAGE()._update(problem, state, k))
        assert new.expectation.objective >= state.expectation.objective - new.expectation.rounding
        assert new.mixture.weights.sum() == pytest.approx(1)
        others = [j for j in range(3) if j != k]
        share = new.mixture.weights[others] / state.mixture.weights[others]
        assert share[0] == pytest.approx(share[1])
        np.testing.assert_array_equal(new.mixture.components.means[others], state.mixture.components.means[others])
        state = new


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("model", ["full", "tied", "diag", "spherical"])
def test_never_more_sweeps_than_em(overlapping, seed: int, model: str) -> None:
    problem, start = overlapping(seed, model)
    ours, theirs = (run(a, problem, start) for a in (SAGE(), EM()))
    assert ours.trace[-1].objective == pytest.approx(theirs.trace[-1].objective, rel=1e-8)
    assert len(ours.trace) <= len(theirs.trace)
    assert ours.trace[-1].e_steps == 1 + 3 * (len(ours.trace) - 1)


def run(algorithm: SAGE | EM, problem: Problem, start: Mixture) -> Fit:
    return fit(algorithm, problem, start, Stop(1e-10, 5000), np.random.default_rng(0))
