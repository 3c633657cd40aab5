"""Mixtures in own units and in standardised ones: the same densities but for the Jacobian, and there and back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import emseg
from emseg.errors import DataError
from emseg.features.build import build_features
from emseg.image.model import Image
from emseg.mixture.families.gaussian import GAUSSIANS, Gaussian
from emseg.mixture.mixture import Mixture
from emseg.stages.units import in_own_units, standardised


@given(st.integers(0, 99), st.integers(1, 3))
def test_densities_differ_by_the_jacobian(seed: int, d: int) -> None:
    rng = np.random.default_rng(seed)
    values = rng.normal(rng.uniform(-50, 50), rng.uniform(0.1, 30), (4, 5, d))
    features = build_features(Image.from_array(values), {1: "gray", 2: "bands", 3: "rgb"}[d])
    roots = rng.normal(size=(2, d, d))
    covariances = values.std() ** 2 * (roots @ roots.swapaxes(1, 2) + np.eye(d))
    own = Mixture(np.array([0.3, 0.7]), Gaussian(values[0, :2], covariances), GAUSSIANS["full"])
    inner = standardised(own, features)
    x = features.shift[:, None] + features.scale[:, None] * features.x
    jacobian = np.log(features.scale).sum()
    np.testing.assert_allclose(own.log_joint(x), inner.log_joint(features.x) - jacobian, rtol=1e-8, atol=1e-8)
    back = in_own_units(inner, features)
    np.testing.assert_allclose(back.components.means, own.components.means, rtol=1e-9, atol=1e-9 * values.std())
    np.testing.assert_allclose(back.components.covariances, covariances, rtol=1e-9, atol=1e-9 * values.var())


@pytest.mark.parametrize(("mean", "variance"), [(1e139, 1e-10), (5.0, 1e-290), (1e150, 1.0), (np.inf, 1.0)])
def test_numbers_that_have_no_squares_beside_the_image(mean: float, variance: float) -> None:
    features = build_features(Image.from_array(np.arange(12.0).reshape(3, 4)), "gray")
    own = Mixture(np.array([1.0]), Gaussian(np.array([[mean]]), np.array([[[variance]]])), GAUSSIANS["full"])
    with pytest.raises(DataError, match="too large or too small beside those of the image"):
        standardised(own, features)


@pytest.mark.parametrize("name", ["grey", "flat channel", "twice"])
def test_features_that_depend_on_each_other_are_judged_by_those_that_do_not(name: str, tmp_path: Path) -> None:
    """Their matrices are singular in own units, so that the variance of one may be nothing, or less by rounding."""
    grey = np.random.default_rng(0).integers(0, 255, (24, 24, 1), np.uint8)
    images = {"grey": grey.repeat(3, 2), "flat channel": np.dstack([grey, grey[::-1], grey * 0 + 7])}
    image = images.get(name, np.dstack([grey, grey]))
    result = emseg.segment(image, 3, regions=5)
    assert result.regions is not None
    assert emseg.apply(result, image).labels.max() == 3
    result.model.save(tmp_path / "m.emseg.json")
    assert emseg.apply(str(tmp_path / "m.emseg.json"), image).labels.max() == 3
