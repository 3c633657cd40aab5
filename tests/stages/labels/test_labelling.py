"""Labels of all pixels: the largest posterior, counts of pixels, and pictures without holes."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from emseg.features.build import build_features
from emseg.image.missing.partly_known import partly_known
from emseg.image.model import Image
from emseg.mixture.families.gaussian import GAUSSIANS, Gaussian
from emseg.mixture.families.partial_volume import PartialVolumeFamily
from emseg.mixture.mixture import Mixture
from emseg.stages.labels.fractions import fractions
from emseg.stages.labels.labelling import label_pixels
from emseg.stages.units import standardised

WEIGHTS, MEANS, SPREAD = np.array([0.6, 0.4]), np.array([60.0, 140.0]), np.array([20.0, 30.0])
VALUES = np.random.default_rng(0).integers(10, 200, (15, 20)).astype(np.uint8)
OWN = Mixture(WEIGHTS, Gaussian(MEANS[:, None], (SPREAD**2)[:, None, None]), GAUSSIANS["full"])


@pytest.mark.parametrize("compress", [True, False])
def test_labels_are_those_of_bayes_rule(compress: bool) -> None:
    photo = Image.from_array(VALUES)
    features = build_features(photo, "gray", compress=compress)
    found = label_pixels(photo, features, standardised(OWN, features))
    joint = WEIGHTS[:, None, None] * norm.pdf(VALUES, MEANS[:, None, None], SPREAD[:, None, None])
    np.testing.assert_array_equal(found.labels, joint.argmax(0) + 1)
    assert found.counts.tolist() == np.bincount(found.labels.ravel())[1:].tolist()
    assert found.log_posterior == pytest.approx(np.log(joint.max(0) / joint.sum(0)).sum(), rel=1e-6)
    assert found.shown is photo
    assert found.colours is not None
    expected = [VALUES[found.labels == label].mean().round() for label in (1, 2)]
    assert found.colours[:, 0].tolist() == expected


def test_pixels_without_data_have_no_label() -> None:
    photo, inside = Image.from_array(VALUES), VALUES > 100
    features = build_features(photo, "gray", inside)
    found = label_pixels(photo, features, standardised(OWN, features))
    np.testing.assert_array_equal(found.labels > 0, inside)
    assert found.counts.sum() == inside.sum()


def test_mixed_pixels_have_the_label_of_what_they_hold_most_of() -> None:
    photo = Image.from_array(VALUES)
    features = build_features(photo, "gray")
    mixture = standardised(OWN, features).as_start_of(PartialVolumeFamily(GAUSSIANS["full"]))
    found = label_pixels(photo, features, mixture)
    held = fractions(mixture, features, None)
    assert held is not None
    np.testing.assert_array_equal(found.labels, held.argmax(0) + 1)
    assert found.counts.tolist() == np.bincount(found.labels.ravel(), minlength=3)[1:].tolist()


def test_what_is_unknown_is_shown_as_the_mean_of_its_class() -> None:
    pixels = np.stack([VALUES, VALUES, VALUES], axis=2).astype(float)
    pixels[3, 4, 1] = np.nan
    photo = partly_known(Image.from_array(pixels))
    features = build_features(photo, "rgb", missing=True)
    parts = Gaussian(np.repeat(MEANS[:, None], 3, axis=1), np.eye(3) * (SPREAD**2)[:, None, None])
    mixture = standardised(Mixture(WEIGHTS, parts, GAUSSIANS["full"]), features)
    found = label_pixels(photo, features, mixture)
    own = (found.labels == found.labels[3, 4]) & ~np.isnan(pixels[:, :, 1])
    assert found.shown.pixels[3, 4, 1] == pytest.approx(pixels[own, 1].mean())
