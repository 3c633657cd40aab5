"""Classification EM."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from emseg.em.convergence import Status, Stop
from emseg.em.fit import fit
from emseg.em.problem import Problem
from emseg.em.variants.cem import CEM
from emseg.mixture.families.gaussian import GAUSSIANS, Gaussian
from emseg.mixture.mixture import Mixture
from emseg.mixture.samples import Rows

BALLS = GAUSSIANS["EII"]


def lloyd(x: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """Labels of k-means, by hand."""
    labels = np.full(len(x), -1)
    while True:
        new = ((x[:, None] - centres) ** 2).sum(-1).argmin(1)
        if np.array_equal(new, labels):
            return labels
        labels = new
        centres = np.stack([x[labels == k].mean(0) for k in range(len(centres))])


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("d", [1, 2, 5])
def test_equal_balls_are_k_means(seed: int, d: int) -> None:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(300, d)) + 2 * rng.integers(0, 3, (300, 1))
    centres = x[rng.choice(300, 4, replace=False)]
    start = Mixture(np.array([0.7, 0.1, 0.1, 0.1]), Gaussian(centres, np.stack([np.eye(d)] * 4)), BALLS)
    problem = Problem(Rows(np.ascontiguousarray(x.T), np.ones(300)), BALLS)
    found = fit(CEM(equal_weights=1), problem, start, Stop(0, 500), rng)
    assert found.status is Status.STALLED
    np.testing.assert_array_equal(found.mixture.weights, 0.25)
    assert np.array_equal(found.mixture.log_joint(x.T).argmax(0), lloyd(x, centres))


@pytest.mark.parametrize("equal", [0, 1])
@pytest.mark.parametrize("model", GAUSSIANS)
def test_the_classification_likelihood_never_falls(triangle, model: str, equal: int) -> None:
    problem, start = triangle(side=1.5, model=model)
    found = fit(CEM(equal_weights=equal), problem, start, Stop(0, 200), np.random.default_rng(0))
    rounding = float(problem.e_step(found.mixture).rounding)
    for last, row in pairwise(found.trace):
        assert row.objective >= last.objective - rounding
    assert found.status is Status.STALLED
    joint = found.mixture.log_joint(problem.samples.x)
    assert found.trace[-1].elbo == pytest.approx(joint.max(0).sum(), rel=1e-10)
    assert found.trace[-1].kl > 1


@pytest.mark.parametrize("equal", [0, 1])
def test_a_component_that_loses_all_samples_stays_finite(triangle, equal: int) -> None:
    problem, start = triangle()
    far = start.components.means + np.array([[0.0, 0.0], [0.0, 0.0], [500.0, 0.0]])
    away = Mixture(start.weights, Gaussian(far, start.components.covariances), start.family)
    found = fit(CEM(equal_weights=equal), problem, away, Stop(0, 200), np.random.default_rng(0))
    assert np.isfinite(found.mixture.pack()).all()
    assert np.isfinite([row.objective for row in found.trace]).all()


def test_equal_weights_are_a_yes_or_no() -> None:
    with pytest.raises(ValueError, match="0 or 1"):
        CEM(equal_weights=2)
