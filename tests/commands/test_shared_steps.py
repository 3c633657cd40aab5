"""Options spelt out for the stages: each of them arrives, and what the samples cannot carry is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import emseg
from emseg.commands.shared_steps import channels_as_meant, features_to_fit, problem_to_fit
from emseg.errors import DataError, UsageError
from emseg.image.model import Image
from emseg.options.declarations.segmentation import SegmentOptions

PHOTO = Image.from_array(np.random.default_rng(0).integers(1, 255, (12, 15, 3)).astype(np.uint8))


@pytest.mark.parametrize(
    ("options", "spec", "family"),
    [
        ({}, "lab", "GaussianFamily"),
        ({"features": "rgb,xy"}, "rgb,xy", "GaussianFamily"),
        ({"family": "student", "dof": 3.0}, "lab", "StudentFamily"),
        ({"family": "gamma"}, "rgb", "GammaFamily"),
        ({"censored": "0,255"}, "rgb", "CensoredGaussianFamily"),
        ({"truncated": "-1,256"}, "rgb", "CensoredGaussianFamily"),
        ({"partial_volume": True}, "lab", "PartialVolumeFamily"),
        ({"noise": True}, "lab", "OutlierFamily"),
    ],
)
def test_options_reach_their_stages(options: dict[str, Any], spec: str, family: str) -> None:
    settings = SegmentOptions(**{"k": 2, "floor": 1e-4, **options})
    features = features_to_fit(PHOTO, None, settings)
    problem = problem_to_fit(features, settings)
    assert features.spec == spec
    assert type(problem.family).__name__ == family
    assert problem.floor == 1e-4
    assert problem.n == 12 * 15


def test_compress_joins_equal_samples() -> None:
    twice = Image.from_array(np.concatenate([PHOTO.pixels, PHOTO.pixels]))
    joined, apart = (features_to_fit(twice, None, SegmentOptions(k=2, compress=compress)) for compress in (True, False))
    assert joined.x.shape[1] <= 180
    assert apart.x.shape[1] == 360


@pytest.mark.parametrize(("k", "refused"), [(3, False), (4, True), ("2:3", False), ("2:4", True), ("auto", False)])
def test_a_range_ends_at_what_is_there_only_if_nobody_gave_it(k: int | str, refused: bool) -> None:
    photo = Image.from_array(np.tile(np.array([[0, 50, 200]], np.uint8), (4, 4)))
    if refused:
        with pytest.raises(DataError, match="3 distinct values cannot make 4 components"):
            features_to_fit(photo, None, SegmentOptions(k=k))
    else:
        assert features_to_fit(photo, None, SegmentOptions(k=k)).n_distinct(9) == 3


@pytest.mark.parametrize("features", ["lab", "rgb", "gray", "hsv,xy:0.5", "chroma"])
def test_three_bands_are_colours_where_features_want_them(features: str) -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (20, 24, 3), np.uint8)
    bands = replace(Image.from_array(pixels), colour="bands")
    found, plain = emseg.segment(bands, 3, features=features), emseg.segment(pixels, 3, features=features)
    np.testing.assert_array_equal(found.labels, plain.labels)
    np.testing.assert_array_equal(emseg.apply(plain, bands).labels, plain.labels)
    assert channels_as_meant(bands, "bands").colour == channels_as_meant(bands, "bands,xy").colour == "bands"
    two = Image.from_array(pixels[:, :, :2])
    assert channels_as_meant(two, features) is two
    with pytest.raises(UsageError, match="does not fit a multi-band image"):
        emseg.segment(two, 3, features=features)
