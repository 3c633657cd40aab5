from __future__ import annotations

import numpy as np

from emseg.features.feature import Pixels
from emseg.features.kinds.rgb import FEATURE
from emseg.image.model import Image


def test_distinct_colours_in_their_own_type() -> None:
    pixels = np.random.default_rng(0).integers(0, 3, (30, 20, 3)).astype(np.uint8)
    measured = Pixels(Image.from_array(pixels), None)
    found, expected = FEATURE.measure(measured), np.unique(pixels.reshape(-1, 3), axis=0, return_counts=True)
    order = np.lexsort(found[::-1])
    np.testing.assert_array_equal(found.T[order], expected[0])
    np.testing.assert_array_equal(measured.samples.weight[order], expected[1])
