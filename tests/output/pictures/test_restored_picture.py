"""Pictures in their own depth: what is written is what is read."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import tifffile

from emseg.image.model import Image
from emseg.image.read import decode_image
from emseg.output.pictures.restored_picture import fits_png, picture_png, picture_tiff


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32, np.float64])
@pytest.mark.parametrize("channels", [1, 3, 5])
@pytest.mark.parametrize("transparent", [False, True])
def test_there_and_back(dtype: type, channels: int, transparent: bool, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    pixels = (rng.random((7, 9, channels)) * (255 if dtype == np.uint8 else 65535)).astype(dtype)
    image = Image.from_array(pixels)
    if transparent:
        alpha = (rng.random((7, 9)) * 255).astype(dtype)
        alpha[2, 3] = 0
        image = Image(pixels, image.colour, alpha != 0, alpha=alpha)
    back = decode_image((picture_png if fits_png(image) else picture_tiff)(image), "x")
    assert back.pixels.dtype == dtype
    assert back.colour == image.colour
    assert (back.pixels == pixels).all()
    if transparent:
        assert back.alpha is not None
        assert (back.alpha == image.alpha).all()
        assert back.valid is not None
        assert (back.valid == image.valid).all()


def test_a_key_colour_becomes_alpha() -> None:
    valid = np.ones((4, 5), bool)
    valid[1, 1] = False
    back = decode_image(picture_png(Image(np.zeros((4, 5, 1), np.uint16), "gray", valid)), "x")
    assert back.valid is not None
    assert (back.valid == valid).all()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_the_resolution_is_carried(dtype: type) -> None:
    image = Image(np.zeros((4, 5, 3), dtype), "rgb", metadata={"resolution": (300.0, 300.0)})
    assert decode_image(picture_png(image), "x").metadata["resolution"] == pytest.approx((300, 300), abs=0.1)


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float32])
def test_a_tiff_says_where_there_is_no_data(dtype: type, channels: int) -> None:
    rng = np.random.default_rng(0)
    inside = rng.random((9, 14)) < 0.6
    image = Image(rng.integers(1, 99, (9, 14, channels)).astype(dtype), "bands" if channels > 1 else "gray", inside)
    found = decode_image(picture_tiff(image), "x")
    np.testing.assert_array_equal(found.valid, inside)
    np.testing.assert_array_equal(found.pixels, image.pixels)
    assert found.taken.get("pages", 1) == 1


def test_a_tiff_whose_values_say_it_needs_no_mask() -> None:
    pixels = np.ones((9, 14, 2), np.float32)
    pixels[2:4] = np.nan
    nan = Image.from_array(pixels)
    in_part = Image(np.ones((9, 14, 2)), "bands", nan.valid, known=np.dstack([nan.valid, np.ones((9, 14), bool)]))
    whole = Image(np.ones((9, 14, 1)), "gray")
    for image in (nan, in_part, whole):
        with tifffile.TiffFile(io.BytesIO(picture_tiff(image))) as file:
            assert len(file.pages) == 1
