"""Options spelt out for the stages: each of them arrives, and what the samples cannot carry is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from emseg.commands.shared_steps import features_to_fit, problem_to_fit
from emseg.errors import DataError
from emseg.image.model import Image
from emseg.options.segmentation import SegmentOptions

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
