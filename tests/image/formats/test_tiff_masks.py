"""Masks inside of TIFF files, and GDAL's values for "no data" where pixels are not the stored values."""

from __future__ import annotations

import io
import struct
import sys
import zlib

import numpy as np
import PIL.Image
import PIL.TiffImagePlugin
import pytest
import tifffile

from emseg.image.limits import Reading
from emseg.image.read import decode_image

RNG = np.random.default_rng(0)
MASK = RNG.random((16, 24)) < 0.6


def with_pages(*pages: tuple[np.ndarray, dict[str, object]], **options: object) -> bytes:
    buffer = io.BytesIO()
    with tifffile.TiffWriter(buffer) as file:
        for array, more in pages:
            file.write(array, **{"metadata": None, **options, **more})
    return buffer.getvalue()


def mask_page(mask: np.ndarray, kind: int = 4) -> tuple[np.ndarray, dict[str, object]]:
    return mask, {"photometric": "mask", "subfiletype": kind}


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("bands", [1, 3, 5])
def test_a_mask_says_where_data_are(dtype: type, bands: int) -> None:
    array = RNG.integers(1, 200, (16, 24, bands)).astype(dtype).squeeze()
    kind = {"photometric": "rgb" if bands == 3 else "minisblack", "planarconfig": "contig" if bands > 1 else None}
    data = with_pages((array, kind), mask_page(MASK))
    image = decode_image(data, "x")
    np.testing.assert_array_equal(image.valid, MASK)
    np.testing.assert_array_equal(image.pixels.squeeze(), array)
    assert decode_image(with_pages((array, kind), mask_page(np.ones_like(MASK))), "x").valid is None


def test_only_the_mask_of_this_image_counts() -> None:
    first, second = RNG.integers(1, 200, (2, 16, 24), np.uint8)
    small = MASK[::2, ::2]
    data = with_pages(
        (first, {"photometric": "minisblack"}),
        (first[::2, ::2], {"photometric": "minisblack", "subfiletype": 1}),
        mask_page(small, 5),
        (second, {"photometric": "minisblack"}),
        mask_page(MASK),
    )
    assert decode_image(data, "x").valid is None
    found = decode_image(data, "x", Reading(2))
    np.testing.assert_array_equal(found.valid, MASK)
    np.testing.assert_array_equal(found.pixels[..., 0], second)


@pytest.mark.parametrize("compression", [1, 8])
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_a_mask_beside_jpeg(mode: str, compression: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """As GDAL writes them: the image in JPEG, of colours as YCbCr, and its mask as a page of bits."""
    monkeypatch.setitem(sys.modules, "imagecodecs", None)
    photo, buffer = PIL.Image.new(mode, (24, 16), "gray"), io.BytesIO()
    photo.save(buffer, "TIFF", compression="jpeg", quality=90)
    alone, bits = buffer.getvalue(), np.packbits(MASK, axis=1).tobytes()
    part = zlib.compress(bits) if compression == 8 else bits
    at, size = (len(alone) + 1) & ~1, len(part) + len(part) % 2
    tags = [(254, 4, 4), (256, 4, 24), (257, 4, 16), (258, 3, 1), (259, 3, compression), (262, 3, 4), (273, 4, at)]
    tags += [(277, 3, 1), (278, 4, 16), (279, 4, len(part))]
    page = struct.pack("<H", len(tags)) + b"".join(struct.pack("<HHII", code, kind, 1, n) for code, kind, n in tags)
    data = bytearray(alone.ljust(at, b"\0") + part.ljust(size, b"\0") + page + bytes(4))
    (first,) = struct.unpack_from("<I", data, 4)
    (count,) = struct.unpack_from("<H", data, first)
    struct.pack_into("<I", data, first + 2 + 12 * count, at + size)
    image = decode_image(bytes(data), "x")
    np.testing.assert_array_equal(image.valid, MASK)
    np.testing.assert_array_equal(image.pixels, decode_image(alone, "x").pixels)
    np.testing.assert_allclose(image.pixels, 128, atol=1)


def test_a_mask_is_turned_with_its_image() -> None:
    array = RNG.integers(1, 200, (16, 24), np.uint16)
    data = with_pages(
        (array, {"photometric": "minisblack", "extratags": [(274, "H", 1, 6)]}),
        (MASK, {"photometric": "mask", "subfiletype": 4, "extratags": [(274, "H", 1, 6)]}),
    )
    image = decode_image(data, "x")
    np.testing.assert_array_equal(image.pixels[..., 0], np.rot90(array, -1))
    np.testing.assert_array_equal(image.valid, np.rot90(MASK, -1))


def test_nodata_of_a_palette_is_an_index() -> None:
    indices = RNG.integers(0, 4, (16, 24)).astype(np.uint8)
    photo = PIL.Image.fromarray(indices, "P")
    photo.putpalette([0, 0, 0, 3, 3, 3, 255, 0, 0, 0, 2, 255])
    tags = PIL.TiffImagePlugin.ImageFileDirectory_v2()
    tags[42113] = "2"
    buffer = io.BytesIO()
    photo.save(buffer, "TIFF", tiffinfo=tags)
    np.testing.assert_array_equal(decode_image(buffer.getvalue(), "x").valid, indices != 2)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_nodata_where_white_is_zero_is_as_stored(dtype: type) -> None:
    stored = RNG.integers(0, 4, (16, 24)).astype(dtype)
    data = with_pages((stored, {"photometric": "miniswhite", "extratags": [(42113, "s", 0, "3")]}))
    image = decode_image(data, "x")
    np.testing.assert_array_equal(image.pixels[..., 0], np.iinfo(dtype).max - stored)
    np.testing.assert_array_equal(image.valid, stored != 3)


@pytest.mark.parametrize("photometric", ["miniswhite", "minisblack"])
def test_nodata_of_bits(photometric: str) -> None:
    data = with_pages((MASK, {"photometric": photometric, "extratags": [(42113, "s", 0, "1")]}))
    np.testing.assert_array_equal(decode_image(data, "x").valid, ~MASK)


def test_a_colour_that_is_no_data_needs_all_bands() -> None:
    array = RNG.integers(0, 2, (16, 24, 3)).astype(np.uint8)
    text = '<GDALMetadata><Item name="NODATA_VALUES">1 0 1</Item></GDALMetadata>'
    data = with_pages((array, {"photometric": "rgb", "extratags": [(42112, "s", 0, text)]}))
    image = decode_image(data, "x")
    np.testing.assert_array_equal(image.valid, (array != (1, 0, 1)).any(axis=2))
    assert image.known is None
