"""Planes of an image: there and back without loss, in units of which white has about 255, whatever the type."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emseg.errors import DataError
from emseg.image.model import Image
from emseg.stages.inputs.planes import Planes, slices_of, usual

TYPES = (np.uint8, np.uint16, np.int16, np.uint32, np.float32, np.float64)


@given(st.sampled_from(TYPES), st.integers(0, 99), st.integers(1, 3))
def test_there_and_back(dtype: type, seed: int, channels: int) -> None:
    rng = np.random.default_rng(seed)
    high = 250 if dtype == np.uint8 else 3000
    stored = rng.integers(0, high, (9, 7, channels)).astype(dtype)
    photo = Image.from_array(stored)
    planes = Planes.of(photo)
    back = planes.back(planes.values, photo)
    assert back.dtype == stored.dtype
    if np.dtype(dtype).kind in "ui":
        np.testing.assert_array_equal(back, stored)
    else:
        np.testing.assert_allclose(back, stored, atol=4 * np.finfo(np.float32).eps * high)


@pytest.mark.parametrize(("dtype", "grey"), [(np.uint8, 1), (np.uint16, 257), (np.float32, 1)])
def test_a_grey_level_is_the_255th_part_of_white(dtype: type, grey: float) -> None:
    stored = (np.arange(64).reshape(8, 8) * 4 * grey).astype(dtype)
    planes = Planes.of(Image.from_array(stored))
    assert planes.grey == grey
    assert planes.unit == grey
    assert np.ptp(planes.values) == pytest.approx(63 * 4, rel=1e-6)


@pytest.mark.parametrize("scale", [1e-9, 1e-3, 1e5, 1e12])
def test_small_and_large_numbers_are_brought_to_the_usual_range(scale: float) -> None:
    stored = scale * np.random.default_rng(0).random((20, 20))
    planes = Planes.of(Image.from_array(stored))
    assert 100 < np.ptp(planes.values) < 600
    np.testing.assert_allclose(planes.back(planes.values, Image.from_array(stored))[..., 0], stored, atol=1e-6 * scale)


def test_pixels_without_data_have_the_nearest_value_and_stay_as_stored() -> None:
    stored = np.array([[1.0, np.nan, 9.0, np.nan, np.nan, 5.0]])
    photo = Image.from_array(stored)
    planes = Planes.of(photo)
    values = planes.values[0] * planes.unit + planes.shift * planes.unit
    assert values[0, [0, 2, 3, 4, 5]].tolist() == pytest.approx([1, 9, 9, 5, 5], rel=1e-5)
    back = planes.back(planes.values + 1, photo)[..., 0]
    np.testing.assert_array_equal(np.isnan(back), np.isnan(stored))
    assert back[0, 0] == pytest.approx(1 + planes.unit, rel=1e-5)


def test_a_mask_that_hides_everything() -> None:
    with pytest.raises(DataError, match="no pixel has data"):
        Planes.of(Image.from_array(np.ones((3, 3))), np.zeros((3, 3), bool))


def test_a_few_far_values_have_no_say_in_what_is_usual() -> None:
    values = np.random.default_rng(0).normal(100, 10, (5000, 1))
    middle, spread = usual(values)
    values[:10] = 1e30
    again = usual(values)
    assert again[0] == pytest.approx(middle, abs=0.5)
    assert again[1] == pytest.approx(spread, rel=0.1)
    assert usual(np.full((9, 1), 3.0)) == (3.0, 0.0)
    assert usual(np.array([[0.0]] * 999 + [[8.0]]))[1] == 8.0


def test_slices_of_a_volume() -> None:
    pixels = np.zeros((12, 5, 1))
    assert slices_of(Image(pixels, "gray", metadata={"volume": (4, 3, 5)})) == 4
    assert slices_of(Image(pixels, "gray")) == 1
