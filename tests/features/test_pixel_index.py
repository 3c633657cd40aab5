from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from emseg.errors import DataError
from emseg.features.pixel_index import CodeIndex, PixelIndex, distinct_samples, pixel_samples, usable
from emseg.image.model import Image

PIXELS = hnp.arrays(
    st.sampled_from([np.uint8, np.int8, np.uint16, np.int16, np.uint32, np.int64]),
    hnp.array_shapes(min_dims=3, max_dims=3, max_side=5),
    elements=st.integers(0, 3),
)


@given(pixels=PIXELS, data=st.data())
def test_distinct_values_are_those_of_numpy(pixels: np.ndarray, data: st.DataObject) -> None:
    valid = data.draw(hnp.arrays(bool, pixels.shape[:2]).filter(np.any)).ravel()
    found = distinct_samples(Image(pixels, "bands"), valid)
    flat = pixels.reshape(-1, pixels.shape[2])[valid]
    if 8 * pixels.dtype.itemsize * pixels.shape[2] > 64:
        assert isinstance(found.index, PixelIndex)
        np.testing.assert_array_equal(found.values.T, flat)
        return
    values, counts = np.unique(flat, axis=0, return_counts=True)
    order = np.lexsort(found.values[::-1])
    assert found.values.dtype == pixels.dtype
    np.testing.assert_array_equal(found.values.T[order], values)
    np.testing.assert_array_equal(found.weight[order], counts)
    back = np.zeros((pixels.shape[2], valid.size), pixels.dtype)
    for row, plane in zip(found.values, back, strict=True):
        found.index.spread(row, plane)
    np.testing.assert_array_equal(back.T[valid], flat)
    assert not back[:, ~valid].any()


@given(pixels=PIXELS, data=st.data())
def test_unknown_channels_make_values_of_their_own(pixels: np.ndarray, data: st.DataObject) -> None:
    known = data.draw(hnp.arrays(bool, pixels.shape))
    image = Image(pixels, "bands", known=known)
    found = distinct_samples(image, None)
    if not isinstance(found.index, CodeIndex):
        return
    assert found.known is not None
    flat = np.where(known, pixels.astype(np.int64), -1).reshape(-1, pixels.shape[2])
    distinct = np.where(found.known, found.values.astype(np.int64), -1).T
    np.testing.assert_array_equal(np.unique(distinct, axis=0), np.unique(flat, axis=0))
    assert len(distinct) == len(np.unique(flat, axis=0))


def test_floats_stay_pixels() -> None:
    values = np.random.default_rng(0).random((3, 4, 2))
    found = distinct_samples(Image.from_array(values), None)
    np.testing.assert_array_equal(found.values, pixel_samples(Image.from_array(values), None).values)
    np.testing.assert_array_equal(found.weight, 1)


def test_usable_pixels() -> None:
    valid = np.array([[True, False], [True, True]])
    image = Image(np.zeros((2, 2, 1), np.uint8), "gray", valid)
    assert usable(Image(image.pixels, "gray"), None) is None
    assert usable(Image(image.pixels, "gray"), np.ones((2, 2), bool)) is None
    np.testing.assert_array_equal(usable(image, None), valid.ravel())
    np.testing.assert_array_equal(usable(image, ~np.eye(2, dtype=bool)), [False, False, True, False])
    with pytest.raises(DataError, match="fully masked"):
        usable(image, ~valid)
    with pytest.raises(DataError, match="3x1 pixels, the image 2x2"):
        usable(image, np.ones((1, 3), bool))
