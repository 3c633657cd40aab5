from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from emseg.image.model import Image
from emseg.regions.measures.intensities import band_names, intensities
from emseg.regions.measures.runs import runs_of

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float32])
def test_mean_min_and_max(dtype: type) -> None:
    ids = RNG.integers(0, 5, (20, 30)).astype(np.int32)
    photo = Image.from_array(RNG.integers(0, 255, (20, 30, 3)).astype(dtype))
    found = intensities(runs_of(ids, 4), photo)
    for band, name in enumerate(("red", "green", "blue")):
        for what in ("mean", "minimum", "maximum"):
            expected = getattr(ndimage, what)(photo.pixels[:, :, band], ids, range(1, 5))
            np.testing.assert_allclose(found[f"{what[:4] if what == 'mean' else what[:3]}_{name}"], expected)


def test_what_is_unknown_does_not_count() -> None:
    pixels = np.array([[[1.0, 5.0], [np.nan, 7.0], [3.0, np.nan]]])
    found = intensities(runs_of(np.array([[1, 1, 2]], np.int32), 2), Image.from_array(pixels))
    assert found["mean_band_1"].tolist() == [1, 3]
    assert found["max_band_2"].tolist()[0] == 7
    assert np.isnan(found["min_band_2"][1])


def test_names_of_bands() -> None:
    photo = Image.from_array(np.zeros((2, 3, 2)))
    assert band_names(photo) == ("band_1", "band_2")
    assert band_names(replace(photo, channels=(2, 4))) == ("band_2", "band_4")
    assert band_names(replace(photo, channel_names=("DAPI", "GFP  x"))) == ("DAPI", "GFP_x")
    assert band_names(replace(photo, channel_names=("a", "a"))) == ("band_1", "band_2")
    assert band_names(Image.from_array(np.zeros((2, 3)))) == ("gray",)
