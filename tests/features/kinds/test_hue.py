from __future__ import annotations

import colorsys

import numpy as np
import pytest

from emseg.features.kinds.hue import hue, is_grey

from .colours import stored, unit


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float64"])
def test_it_is_that_of_the_standard_library(dtype: str) -> None:
    values = stored(dtype)
    expected = np.array([2 * np.pi * colorsys.rgb_to_hsv(*colour)[0] for colour in unit(values)])
    gap = np.abs(hue(values)[0] - expected)
    np.testing.assert_allclose(np.minimum(gap, 2 * np.pi - gap), 0, atol=1e-12)
    assert hue(values).min() >= 0
    assert hue(values).max() < 2 * np.pi


def test_grey_has_none() -> None:
    values = stored("uint8")
    np.testing.assert_array_equal(is_grey(values), (values[0] == values[1]) & (values[1] == values[2]))
    assert is_grey(values)[:3].all()
    assert not is_grey(values)[3:8].any()
