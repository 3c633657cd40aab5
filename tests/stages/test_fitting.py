"""Families and problems that options ask for; components that a fit has emptied are left out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.stats import multivariate_normal

import emseg
from emseg.em.convergence import Status
from emseg.em.fit import Fit
from emseg.em.variants.em import EM
from emseg.errors import DataError, EmsegError, for_python
from emseg.features.build import build_features
from emseg.image.model import Image
from emseg.mixture.families.gaussian import GAUSSIANS, Gaussian
from emseg.mixture.families.outliers import with_outliers
from emseg.mixture.family import Family
from emseg.mixture.mixture import Mixture
from emseg.stages.fitting import LEAST_PIXELS, component_family, fit_mixture, fitting_problem, small_classes, surviving
from emseg.stages.inputs.value_limits import value_limits
from emseg.stages.units import standardised

pytestmark = pytest.mark.long

Picture = tuple[np.ndarray, np.ndarray]


@pytest.mark.parametrize("covariance", ["full", "diag"])
def test_labels_are_those_of_the_components_that_survive(picture: Picture, covariance: str) -> None:
    found = emseg.segment(picture[0], k=8, algorithm="vb", features="rgb", covariance=covariance, max_iter=3000)
    report = found.report
    assert 3 <= report["surviving"] < 8
    assert report["K"] == report["surviving"] == 8 - report["emptied"] == len(report["weights"])
    assert sorted(set(found.labels.ravel())) == list(range(1, report["K"] + 1))
    assert sum(report["weights"]) == pytest.approx(1)
    assert len(report["pixel_counts"]) == len(found.posterior()) == report["K"]
    assert emseg.segment(picture[0], k=3, algorithm="vb").report["emptied"] == 0


def ended(counts: list[float], outliers: bool = False) -> Fit[Mixture]:
    """A fit with these expected counts, components from bright to dark, of which the last may be outliers."""
    k = len(counts) - outliers
    x = np.linspace(0, 50, 40)[None]
    family: Family = GAUSSIANS["full"]
    weights, parts = np.full(k, 1 / k), Gaussian(np.arange(10.0 * k, 0, -10)[:, None], np.ones((k, 1, 1)))
    mixture = Mixture(weights, parts, family)
    if outliers:
        family = with_outliers(family, x)
        mixture = Mixture(*family.with_outliers(weights, parts), family)
    return Fit(mixture, (), Status.CONVERGED, np.array(counts))


def test_a_component_of_less_than_a_tenth_of_a_pixel_is_empty() -> None:
    found = surviving(ended([20, 0.11, 0.09, 0.0, 19.8]))
    assert found.components.means.ravel().tolist() == [10, 40, 50]  # in canonical order
    assert found.weights.sum() == pytest.approx(1)
    assert surviving(ended([20, LEAST_PIXELS, 0.3])).k == 3


def test_outliers_are_kept_however_few() -> None:
    found = surviving(ended([20, 0.01, 19.9, 0.0], outliers=True))
    assert found.n_classes == 2
    assert found.k == 3
    assert found.weights.sum() == pytest.approx(1)


@pytest.mark.parametrize("scale", [[2.0], [2.0, 0.5]])
def test_likelihoods_are_in_the_units_of_the_features(scale: list[float]) -> None:
    """SciPy's densities of the samples in their own units."""
    rng = np.random.default_rng(0)
    d = len(scale)
    values = rng.normal(3, 5, (6, 7, d))
    features = build_features(Image.from_array(values), "bands" if d == 2 else "gray")
    problem = fitting_problem(features, GAUSSIANS["full"], 1e-9)
    mean, cov = np.full(d, 1.0), np.diag(np.square(scale))
    own = Mixture(np.ones(1), Gaussian(mean[None], cov[None]), GAUSSIANS["full"])
    expected = multivariate_normal(mean, cov).logpdf(values.reshape(-1, d)).sum()
    assert float(problem.e_step(standardised(own, features)).log_likelihood) == pytest.approx(expected, rel=1e-9)


def test_a_start_without_extent_has_one_line() -> None:
    features = build_features(Image.from_array(np.arange(12.0).reshape(3, 4)), "gray")
    problem = fitting_problem(features, GAUSSIANS["full"], 0)
    point = Mixture(np.ones(1), Gaussian(np.zeros((1, 1)), np.zeros((1, 1, 1))), GAUSSIANS["full"])
    with pytest.raises(DataError, match="photo: the start has a component without extent; give a floor above 0"):
        fit_mixture(EM(), problem, point, np.random.default_rng(0), tol=1e-5, max_iter=5, name="photo")


@pytest.mark.parametrize(
    ("options", "kind"),
    [
        ({}, "GaussianFamily"),
        ({"family": "student", "dof": 4.0}, "StudentFamily"),
        ({"limits": value_limits("0,255", "")}, "CensoredGaussianFamily"),
        ({"partial_volume": True}, "PartialVolumeFamily"),
        ({"noise": True}, "OutlierFamily"),
    ],
)
def test_options_add_to_the_family(options: dict[str, Any], kind: str) -> None:
    features = build_features(Image.from_array(np.arange(12.0).reshape(3, 4)), "gray")
    usual = {"family": "gaussian", "covariance": "full", "dof": "each", "limits": None}
    found = component_family(features, **{**usual, "partial_volume": False, "noise": False, **options})
    assert type(found).__name__ == kind


@pytest.mark.parametrize("family", ["poisson", "gamma"])
def test_outliers_need_room_in_each_feature(family: str) -> None:
    """Counts keep their own units, so a band that is the same everywhere is not left out."""
    image = np.random.default_rng(0).integers(1, 200, (12, 15, 3)).astype(np.uint8)
    image[..., 2] = 128
    with pytest.raises(EmsegError, match="B is the same everywhere, and so leaves outliers no room; leave out B, or "):
        emseg.segment(image, 2, family=family, noise=True, features="rgb")


@pytest.mark.parametrize(
    ("counts", "line"),
    [
        ([5000, 1, 6000], "class 2 has 1 pixel; k=2 has no class for such"),
        ([9000, 0, 3, 1, 8000], "classes 3, 4 have 3 pixels at most; k=2 has no class for such"),
        ([9000, 3, 9000], "class 2 has 3 pixels; k=2 has no class for such"),
        ([5000, 4, 60000], ""),
        ([300, 1, 200], ""),
        ([5, 1, 0], ""),
    ],
)
def test_classes_of_a_few_pixels_get_a_line(counts: list[int], line: str) -> None:
    assert [for_python(found) for found in small_classes(np.array(counts))] == ([line] if line else [])
