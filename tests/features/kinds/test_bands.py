from __future__ import annotations

import numpy as np
import pytest

from emseg.features.feature import Pixels
from emseg.features.kinds import bands, rgb
from emseg.image.missing.partly_known import partly_known
from emseg.image.model import Image


@pytest.mark.parametrize("channels", [1, 2, 5])
def test_every_channel_as_stored(channels: int) -> None:
    values = np.random.default_rng(0).normal(size=(4, 6, channels))
    found = bands.FEATURE.measure(Pixels(Image.from_array(values), None))
    np.testing.assert_array_equal(found, values.reshape(24, channels).T)
    assert bands.FEATURE.value_names(channels) == tuple(f"band {c}" for c in range(1, channels + 1))


@pytest.mark.parametrize("feature", [bands.FEATURE, rgb.FEATURE])
def test_each_is_known_where_its_channel_is(feature: object) -> None:
    known = np.random.default_rng(0).random((4, 6, 3)) < 0.6
    image = partly_known(Image.from_array(np.random.default_rng(1).normal(size=(4, 6, 3))), known)
    assert image.valid is None or image.valid.any()
    found = feature.measure(Pixels(image, None, missing=True))  # type: ignore[attr-defined]
    np.testing.assert_array_equal(~np.isnan(found), known.reshape(24, 3).T)
