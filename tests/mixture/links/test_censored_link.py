"""The link of censored and truncated Gaussians, against scipy's truncated normal distribution."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import integrate, stats

from emseg.mixture.covariance.model import COVARIANCE_MODELS
from emseg.mixture.families.censored_gaussian import CensoredGaussianFamily
from emseg.mixture.families.gaussian import Gaussian
from emseg.mixture.families.sensor_limits import SensorLimits
from emseg.mixture.mixture import Mixture

PARTS = Gaussian(np.array([[0.5], [2.0]]), np.array([[[1.0]], [[4.0]]]))
WEIGHTS = np.array([0.4, 0.6])
SIGMA = np.sqrt(PARTS.covariances[:, 0, 0])


def mixture(**limits: tuple[float, float]) -> Mixture:
    family = CensoredGaussianFamily(COVARIANCE_MODELS["full"], SensorLimits.of(1, **limits))
    return Mixture(WEIGHTS, PARTS, family)


X = np.array([[0.0, 0.7, 3.0, 3.0]])


def test_a_censored_value_has_the_probability_of_all_beyond() -> None:
    found = mixture(censored=(0.0, 3.0)).log_joint(X)
    for k in range(2):
        normal = stats.norm(PARTS.means[k, 0], SIGMA[k])
        wanted = [normal.logcdf(0.0), normal.logpdf(0.7), normal.logsf(3.0), normal.logsf(3.0)]
        np.testing.assert_allclose(found[k], np.log(WEIGHTS[k]) + wanted, rtol=1e-10)


def test_a_censored_value_counts_as_the_mean_beyond() -> None:
    one = mixture(censored=(0.0, 3.0))
    counts = np.array([[0.3, 0.5, 0.2, 0.9], [0.7, 0.5, 0.8, 0.1]])
    t, link = one.family.statistics(X), one.link()
    assert link is not None
    found = link.gather(counts, link.eta @ t, t)
    for k in range(2):
        mean, sd = PARTS.means[k, 0], SIGMA[k]
        below = stats.truncnorm(-np.inf, (0 - mean) / sd, mean, sd)
        above = stats.truncnorm((3 - mean) / sd, np.inf, mean, sd)
        first = [below.moment(1), 0.7, above.moment(1), above.moment(1)]
        second = [below.moment(2), 0.49, above.moment(2), above.moment(2)]
        wanted = [counts[k].sum(), counts[k] @ first, counts[k] @ second]
        np.testing.assert_allclose(found[k], wanted, rtol=1e-7)


def test_truncated_densities_integrate_to_one_within_the_limits() -> None:
    one = mixture(truncated=(-1.0, 2.5))
    x, step = np.linspace(-1, 2.5, 20_001, retstep=True)
    density = np.exp(one.log_joint(x[None]))
    np.testing.assert_allclose(integrate.trapezoid(density, dx=step, axis=1), WEIGHTS, rtol=1e-7)


def test_samples_that_were_not_recorded_are_expected_outside() -> None:
    one, n = mixture(truncated=(-1.0, 2.5)), np.array([[2.0], [3.0]])
    t, link = one.family.statistics(np.array([[0.7]])), one.link()
    assert link is not None
    found = link.gather(n, link.eta @ t, t)
    for k in range(2):
        mean, sd = PARTS.means[k, 0], SIGMA[k]
        cut = stats.truncnorm((-1 - mean) / sd, (2.5 - mean) / sd, mean, sd)
        p = stats.norm.cdf(2.5, mean, sd) - stats.norm.cdf(-1, mean, sd)
        outside = mean - p * cut.mean()  # E[x] is what is within and without
        assert found[k, 0] == pytest.approx(n[k, 0] / p, rel=1e-9)
        assert found[k, 1] == pytest.approx(n[k, 0] * (0.7 + outside / p), rel=1e-9)
