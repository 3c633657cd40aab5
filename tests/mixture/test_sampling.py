"""Random samples: their moments are those of the components, and every family draws."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import kstest, norm, truncnorm

from emseg.errors import DataError
from emseg.mixture.families.censored_gaussian import CensoredGaussianFamily
from emseg.mixture.families.gamma import Gamma
from emseg.mixture.families.gaussian import Gaussian
from emseg.mixture.families.outliers import with_outliers
from emseg.mixture.families.partial_volume import PartialVolume, PartialVolumeFamily
from emseg.mixture.families.poisson import Poisson
from emseg.mixture.families.registry import FAMILIES, family_of
from emseg.mixture.families.sensor_limits import SensorLimits
from emseg.mixture.families.student import Student
from emseg.mixture.families.von_mises import VonMises
from emseg.mixture.mixture import Mixture
from emseg.mixture.sampling import draw, sampled

N = 40_000
MEANS = np.array([[1.0, 2.0], [5.0, 9.0]])
MATRICES = np.array([[[2.0, 0.6], [0.6, 1.0]], [[0.5, -0.2], [-0.2, 0.3]]])
WEIGHTS = np.array([0.3, 0.7])
PARTS = {
    "gaussian": Gaussian(MEANS, MATRICES),
    "student": Student(MEANS, MATRICES, np.array([7.0, 12.0])),
    "poisson": Poisson(MEANS),
    "gamma": Gamma(MEANS, np.array([[3.0, 8.0], [2.0, 20.0]])),
}


def drawn(mixture: Mixture) -> tuple[np.ndarray, np.ndarray]:
    return sampled(mixture, N, np.random.default_rng(0))


def test_every_family_draws() -> None:
    for name in FAMILIES:
        assert draw.dispatch(type(family_of(name))) is not draw.dispatch(object)


@pytest.mark.parametrize("name", PARTS)
def test_moments_are_those_of_the_components(name: str) -> None:
    x, which = drawn(Mixture(WEIGHTS, PARTS[name], family_of(name)))
    assert (which == 1).mean() == pytest.approx(0.7, abs=5 * np.sqrt(0.21 / N))
    for k, expected in enumerate(PARTS[name].covariances):
        own = x[:, which == k]
        error = np.sqrt(np.diag(expected) / own.shape[1])
        assert (np.abs(own.mean(1) - MEANS[k]) < 5 * error).all()
        np.testing.assert_allclose(np.cov(own), expected, rtol=0.15, atol=0.1)


def test_angles_have_their_resultants() -> None:
    parts = VonMises(np.array([[1.0], [-2.0]]), np.array([[4.0], [0.5]]))
    x, which = drawn(Mixture(WEIGHTS, parts, family_of("von-mises")))
    from scipy.special import i0e, i1e

    for k, (mean, kappa) in enumerate([(1.0, 4.0), (-2.0, 0.5)]):
        expected = i1e(kappa) / i0e(kappa) * np.exp(1j * mean)
        assert abs(np.exp(1j * x[0, which == k]).mean() - expected) < 0.03


def test_a_singular_covariance_stays_within_its_plane() -> None:
    flat = np.array([[[1.0, 1.0], [1.0, 1.0]]])
    x, _ = drawn(Mixture(np.ones(1), Gaussian(np.zeros((1, 2)), flat), family_of("gaussian")))
    np.testing.assert_allclose(x[0], x[1], atol=1e-6)
    assert kstest(x[0], norm.cdf).pvalue > 1e-3


def test_truncated_samples_lie_within_and_censored_ones_at_the_limits() -> None:
    one = Gaussian(np.zeros((1, 1)), np.ones((1, 1, 1)))
    model = family_of("gaussian").covariance  # type: ignore[attr-defined]
    truncated = CensoredGaussianFamily(model, SensorLimits.of(1, truncated=(0.5, 2.0)))
    x, _ = drawn(Mixture(np.ones(1), one, truncated))
    assert kstest(x[0], truncnorm(0.5, 2.0).cdf).pvalue > 1e-3
    censored = CensoredGaussianFamily(model, SensorLimits.of(1, censored=(-1.0, 0.5)))
    x, _ = drawn(Mixture(np.ones(1), one, censored))
    assert (x.min(), x.max()) == (-1.0, 0.5)
    assert (x == 0.5).mean() == pytest.approx(norm.sf(0.5), abs=0.01)


def test_outliers_fill_their_box() -> None:
    box = np.array([[0.0, 10.0], [20.0, 60.0]])
    family = with_outliers(family_of("gaussian"), box)
    mixture = Mixture(*family.with_outliers(WEIGHTS, PARTS["gaussian"], 0.4), family)
    x, which = drawn(mixture.affine(np.array([1.0, 1.0]), np.array([2.0, 0.5])))
    outliers = x[:, which == 2]
    assert outliers.shape[1] == pytest.approx(0.4 * N, rel=0.05)
    for row, (low, high) in zip(outliers, [(1, 21), (11, 31)], strict=True):
        assert kstest((row - low) / (high - low), "uniform").pvalue > 1e-3


def test_mixed_samples_are_those_of_the_density() -> None:
    parts = PartialVolume(
        np.array([[0.0], [10.0], [30.0]]),
        np.array([[[1.0]], [[4.0]], [[2.0]]]),
        np.array([[0.0, 0.6, 0.4], [0.3, 0.3, 0.4], [0.2, 0.8, 0.0]]),
    )
    weights, parts = PartialVolumeFamily(family_of("gaussian")).tied(np.array([0.3, 0.4, 0.3]), parts)  # type: ignore[arg-type]
    mixture = Mixture(weights, parts, PartialVolumeFamily(family_of("gaussian")))  # type: ignore[arg-type]
    x, _ = drawn(mixture)
    grid = np.linspace(-8, 40, 4801)
    density = np.exp(mixture.log_joint(grid[None])).sum(0)
    below = np.concatenate([[0], np.cumsum((density[1:] + density[:-1]) / 2) * (grid[1] - grid[0])])
    assert kstest(x[0], lambda value: np.interp(value, grid, below)).pvalue > 1e-4


def test_what_was_hardly_ever_recorded_cannot_be_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("emseg.mixture.sampling.ROUNDS", 3)
    model = family_of("gaussian").covariance  # type: ignore[attr-defined]
    family = CensoredGaussianFamily(model, SensorLimits.of(1, truncated=(9.0, 10.0)))
    one = Gaussian(np.zeros((1, 1)), np.ones((1, 1, 1)))
    with pytest.raises(DataError, match="hardly any sample of a component lies within truncated"):
        drawn(Mixture(np.ones(1), one, family))
