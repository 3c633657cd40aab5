"""What notebooks hand over: shapes out as shapes in, RGBA as its file, masked values, whatever holds an array."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest

import emseg
from emseg.errors import ImageError

pytestmark = pytest.mark.long

RNG = np.random.default_rng(0)
GREY = RNG.integers(0, 255, (40, 50), dtype=np.uint8)
RGBA = np.dstack([GREY, GREY, 255 - GREY, np.where(GREY > 128, 255, 0).astype(np.uint8)])
HOLES = GREY > 250

GIVE: dict[str, Callable[[np.ndarray], Any]] = {
    "array": lambda a: a,
    "list": lambda a: a.tolist(),
    "pil": PIL.Image.fromarray,
    "fortran": np.asfortranarray,
    "big-endian": lambda a: a.astype(">u2"),
    "read-only": lambda a: np.frombuffer(a.tobytes(), a.dtype).reshape(a.shape),
    "reversed": lambda a: a[::-1, ::-1].copy()[::-1, ::-1],
    "half": lambda a: a.astype(np.float16),
    "memory": memoryview,
    "mapped": lambda a: _mapped(a),
}


def _mapped(a: np.ndarray) -> np.ndarray:
    import tempfile

    with tempfile.NamedTemporaryFile(suffix=".npy") as file:
        np.save(file, a)
        file.flush()
        return np.load(file.name, mmap_mode="r")


@pytest.mark.parametrize("form", GIVE)
def test_the_same_numbers_have_the_same_labels(form: str) -> None:
    expected = emseg.segment(GREY, k=2, floor=1e-11).labels
    found = emseg.segment(GIVE[form](GREY), k=2, floor=1e-11).labels
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("shape", [(40, 50), (40, 50, 1), (40, 50, 3), (40, 50, 4), (40, 50, 2)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float16, np.float64, np.int64])
def test_shapes_out_as_shapes_in(shape: tuple[int, ...], dtype: type) -> None:
    image = (RNG.random(shape) * 200).astype(dtype)
    for result in (emseg.denoise(image, sigma=10, fast=True), emseg.inpaint(image, HOLES)):
        assert result.pixels.shape == shape
        assert result.pixels.dtype == dtype
    assert emseg.segment(image, k=2, features="auto" if len(shape) == 2 else "bands").labels.shape == (40, 50)


def test_an_rgba_array_is_taken_as_its_file_is(tmp_path: Path) -> None:
    PIL.Image.fromarray(RGBA).save(tmp_path / "rgba.png")
    array, file = emseg.segment(RGBA, k=2), emseg.segment(tmp_path / "rgba.png", k=2)
    np.testing.assert_array_equal(array.labels, file.labels)
    assert array.report["features"] == file.report["features"]
    assert array.report["pixels"] == file.report["pixels"] == (GREY > 128).sum()


def test_channels_first_are_asked_for() -> None:
    with pytest.raises(ImageError, match="say which: axes='CYX'"):
        emseg.segment(np.moveaxis(RGBA[..., :3], -1, 0), k=2)
    found = emseg.segment(np.moveaxis(RGBA[..., :3], -1, 0), k=2, axes="CYX")
    np.testing.assert_array_equal(found.labels, emseg.segment(RGBA[..., :3], k=2).labels)


def test_a_raster_with_a_mask() -> None:
    """As rasterio's read(masked=True) and astropy give it."""
    pixels = np.where(np.arange(64)[None] < 32, 60, 180) + RNG.normal(0, 8, (48, 64))
    pixels[:12] = -9999
    found = emseg.segment(np.ma.masked_equal(pixels, -9999), k=2)
    assert found.report["pixels"] == 36 * 64
    assert np.abs(np.ravel(found.report["means"]) - [60, 180]).max() < 1
    assert (found.labels[:12] == 0).all()
    filled = emseg.inpaint(np.ma.masked_greater(pixels[12:], 195))
    assert filled.missing.sum() == (pixels[12:] > 195).sum()
    table = RNG.normal(size=(100, 3))
    table[RNG.random(table.shape) < 0.2] = -999
    assert emseg.impute(np.ma.masked_equal(table, -999)).missing.sum() == (table == -999).sum()


def test_files_in_memory(tmp_path: Path) -> None:
    PIL.Image.fromarray(GREY).save(tmp_path / "grey.png")
    data = (tmp_path / "grey.png").read_bytes()
    expected = emseg.segment(tmp_path / "grey.png", k=2)
    for given in (data, io.BytesIO(data)):
        found = emseg.segment(given, k=2)
        np.testing.assert_array_equal(found.labels, expected.labels)
        assert found.report["input"]["sha256"] == expected.report["input"]["sha256"]


def test_no_array_is_changed() -> None:
    kept = RGBA.copy()
    emseg.segment(RGBA, k=2, denoise=5, bias_field=True, regions=4)
    emseg.denoise(RGBA, sigma=5, fast=True)
    emseg.inpaint(RGBA, HOLES)
    np.testing.assert_array_equal(RGBA, kept)
