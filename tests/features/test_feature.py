from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra import numpy as hnp
from skimage.util import img_as_float64

from emseg.errors import DataError
from emseg.features.feature import (
    LARGEST,
    SMALLEST,
    Pixels,
    Pointwise,
    Stored,
    as_stored,
    has_unit_scale,
    on_unit_scale,
)
from emseg.image.missing.partly_known import partly_known
from emseg.image.model import Image


class Sum(Pointwise):
    names = ("sum",)
    units = "1"

    def transform(self, stored: np.ndarray) -> np.ndarray:
        return as_stored(stored).sum(0)[None]


class Even(Stored):
    names = ("even",)

    def undefined(self, stored: np.ndarray) -> np.ndarray:
        return np.asarray(stored[0] % 2 == 1)


SUM, EVEN = Sum(), Even()


@given(hnp.arrays(np.uint8, (3, 7)))
def test_a_table_of_all_values_is_the_curve(values: np.ndarray) -> None:
    expected = np.sqrt(img_as_float64(values))
    np.testing.assert_allclose(on_unit_scale(values, np.sqrt), expected, rtol=4 * np.finfo(float).eps)


@pytest.mark.parametrize(
    ("values", "known"),
    [
        (np.zeros(3, np.uint8), True),
        (np.zeros(3, np.uint16), True),
        (np.zeros(3, np.int16), False),
        (np.zeros(3, np.uint32), False),
        (np.array([0.0, 1.0]), True),
        (np.array([0.0, 1.1]), False),
        (np.array([-0.1, 1.0]), False),
    ],
)
def test_where_1_is_known(values: np.ndarray, known: bool) -> None:
    assert has_unit_scale(values) is known


@pytest.mark.parametrize("size", [SMALLEST / 2, LARGEST * 2])
def test_values_whose_squares_are_no_numbers_are_refused(size: float) -> None:
    image = Image.from_array(np.full((2, 2, 1), size))
    with pytest.raises(DataError, match="scale the values first"):
        SUM.measure(Pixels(image, None))
    assert SUM.measure(Pixels(Image.from_array(np.zeros((2, 2))), None)).tolist() == [[0.0] * 4]


def test_what_mixes_channels_is_unknown_where_one_is() -> None:
    known = np.ones((1, 3, 2), bool)
    known[0, 1, 0] = False
    image = partly_known(Image.from_array(np.arange(6.0).reshape(1, 3, 2)), known)
    np.testing.assert_array_equal(SUM.measure(Pixels(image, None)), [[1, np.nan, 9]])


def test_what_is_undefined_is_unknown_only_if_that_may_be() -> None:
    image = Image.from_array(np.arange(4.0).reshape(1, 4))
    np.testing.assert_array_equal(EVEN.measure(Pixels(image, None, missing=True)), [[0, np.nan, 2, np.nan]])
    np.testing.assert_array_equal(EVEN.measure(Pixels(image, None)), [[0, 1, 2, 3]])
