"""What NumPy can read, what xarray's names mean, what masks say; and one line for all that is no array of numbers."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from emseg.errors import ImageError
from emseg.image.arrays.array_like import as_given, is_pillow

NUMBERS = np.arange(12).reshape(3, 4)


class Tensor:
    """An array of another library."""

    def __init__(self, numbers: np.ndarray, reason: str = "") -> None:
        self.numbers, self.reason = numbers, reason

    def __array__(self, *args: Any, **kwargs: Any) -> np.ndarray:
        if self.reason:
            raise RuntimeError(self.reason)
        return self.numbers

    def detach(self) -> None:
        """What a tensor has."""


class Named:
    """As much of xarray's DataArray as is looked at."""

    def __init__(self, dims: tuple[str, ...], values: np.ndarray, **attrs: Any) -> None:
        self.dims, self.values, self.attrs, self.coords, self.shape = dims, values, attrs, {}, values.shape


@pytest.mark.parametrize(
    "data",
    [
        NUMBERS.tolist(),
        tuple(map(tuple, NUMBERS.tolist())),
        NUMBERS.astype(">i2"),
        np.asfortranarray(NUMBERS),
        NUMBERS[::-1, ::-1].copy()[::-1, ::-1],
        memoryview(NUMBERS),
        Tensor(NUMBERS),
        SimpleNamespace(toarray=lambda: NUMBERS),
        Named(("y", "x"), NUMBERS),
    ],
)
def test_whatever_holds_the_numbers(data: Any) -> None:
    given = as_given(data, "data")
    np.testing.assert_array_equal(given.array, NUMBERS)
    assert given.array.dtype.isnative
    assert given.known is None


@pytest.mark.parametrize(
    ("dtype", "kept"),
    [("f2", "f4"), ("f4", "f4"), ("g", "f8"), (">f8", "f8"), ("?", "?"), (">u2", "u2"), ("i8", "i8")],
)
def test_types_to_work_with(dtype: str, kept: str) -> None:
    given = as_given(np.ones((2, 2), dtype), "data")
    assert given.array.dtype == np.dtype(kept)
    assert given.dtype == np.dtype(dtype).newbyteorder("=")


def test_masks_say_what_is_known() -> None:
    mask = NUMBERS % 5 == 0
    given = as_given(np.ma.masked_array(NUMBERS, mask), "data")
    assert given.known is not None
    np.testing.assert_array_equal(given.known, ~mask)
    np.testing.assert_array_equal(np.isnan(given.with_nan()), mask)
    assert as_given(np.ma.masked_array(NUMBERS), "data").known is None


@pytest.mark.parametrize("name", ["_FillValue", "nodata", "nodatavals"])
def test_declared_values_are_unknown(name: str) -> None:
    value = [7.0] if name == "nodatavals" else 7
    given = as_given(Named(("y", "x"), NUMBERS, **{name: value}), "data")
    assert given.known is not None
    np.testing.assert_array_equal(given.known, NUMBERS != 7)


@pytest.mark.parametrize(
    ("dims", "axes"),
    [
        ("y x", "PP"),
        ("x y", "PP"),
        ("lat lon", "PP"),
        ("one two", "PP"),
        ("band y x", "CPP"),
        ("latitude longitude anything", "PPC"),
        ("height c width", "PCP"),
        ("one two c", "PPC"),
        ("z y x", "PPP"),
        ("z y x channel", "PPPC"),
    ],
)
def test_names_of_dimensions(dims: str, axes: str) -> None:
    names = tuple(dims.split())
    assert as_given(Named(names, np.ones((2, 3, 4, 5)[: len(names)])), "data").axes == axes


def test_dimensions_of_one_place_are_left_out() -> None:
    given = as_given(Named(("time", "y", "x"), NUMBERS[None]), "data")
    assert (given.axes, given.array.shape) == ("PP", (3, 4))


@pytest.mark.parametrize(
    ("dims", "message"),
    [
        ("time y x", r"has time as a dimension; select one, as data\.isel\(time=0\)"),
        ("one two three", "has the dimensions one, two, three; rename them to y, x and band"),
        ("y lat x", "rename them"),
        ("band y", "rename them"),
    ],
)
def test_dimensions_that_leave_a_doubt(dims: str, message: str) -> None:
    names = tuple(dims.split())
    with pytest.raises(ImageError, match=message):
        as_given(Named(names, np.ones((2, 3, 4)[: len(names)])), "data")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (None, "holds objects"),
        (np.array([[1, None]]), r"data: holds objects, of shape \(1, 2\); give real numbers of shape \(H, W\)"),
        (np.array([["1", "2"]]), "holds texts"),
        (["a.png", "b.png"], "holds texts, .*; give one path at a time"),
        (NUMBERS + 1j, r"holds complex numbers, .*; give abs\(data\)"),
        (NUMBERS.astype("M8[s]"), r"holds values of type datetime64\[s\]"),
        (np.zeros(3, [("a", int)]), "holds records"),
        ([[1, 2], [3]], "cannot be read as an array .its rows differ in length.; give real numbers"),
        (Tensor(NUMBERS, "Can't call numpy() on\nit."), r"\(Can't call numpy\(\) on it\); give data\.detach\(\)\.cpu"),
        (SimpleNamespace(dims=("y",), coords={}, values=dict), r"is a set of several arrays; give one of them"),
    ],
)
def test_what_is_no_array_of_numbers(data: Any, message: str) -> None:
    with pytest.raises(ImageError, match=message) as caught:
        as_given(data, "data")
    assert "\n" not in str(caught.value)


def test_images_of_pil_are_known() -> None:
    from PIL import Image

    assert is_pillow(Image.new("L", (2, 2)))
    assert not is_pillow(NUMBERS)


def test_arrays_of_the_libraries_themselves() -> None:
    xarray = pytest.importorskip("xarray")
    given = as_given(xarray.DataArray(np.ones((2, 3, 4)), dims=("band", "y", "x")), "data")
    assert (given.axes, given.array.shape) == ("CPP", (2, 3, 4))
    with pytest.raises(ImageError, match="set of several arrays"):
        as_given(xarray.Dataset({"a": (("y", "x"), NUMBERS)}), "data")
