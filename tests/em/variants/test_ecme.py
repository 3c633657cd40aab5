"""ECME: after every iteration the weights are where Karush, Kuhn and Tucker say."""

from __future__ import annotations

import numpy as np
import pytest

from emseg.em.convergence import Stop
from emseg.em.fit import fit
from emseg.em.problem import Problem
from emseg.em.variants.ecme import ECME, newton
from emseg.em.variants.em import EM
from emseg.mixture.families.gaussian import GAUSSIANS, Gaussian
from emseg.mixture.mixture import Mixture
from emseg.mixture.samples import Rows


def ratios(problem: Problem, mixture: Mixture) -> np.ndarray:
    """mean(f_k / f), by definition."""
    joint = np.exp(mixture.log_joint(problem.samples.x))
    return (joint / joint.sum(0)).mean(1) / mixture.weights


def test_weights_are_optimal_after_every_iteration(overlapping) -> None:
    problem, start = overlapping()
    rng = np.random.default_rng(0)
    state, info = ECME().init(problem, start, rng)
    for _ in range(30):
        last = info.objective
        state, info = ECME().step(problem, state, rng)
        assert info.objective >= last - info.rounding
        np.testing.assert_allclose(ratios(problem, state.mixture), 1, atol=1e-3)
        assert np.log(ratios(problem, state.mixture).max()) <= 1e-8


def test_a_superfluous_component_gets_no_weight() -> None:
    """Fixed densities, one of them useless: its mean ratio is below one and Newton's steps take its weight to zero."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=400)
    f = np.exp(-0.5 * (x - np.array([[0.0], [0.5], [6.0]])) ** 2)
    weights = np.full(3, 1 / 3)
    values = []
    for _ in range(60):
        joint = weights[:, None] * f
        r = joint / joint.sum(0)
        values.append(np.log(joint.sum(0)).mean())
        weights = newton(weights, r.mean(1), r @ r.T / 400)
    assert (np.diff(values) >= -1e-15).all()
    found = (f / (weights @ f)).mean(1)
    assert weights[2] < 1e-6
    assert found[2] < 1
    assert found.max() <= 1 + 1e-6
    np.testing.assert_allclose(found[weights > 1e-3], 1, atol=1e-6)


def test_fewer_iterations_than_em_where_weights_are_slow() -> None:
    rng = np.random.default_rng(2)
    x = np.concatenate([rng.normal(0, 1, 400), rng.normal(1.8, 1, 300)])[None]
    means = Gaussian(np.array([[-0.5], [2.5]]), np.ones((2, 1, 1)))
    problem, start = (
        Problem(Rows(x, np.ones(700)), GAUSSIANS["full"]),
        Mixture(np.full(2, 0.5), means, GAUSSIANS["full"]),
    )
    ours, theirs = (fit(a, problem, start, Stop(1e-8, 5000), np.random.default_rng(0)) for a in (ECME(), EM()))
    assert ours.trace[-1].objective >= theirs.trace[-1].objective - 1e-4
    assert len(ours.trace) < len(theirs.trace) / 2


def test_senseless_options() -> None:
    with pytest.raises(ValueError, match="slack must not be negative"):
        ECME(slack=-1)
    with pytest.raises(ValueError, match="passes at least 1"):
        ECME(passes=0)
