"""Images and masks from arrays and from PIL: the same as from a file of the same pixels, and back in the same form."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import PIL.Image
import pytest

from emseg.errors import DataError, ImageError
from emseg.image.arrays.array_like import Given
from emseg.image.arrays.from_memory import image_in_memory, image_of, mask_in_memory
from emseg.image.read import decode_image

RNG = np.random.default_rng(0)
GREY = RNG.integers(0, 255, (6, 5)).astype(np.uint8)
RGB = RNG.integers(0, 255, (6, 5, 3)).astype(np.uint8)
ALPHA = np.where(GREY > 100, 255, 0).astype(np.uint8)
RGBA = np.dstack([RGB, ALPHA])


def as_file(im: PIL.Image.Image) -> Any:
    buffer = io.BytesIO()
    im.save(buffer, "PNG")
    return decode_image(buffer.getvalue(), "file")


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_an_image_of_pil_is_as_its_file(mode: str) -> None:
    im = PIL.Image.fromarray(RGBA).convert(mode) if mode != "I;16" else PIL.Image.fromarray(GREY * np.uint16(257))
    found, file = image_in_memory(im), as_file(im)
    np.testing.assert_array_equal(found.pixels, file.pixels)
    assert found.colour == file.colour
    for own, stored in ((found.valid, file.valid), (found.alpha, file.alpha)):
        assert (own is None) == (stored is None)
        assert own is None or (own == stored).all()


@pytest.mark.parametrize("mode", ["PA", "La", "RGBa", "RGBX", "CMYK", "YCbCr", "HSV", "LAB", "I", "F", "I;16B"])
def test_every_other_mode_of_pil_is_read(mode: str) -> None:
    if mode in ("LAB", "RGBX", "I;16B"):
        size = {"LAB": 3, "RGBX": 4, "I;16B": 2}[mode]
        im = PIL.Image.frombytes(mode, (5, 6), RNG.bytes(30 * size))
    elif mode in ("La", "RGBa", "PA"):
        im = PIL.Image.fromarray(RGBA).convert({"La": "LA", "RGBa": "RGBA", "PA": "P"}[mode]).convert(mode)
    else:
        im = PIL.Image.fromarray(RGB if mode not in "IF" else GREY).convert(mode)
    found = image_in_memory(im)
    assert found.shape == (6, 5)
    assert found.colour == {"La": "gray", "I": "gray", "F": "gray", "I;16B": "gray", "LAB": "bands"}.get(mode, "rgb")


def test_an_image_of_pil_stays_as_it_lies_in_memory() -> None:
    im = PIL.Image.fromarray(RGB)
    im.getexif()[274] = 6
    buffer = io.BytesIO()
    im.save(buffer, "PNG", exif=im.getexif())
    turned = PIL.Image.open(io.BytesIO(buffer.getvalue()))
    found = image_in_memory(turned)
    np.testing.assert_array_equal(found.pixels, RGB)
    assert found.notices[0].startswith("its EXIF orientation 6 is not applied; give its path")
    assert decode_image(buffer.getvalue(), "file").shape == (5, 6)


def test_a_jpeg_that_pil_has_opened_is_as_its_file() -> None:
    buffer = io.BytesIO()
    PIL.Image.fromarray(RGB).save(buffer, "JPEG")
    found, file = image_in_memory(PIL.Image.open(buffer)), decode_image(buffer.getvalue(), "file")
    np.testing.assert_array_equal(found.pixels, file.pixels)
    assert found.metadata["quantisation"] == file.metadata["quantisation"]


def test_the_frame_that_an_image_of_pil_stands_at() -> None:
    buffer = io.BytesIO()
    frames = [PIL.Image.fromarray(GREY // n) for n in (1, 2, 3)]
    frames[0].save(buffer, "TIFF", save_all=True, append_images=frames[1:])
    im = PIL.Image.open(buffer)
    im.seek(1)
    found = image_in_memory(im)
    np.testing.assert_array_equal(found.pixels[:, :, 0], GREY // 2)
    assert found.notices == ("frame 2 of 3 is taken; call image.seek(n) for another",)


@pytest.mark.parametrize(
    "array",
    [RGBA, np.asfortranarray(RGBA), RGBA / 255, RGBA.astype(int), RGBA * np.uint16(257)],
    ids=["u1", "fortran", "float", "int", "u2"],
)
def test_four_channels_are_colours_with_opacity(array: np.ndarray) -> None:
    found = image_in_memory(array)
    assert found.colour == "rgb"
    assert found.valid is not None
    np.testing.assert_array_equal(found.valid, ALPHA > 0)
    np.testing.assert_array_equal(found.as_given, array)
    assert found.as_given.dtype == array.dtype
    assert "fourth channel is taken as opacity" in found.notices[0]


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float64, np.int16])
def test_a_fourth_band_that_is_no_opacity(dtype: type) -> None:
    bands = RNG.integers(200, 4000 if dtype is not np.uint8 else 250, (6, 5, 4)).astype(dtype)
    found = image_in_memory(bands)
    assert (found.colour, found.alpha) == ("bands", None)
    assert "fourth channel is taken as a band" in found.notices[0]


def test_colours_in_wide_integers_have_eight_bits() -> None:
    assert image_in_memory(RGB.tolist()).pixels.dtype == np.uint8
    assert image_in_memory(RGB.astype(int) + 1).pixels.dtype == np.uint8
    assert image_in_memory(RGB.astype(int) - 99).pixels.dtype == np.int64
    assert image_in_memory(RGB.astype(int) * 2).pixels.dtype == np.int64
    assert image_in_memory(GREY.tolist()).pixels.dtype == np.int64


@pytest.mark.parametrize(
    ("array", "axes"),
    [
        (GREY, ""),
        (GREY[:, :, None], ""),
        (RGB, ""),
        (GREY > 9, ""),
        (GREY.astype(np.float16), ""),
        (np.moveaxis(RGB, 2, 0), "CPP"),
        (np.moveaxis(RGB, 2, 1), "PCP"),
        (np.stack([GREY, GREY // 2]), "PPP"),
        (np.stack([RGB, RGB // 2]), "PPPC"),
    ],
)
def test_pixels_go_back_in_the_form_they_came_in(array: np.ndarray, axes: str) -> None:
    given = Given(array.astype(np.float32) if array.dtype == np.float16 else array, None, axes, array.dtype)
    found = image_of(given, "array")
    np.testing.assert_array_equal(found.as_given, array)
    assert found.as_given.dtype == array.dtype
    assert found.grid == {"PPP": (2, 6, 5), "PPPC": (2, 6, 5)}.get(axes, (6, 5))


def test_masked_values_are_unknown_channel_by_channel() -> None:
    mask = RNG.random(RGB.shape) < 0.3
    found = image_in_memory(np.ma.masked_array(RGB, mask))
    assert found.valid is not None
    assert found.known is not None
    np.testing.assert_array_equal(found.valid, ~mask.any(2))
    np.testing.assert_array_equal(found.known, ~mask)
    with_nan = image_in_memory(np.ma.masked_array(np.where(RGB % 7 == 0, np.nan, RGB), mask))
    assert with_nan.known is not None
    np.testing.assert_array_equal(with_nan.known, ~mask & (RGB % 7 != 0))
    grey = image_in_memory(np.ma.masked_array(GREY, mask[:, :, 0]))
    assert grey.known is None
    assert grey.valid is not None
    np.testing.assert_array_equal(grey.valid, ~mask[:, :, 0])


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((0, 5)), r"array: is empty, of shape \(0, 5\); check how it was made"),
        (np.zeros((4, 5, 0)), "is empty"),
        (np.zeros(5), r"has the shape \(5,\); give one image of shape \(H, W\) or \(H, W, C\)"),
        (np.float64(3), r"has the shape \(\)"),
    ],
)
def test_what_is_no_image(array: Any, message: str) -> None:
    with pytest.raises(ImageError, match=message):
        image_in_memory(array)


def test_an_image_of_pil_that_cannot_be_read() -> None:
    buffer = io.BytesIO()
    PIL.Image.fromarray(RNG.integers(0, 255, (60, 60), np.uint8)).save(buffer, "PNG")
    with pytest.raises(ImageError, match=r"image: cannot be read \(.*\); open it again from its source"):
        image_in_memory(PIL.Image.open(io.BytesIO(buffer.getvalue()[:900])))


def test_masks_of_all_kinds() -> None:
    photo, inside = image_in_memory(GREY), GREY > 100
    for mask in (
        inside,
        inside.tolist(),
        inside[:, :, None],
        np.dstack([inside] * 3) * 7.0,
        np.where(inside, -1.0, np.nan),
        PIL.Image.fromarray(inside),
        PIL.Image.fromarray(ALPHA).convert("RGB"),
        np.ma.masked_array(np.ones(GREY.shape), ~inside),
    ):
        np.testing.assert_array_equal(mask_in_memory(mask, photo)[0], inside)
    channels = RGB > 100
    np.testing.assert_array_equal(mask_in_memory(channels, image_in_memory(RGB), 3)[0], channels)
    with pytest.raises(DataError, match=r"array: the mask has shape \(6, 5, 3\); give one of shape \(H, W\)"):
        mask_in_memory(channels, photo)
    volume = image_of(Given(np.stack([GREY, GREY]), None, "PPP"), "array")
    np.testing.assert_array_equal(mask_in_memory(np.stack([inside, ~inside]), volume)[0], np.vstack([inside, ~inside]))
