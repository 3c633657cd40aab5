"""Values that mean "no data": which types have them, and what they leave of an image."""

from __future__ import annotations

import numpy as np
import pytest

from emseg.errors import UsageError
from emseg.image.missing.nodata import as_stored, without_data, without_declared, without_given
from emseg.image.model import Image


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("255", "u1", 255),
        (" 255.0 \0", "u1", 255),
        (b"7", "i2", 7),
        ("256", "u1", None),
        ("-1", "u2", None),
        ("1e3", "u2", 1000),
        ("0.5", "u1", None),
        ("nan", "i4", None),
        ("inf", "i4", None),
        ("18446744073709551615", "u8", 2**64 - 1),
        ("-9223372036854775808", "i8", -(2**63)),
        ("-9999", "f4", -9999),
        ("0.1", "f4", np.float32(0.1)),
        ("-3.4028234663852886e+38", "f4", np.finfo("f4").min),
        ("-3.4028235e+38", "f4", np.finfo("f4").min),
        ("1e39", "f4", None),
        ("inf", "f8", None),
        ("none", "f8", None),
        ("", "f8", None),
        ("9" * 5000, "f8", None),
        (-5, "i1", -5),
    ],
)
def test_a_text_as_a_sample(text: object, kind: str, value: object) -> None:
    found = as_stored(text, np.dtype(kind))
    assert (found is None) == (value is None)
    if found is not None:
        assert found == value
        assert found.dtype == np.dtype(kind)


def test_nan_is_a_sample_of_floats() -> None:
    assert np.isnan(as_stored("nan", np.dtype("f4")))


def test_what_is_left() -> None:
    valid = np.array([[True, True, True, False]])
    image = Image.from_array(np.ones((1, 4, 2), np.uint8), valid)
    assert without_data(image, np.zeros((1, 4, 2), bool)) is image
    absent = np.array([[[1, 1], [1, 0], [0, 0], [0, 0]]], bool)
    found = without_data(image, absent)
    np.testing.assert_array_equal(found.valid, [[False, False, True, False]])
    np.testing.assert_array_equal(found.known, [[[0, 0], [0, 1], [1, 1], [0, 0]]])
    again = without_data(found, np.array([[[0], [1], [0], [0]]], bool))
    assert again.known is None
    np.testing.assert_array_equal(again.valid, [[False, False, True, False]])


def test_nan_in_a_band_and_a_mask_add_up() -> None:
    image = Image.from_array(np.array([[[1.0, np.nan], [1, 2], [3, 4]]]))
    found = without_data(image, np.array([[[False], [True], [False]]]))
    np.testing.assert_array_equal(found.known, [[[1, 0], [0, 0], [1, 1]]])
    np.testing.assert_array_equal(found.valid, [[False, False, True]])


def test_each_band_has_its_own_value() -> None:
    image = Image.from_array(np.array([[[1, 2], [2, 1], [3, 3]]], np.int16))
    np.testing.assert_array_equal(without_declared(image, ["1", "2"]).valid, [[False, True, True]])
    found = without_declared(image, ["1", None])
    np.testing.assert_array_equal(found.known, [[[0, 1], [1, 1], [1, 1]]])
    assert without_declared(image, ["1", "2", "3"]).valid is None
    assert "70000, is no int16, and is ignored" in without_declared(image, ["70000"]).notices[0]


def test_values_a_user_names() -> None:
    image = Image.from_array(np.array([[[0, 9], [0, 0], [255, 8], [7, 7]]], np.uint8))
    found = without_given(image, (0, 255, 3.0))
    np.testing.assert_array_equal(found.known, [[[0, 1], [0, 0], [0, 1], [1, 1]]])
    told = [line.replace("\ue000", "").replace("\ue001", "") for line in found.notices]
    assert told == [
        "nodata=0 takes 2 pixels (50 %) as no data",
        "nodata=255 takes 1 pixels (25 %) as no data",
        "nodata=3.0 is the value of no pixel; check it",
    ]


@pytest.mark.parametrize(("kind", "number"), [("u1", -9999), ("u1", 0.5), ("i2", 40000), ("f4", 1e300)])
def test_values_that_the_type_does_not_have_are_refused(kind: str, number: float) -> None:
    with pytest.raises(UsageError, match=r"is no value of .*; give"):
        without_given(Image.from_array(np.ones((2, 2), kind), name="x"), (number,))
