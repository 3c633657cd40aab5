"""NumPy's files: arrays as saved, bounded, and never a pickle."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emseg.errors import ImageError
from emseg.image.limits import Reading
from emseg.image.read import decode_image


def npy(array: np.ndarray, **options: object) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, **options)
    return buffer.getvalue()


def npz(**arrays: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()


@pytest.mark.parametrize("dtype", ["u1", "<u2", ">u2", "i4", "<f4", ">f8", "f2", "?"])
@pytest.mark.parametrize("shape", [(3, 5), (3, 5, 1), (3, 5, 3), (3, 5, 7)])
@pytest.mark.parametrize("order", ["C", "F"])
def test_arrays_come_back(dtype: str, shape: tuple[int, ...], order: str) -> None:
    array = np.asarray(np.random.default_rng(0).integers(0, 2, shape), dtype, order=order)  # type: ignore[call-overload]
    for data in (npy(array), npz(a=array)):
        image = decode_image(data, "x")
        assert image.pixels.dtype.isnative
        np.testing.assert_array_equal(image.pixels.reshape(shape), array)
        assert image.colour == {1: "gray", 3: "rgb"}.get(image.pixels.shape[2], "bands")


def test_not_finite_is_no_data() -> None:
    image = decode_image(npy(np.array([[1.0, np.nan, np.inf]])), "x")
    np.testing.assert_array_equal(image.valid, [[True, False, False]])


def test_pages_of_an_archive() -> None:
    data = npz(a=np.zeros((2, 3)), b=np.ones((4, 5)))
    assert decode_image(data, "x").shape == (2, 3)
    assert decode_image(data, "x", Reading(2)).shape == (4, 5)
    with pytest.raises(ImageError, match="there is no page 3; it has 2"):
        decode_image(data, "x", Reading(3))


class Trap:
    """Whoever unpickles this has lost."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return pytest.fail, ("unpickled",)


@pytest.mark.parametrize("pack", [npy, lambda array: npz(a=array)])
def test_pickles_stay_closed(pack: object) -> None:
    with pytest.raises(ImageError, match="an array of object; save real numbers"):
        decode_image(pack(np.array([[Trap()]], object)), "x")  # type: ignore[operator]


@pytest.mark.parametrize(
    ("array", "match"),
    [
        (np.zeros(5), "of shape"),
        (np.zeros((2, 2, 2, 2)), "of shape"),
        (np.zeros((0, 3)), "of shape"),
        (np.zeros((2, 2), complex), "complex128"),
        (np.zeros((2, 2), "U3"), "<U3"),
        (np.zeros((2, 2), [("r", "u1"), ("g", "u1")]), "save real numbers"),
        (np.zeros((2, 2), "M8[s]"), "datetime64"),
    ],
)
def test_what_is_no_image(array: np.ndarray, match: str) -> None:
    for data in (npy(array), npz(a=array)):
        with pytest.raises(ImageError, match=match) as caught:
            decode_image(data, "x")
        assert "\n" not in str(caught.value)


def header(text: str) -> bytes:
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode()


@pytest.mark.parametrize(
    "text",
    [
        "{'descr': '<f8', 'fortran_order': False, 'shape': (1000000, 1000000)}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (10, 10)}",  # and no data
        "{'descr': '<f8', 'fortran_order': False, 'shape': (-1, 10)}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (True, 10)}",
        "{'descr': 'V9999999999', 'fortran_order': False, 'shape': (2, 2)}",
        "{'descr': '<f8', 'fortran_order': False}",
        "__import__('os').abort()",
        "[" * 9000,
        "1" * 9000,
        "",
    ],
)
def test_hostile_headers(text: str) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a.npy", header(text))
    for data in (header(text), buffer.getvalue()):
        with pytest.raises(ImageError) as caught:
            decode_image(data, "x")
        assert "\n" not in str(caught.value)


def test_a_zip_bomb_is_not_unpacked() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        text = "{'descr': '|u1', 'fortran_order': False, 'shape': (50000, 50000)}"
        archive.writestr("a.npy", header(text) + bytes(1 << 20))
    with pytest.raises(ImageError, match="pixels are more than"):
        decode_image(buffer.getvalue(), "x")


def test_an_archive_of_other_things() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("word/document.xml", "<xml/>")
    with pytest.raises(ImageError, match="holds no arrays"):
        decode_image(buffer.getvalue(), "x")


GOOD = (npy(np.arange(12.0).reshape(3, 4)), npz(a=np.arange(12).reshape(3, 4)))


@given(st.sampled_from(GOOD), st.data())
def test_damage_is_one_line(image_or_one_line: Any, good: bytes, data: st.DataObject) -> None:
    damaged = bytearray(good)
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(4, len(good) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(4, len(good)))
    with image_or_one_line():
        decode_image(bytes(damaged[:cut]), "x")
