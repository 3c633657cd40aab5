from __future__ import annotations

import numpy as np
import pytest
from skimage.color import rgb2hsv

from emseg.features.kinds.hsv import hsv

from .colours import stored, unit


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float64"])
def test_it_is_that_of_scikit_image_with_hue_as_an_angle(dtype: str) -> None:
    values = stored(dtype)
    hue, saturation, value = rgb2hsv(unit(values)).T
    expected = saturation * np.cos(2 * np.pi * hue), saturation * np.sin(2 * np.pi * hue), value
    np.testing.assert_allclose(hsv(values), expected, atol=1e-12)
