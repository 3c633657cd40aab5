from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from emseg.errors import ImageError
from emseg.image.windows import ArrayRaster, Raster, Window, mapped, windows

LENGTHS = st.integers(1, 30)


@given(shape=st.tuples(LENGTHS, LENGTHS), size=st.tuples(LENGTHS, LENGTHS), halo=st.integers(0, 40))
def test_interiors_cover_each_pixel_once(shape: tuple[int, int], size: tuple[int, int], halo: int) -> None:
    count = np.zeros(shape, int)
    for window in windows(shape, size, halo):
        assert count[window.interior].size > 0
        count[window.interior] += 1
    assert (count == 1).all()


@given(shape=st.tuples(LENGTHS, LENGTHS), size=st.tuples(LENGTHS, LENGTHS), halo=st.integers(0, 40))
def test_what_is_read_is_all_within_the_halo(shape: tuple[int, int], size: tuple[int, int], halo: int) -> None:
    for window in windows(shape, size, halo):
        near = np.zeros(shape, bool)
        near[window.interior] = True
        near = ndimage.maximum_filter(near, 2 * halo + 1)
        read = np.zeros(shape, bool)
        read[window.read] = True
        assert (read == near).all()
        assert window.shape == read[window.read].shape
        inside = np.zeros(window.shape, bool)
        inside[window.inside] = True
        interior = np.zeros(shape, bool)
        interior[window.interior] = True
        assert (inside == interior[window.read]).all()


@given(data=st.data(), size=st.tuples(LENGTHS, LENGTHS), halo=st.integers(0, 3))
def test_a_filter_by_windows_is_that_of_the_whole(data: st.DataObject, size: tuple[int, int], halo: int) -> None:
    shape = data.draw(st.tuples(LENGTHS, LENGTHS))
    pixels = np.random.default_rng(0).integers(0, 1000, (*shape, 2))
    raster: Raster = ArrayRaster(pixels)
    out = np.zeros_like(pixels)
    for window in windows(raster.shape, size, halo):
        part = ndimage.maximum_filter(raster.read(window), (2 * halo + 1, 2 * halo + 1, 1), mode="constant", cval=-1)
        out[window.interior] = part[window.inside]
    whole = ndimage.maximum_filter(pixels, (2 * halo + 1, 2 * halo + 1, 1), mode="constant", cval=-1)
    np.testing.assert_array_equal(out, whole)


def test_a_small_image_is_one_window() -> None:
    assert list(windows((4, 5, 3), (10, 10), 7)) == [Window((0, 4), (0, 5))]


@pytest.mark.parametrize(("shape", "size", "halo"), [((0, 5), (2, 2), 0), ((5, 5), (0, 2), 0), ((5, 5), (2, 2), -1)])
def test_lengths_are_positive(shape: tuple[int, int], size: tuple[int, int], halo: int) -> None:
    with pytest.raises(ValueError, match="cannot cut"):
        list(windows(shape, size, halo))


@pytest.mark.parametrize("shape", [(20, 30), (20, 30, 4)])
@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float32, ">u2"])
def test_a_memory_map_is_read_as_the_array(tmp_path: Path, shape: tuple[int, ...], dtype: str) -> None:
    array = np.random.default_rng(0).integers(0, 100, shape).astype(dtype)
    np.save(tmp_path / "x.npy", array)
    raster: Raster = mapped(tmp_path / "x.npy")
    assert isinstance(raster, ArrayRaster)
    assert isinstance(raster.pixels, np.memmap) or isinstance(raster.pixels.base, np.memmap)
    assert raster.shape == (20, 30, 4 if len(shape) == 3 else 1)
    assert raster.dtype == array.dtype
    for window in windows(raster.shape, (7, 8), 2):
        np.testing.assert_array_equal(raster.read(window), array.reshape(raster.shape)[window.read])


@pytest.mark.parametrize("what", ["none", "noise", "line", "text", "objects"])
def test_what_is_no_image_is_not_mapped(tmp_path: Path, what: str) -> None:
    path = tmp_path / "x.npy"
    match what:
        case "noise":
            path.write_bytes(b"nothing of the kind")
        case "line":
            np.save(path, np.zeros(5))
        case "text":
            np.save(path, np.array([["a"]]))
        case "objects":
            np.save(path, np.array([[None]], object), allow_pickle=True)
    with pytest.raises(ImageError, match=r"x\.npy: .*; "):
        mapped(path)
