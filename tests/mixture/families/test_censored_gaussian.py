"""The family of censored and truncated Gaussians: what it refuses, and how it moves with the samples."""

from __future__ import annotations

import numpy as np
import pytest

from emseg.errors import UsageError
from emseg.mixture.covariance.model import COVARIANCE_MODELS
from emseg.mixture.families.censored_gaussian import CensoredGaussianFamily
from emseg.mixture.families.gaussian import Gaussian
from emseg.mixture.families.sensor_limits import SensorLimits
from emseg.mixture.mixture import Mixture
from emseg.mixture.stats import Stats


def family(**limits: tuple[float, float]) -> CensoredGaussianFamily:
    return CensoredGaussianFamily(COVARIANCE_MODELS["full"], SensorLimits.of(2, **limits))


def test_it_says_which_options_stand_in_the_way() -> None:
    with pytest.raises(UsageError, match=r"^vb: does not go with limits of values; leave out censored and truncated$"):
        family(censored=(0.0, 1.0)).normal_model("vb")
    with pytest.raises(UsageError, match=r"^truncated: does not go with unknown values; use missing='drop'$"):
        family(truncated=(0.0, 1.0)).marginal_family(np.array([0]))
    assert family(censored=(0.0, 1.0)).marginal_family(np.array([1])).limits.low.tolist() == [0.0]


def test_densities_move_with_the_samples() -> None:
    """But for probabilities, which have no unit: the log-density of a censored value does not change."""
    parts = Gaussian(np.array([[1.0, 2.0]]), np.array([[[2.0, 0.5], [0.5, 1.0]]]))
    mixture = Mixture(np.ones(1), parts, family(censored=(0.0, 3.0)))
    shift, scale = np.array([5.0, -1.0]), np.array([2.0, 0.5])
    x = np.array([[1.0, 0.0, 3.0], [2.0, 1.5, 0.0]])
    moved = mixture.affine(shift, scale).log_joint(shift[:, None] + scale[:, None] * x)
    np.testing.assert_allclose(moved + np.log(scale).sum(), mixture.log_joint(x), rtol=1e-10)


def test_samples_that_were_not_recorded_count_in_the_m_step() -> None:
    one = family(truncated=(0.0, 3.0))
    whole = np.array([[4.0, 4.0, 8.0, 8.0, 8.0, 20.0]])
    found = one.m_projection(Stats(np.array([2.0]), whole), 0.0, 2)
    np.testing.assert_allclose(found.means, [[1.0, 2.0]])
    np.testing.assert_allclose(found.covariances, [[[1.0, 0.0], [0.0, 1.0]]], atol=1e-12)
