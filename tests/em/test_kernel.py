"""The kernel: softmax and sums of whatever scores, block by block, against the same written out."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import logsumexp, softmax

from emseg.em import kernel
from emseg.em.assignments import Hard
from emseg.em.kernel import all_log_density, project
from emseg.mixture.families.gaussian import GAUSSIANS
from emseg.mixture.samples import Rows
from emseg.mixture.stats import Stats

FULL = GAUSSIANS["full"]


@pytest.mark.parametrize("lead", [(), (4,)])
@pytest.mark.parametrize("scale", [1.0, 300.0])  # the second one is beyond what exp can represent
def test_any_scores_are_softmaxed_and_summed(
    lead: tuple[int, ...], scale: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kernel, "CACHE_BYTES", 1)
    rng = np.random.default_rng(0)
    rows = Rows(rng.normal(size=(2, 2500)), rng.integers(1, 5, 2500).astype(float))
    eta = scale * rng.normal(size=(*lead, 3, 6))
    found = project(rows, FULL, eta, shift=2.5, log_prior=np.full(lead, -7.0))
    t = FULL.statistics(rows.x)
    scores = eta @ t
    r = softmax(scores, axis=-2)
    slack = float(np.max(found.rounding))
    np.testing.assert_allclose(found.stats.t, (r * rows.weight) @ t.T, rtol=1e-9, atol=1e-9 * 2500)
    np.testing.assert_allclose(found.log_likelihood, logsumexp(scores, axis=-2) @ rows.weight + 2.5, atol=slack)
    np.testing.assert_allclose(found.elbo, found.log_likelihood, atol=slack)
    np.testing.assert_array_equal(found.log_prior, np.full(lead, -7.0))


def test_an_assignment_replaces_the_posterior() -> None:
    rng = np.random.default_rng(1)
    rows = Rows(rng.normal(size=(2, 300)), np.ones(300))
    eta = rng.normal(size=(3, 6))
    found = project(rows, FULL, eta, Hard())
    labels = (eta @ FULL.statistics(rows.x)).argmax(0)
    np.testing.assert_array_equal(found.stats.n, np.bincount(labels, minlength=3))
    assert found.entropy == 0


def test_log_density_of_samples_that_were_not_recorded() -> None:
    """t_0 counts more than n: the weights are of those that were seen alone."""
    eta, weights = np.array([[np.log(0.5) - 1.0, 2.0]]), np.array([0.5])
    stats = Stats(np.array([3.0]), np.array([[4.0, 5.0]]))
    assert all_log_density(eta, weights, stats) == pytest.approx(4 * (-1.0) + 2 * 5 + 3 * np.log(0.5))
