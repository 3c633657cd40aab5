from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from emseg.errors import ImageError
from emseg.image.model import Image


@pytest.mark.parametrize(
    ("shape", "colour"), [((4, 5), "gray"), ((4, 5, 1), "gray"), ((4, 5, 3), "rgb"), ((4, 5, 2), "bands")]
)
def test_channels_say_what_they_mean(shape: tuple[int, ...], colour: str) -> None:
    image = Image.from_array(np.zeros(shape, np.uint8))
    assert (image.colour, image.shape, image.extent) == (colour, (4, 5), [5, 4])


def test_the_extent_of_a_volume_has_three_lengths() -> None:
    assert Image(np.zeros((6, 4, 1)), "gray", metadata={"volume": (2, 3, 4)}).extent == [4, 3, 2]


@given(hnp.arrays(np.float64, (3, 4, 2), elements=st.sampled_from([0.0, 1.0, np.nan, np.inf])), st.booleans())
def test_what_is_no_number_is_no_data(pixels: np.ndarray, masked: bool) -> None:
    given_valid = np.arange(12).reshape(3, 4) % 3 > 0 if masked else None
    image = Image.from_array(pixels, given_valid)
    finite = np.isfinite(pixels)
    inside = np.ones((3, 4), bool) if given_valid is None else given_valid
    whole = finite.all(2) & inside
    np.testing.assert_array_equal(np.ones((3, 4), bool) if image.valid is None else image.valid, whole)
    assert image.valid is None or not image.valid.all()
    if image.known is not None:
        np.testing.assert_array_equal(image.known, finite & inside[:, :, None])
    else:
        assert (finite.all(2) == finite.any(2)).all()


@pytest.mark.parametrize("array", [np.zeros(3), np.zeros((0, 4)), np.zeros((2, 2), complex), np.array([["a"]])])
def test_what_is_no_image_is_refused(array: np.ndarray) -> None:
    with pytest.raises(ImageError, match=r"photo: expected real numbers .*; convert it first"):
        Image.from_array(array, name="photo")


def test_notices_are_kept_in_order_and_once() -> None:
    image = Image.from_array(np.zeros((2, 2)))
    assert image.with_notices() is image
    assert image.with_notices("b", "a").with_notices("c", "a").notices == ("b", "a", "c")


def test_booleans_and_foreign_byte_orders() -> None:
    assert Image.from_array(np.eye(3, dtype=bool)).pixels.dtype == np.uint8
    swapped = Image.from_array(np.arange(6, dtype=">u2").reshape(2, 3))
    assert swapped.pixels.dtype.isnative
    np.testing.assert_array_equal(swapped.pixels[:, :, 0], [[0, 1, 2], [3, 4, 5]])
