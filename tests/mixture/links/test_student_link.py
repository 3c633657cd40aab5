"""The link of Student distributions, sample by sample, against scipy and the formulas of Peel & McLachlan."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from scipy.special import psi

from emseg.mixture.families.registry import family_of
from emseg.mixture.families.student import Student
from emseg.mixture.mixture import Mixture

WEIGHTS = np.array([0.3, 0.7])
PARTS = Student(
    np.array([[0.0, 1.0], [3.0, -1.0]]), np.array([[[1.0, 0.3], [0.3, 2.0]], np.eye(2)]), np.array([3.0, 30.0])
)


def drawn(n: int = 40) -> np.ndarray:
    return 4 * np.random.default_rng(0).standard_t(2, (2, n))


@pytest.mark.parametrize("dof", [[3.0, 30.0], [1.0, 2e5]], ids=["ordinary", "nearly normal"])
def test_densities_are_those_of_scipy(dof: list[float]) -> None:
    mixture = Mixture(WEIGHTS, Student(PARTS.means, PARTS.scales, np.array(dof)), family_of("student"))
    x = drawn()
    t, link = mixture.family.statistics(x), mixture.link()
    assert link is not None
    found = link.eta @ t
    link.log_joint(found, t)
    for k in range(2):
        wanted = stats.multivariate_t(PARTS.means[k], PARTS.scales[k], dof[k]).logpdf(x.T) + np.log(WEIGHTS[k])
        np.testing.assert_allclose(found[k], wanted, rtol=1e-9)


def test_what_is_gathered_is_a_sum_over_samples() -> None:
    mixture, x = Mixture(WEIGHTS, PARTS, family_of("student")), drawn()
    counts = np.random.default_rng(1).random((2, x.shape[1]))
    t, link = mixture.family.statistics(x), mixture.link()
    assert link is not None
    found = link.gather(counts, link.eta @ t, t)
    for k in range(2):
        nu, offset = PARTS.dof[k], x - PARTS.means[k][:, None]
        delta = (offset * np.linalg.solve(PARTS.scales[k], offset)).sum(0)
        u = (nu + 2) / (nu + delta)
        log_u = np.log(u) + psi((nu + 2) / 2) - np.log((nu + 2) / 2)
        rows = np.concatenate([[np.ones_like(u)], u * t, [log_u - u]])
        np.testing.assert_allclose(found[k], rows @ counts[k], rtol=1e-9)
