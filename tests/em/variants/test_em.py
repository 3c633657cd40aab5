"""Classic EM of anything with two projections: here, a mixture of two known densities, whose weights are unknown."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from emseg.em.convergence import Stop
from emseg.em.expectation import Expectation
from emseg.em.fit import fit
from emseg.em.variants.em import EM
from emseg.mixture.stats import Stats


@dataclass(frozen=True)
class Known:
    weights: np.ndarray


@dataclass(frozen=True)
class Densities:
    f: np.ndarray

    @property
    def n(self) -> float:
        return float(self.f.shape[1])

    def e_step(self, mixture: Known) -> Expectation:
        joint = mixture.weights[:, None] * self.f
        total = joint.sum(0)
        n = (joint / total).sum(1)
        log_likelihood = np.log(total).sum()
        zero = np.zeros(())
        return Expectation(Stats(n, n[:, None]), log_likelihood, log_likelihood, zero, zero, np.array(1e-10))

    def m_step(self, stats: Stats, previous: Known) -> Known:
        return Known(stats.n / stats.n.sum())


def test_it_fits_what_is_no_problem_of_pixels() -> None:
    rng = np.random.default_rng(0)
    x = np.where(rng.random(5000) < 0.3, rng.normal(0, 1, 5000), rng.normal(3, 1, 5000))
    problem = Densities(np.exp(-0.5 * (x - np.array([[0.0], [3.0]])) ** 2))
    found = fit(EM[Known](), problem, Known(np.array([0.5, 0.5])), Stop(1e-12, 500), rng)
    ratios = (problem.f / (found.mixture.weights @ problem.f)).mean(1)
    np.testing.assert_allclose(ratios, 1, atol=1e-6)  # Karush, Kuhn and Tucker
    assert found.mixture.weights[0] == pytest.approx(0.3, abs=0.03)
