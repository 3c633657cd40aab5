"""TIFF: number types, bands, alpha, tags, and which files need a codec."""

from __future__ import annotations

import io
import struct

import numpy as np
import PIL.Image
import pytest
import tifffile

from emseg.errors import ImageError
from emseg.image.formats import pillow
from emseg.image.limits import Reading
from emseg.image.read import decode_image

RNG = np.random.default_rng(0)
RGB16 = RNG.integers(0, 65536, (9, 14, 3), dtype=np.uint16)


def written(array: np.ndarray, **options: object) -> bytes:
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, array, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("dtype", ["u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f2", "f4", "f8"])
@pytest.mark.parametrize("byteorder", ["<", ">"])
def test_numbers_keep_their_type(dtype: str, byteorder: str) -> None:
    array = (RNG.normal(0, 50, (9, 14)) if "u" not in dtype else RNG.integers(0, 200, (9, 14))).astype(dtype)
    for options in ({}, {"compression": "zlib"}, {"tile": (16, 16)}, {"bigtiff": True}, {"rowsperstrip": 2}):
        image = decode_image(written(array, byteorder=byteorder, photometric="minisblack", **options), "x")
        assert image.pixels.dtype == np.dtype(dtype)
        assert image.pixels.dtype.isnative
        assert (image.colour, image.valid) == ("gray", None)
        np.testing.assert_array_equal(image.pixels[..., 0], array)


@pytest.mark.parametrize("bands", [2, 4, 7])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_bands_contiguous_and_planar(bands: int, dtype: type) -> None:
    array = RNG.integers(0, 200, (9, 14, bands)).astype(dtype)
    together = written(array, photometric="minisblack", planarconfig="contig")
    apart = written(np.moveaxis(array, 2, 0), photometric="minisblack", planarconfig="separate")
    for data in (together, apart):
        image = decode_image(data, "x")
        assert (image.colour, image.pixels.dtype, image.valid) == ("bands", dtype, None)
        np.testing.assert_array_equal(image.pixels, array)


def test_near_infrared_is_a_band_not_alpha() -> None:
    array = RNG.integers(0, 200, (9, 14, 4), dtype=np.uint8)
    image = decode_image(written(array, photometric="rgb", extrasamples=["unspecified"]), "x")
    assert image.colour == "bands"
    np.testing.assert_array_equal(image.pixels, array)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_alpha_zero_is_no_data(dtype: type) -> None:
    array = RNG.integers(0, 3, (9, 14, 4)).astype(dtype)
    image = decode_image(written(array, photometric="rgb", extrasamples=["unassalpha"]), "x")
    assert image.colour == "rgb"
    np.testing.assert_array_equal(image.pixels, array[..., :3])
    np.testing.assert_array_equal(image.valid, array[..., 3] != 0)


def test_nan_and_infinity_are_no_data() -> None:
    array = np.ones((4, 5), np.float32)
    array[1, 2], array[0, 0], array[3, 4] = np.nan, np.inf, -np.inf
    np.testing.assert_array_equal(decode_image(written(array), "x").valid, np.isfinite(array))
    assert not np.any(decode_image(written(np.full((4, 5), np.nan)), "x").valid)


def test_white_is_zero_is_turned_round() -> None:
    for dtype in (np.uint8, np.uint16):
        array = RNG.integers(0, 200, (9, 14)).astype(dtype)
        image = decode_image(written(array, photometric="miniswhite"), "x")
        np.testing.assert_array_equal(image.pixels[..., 0], np.iinfo(dtype).max - array)


def test_of_several_pages_the_first() -> None:
    for dtype in (np.uint8, np.uint16):
        pages = RNG.integers(0, 200, (5, 9, 14)).astype(dtype)
        image = decode_image(written(pages, photometric="minisblack"), "x")
        np.testing.assert_array_equal(image.pixels[..., 0], pages[0])


def test_complex_volume_and_missing_strips_are_refused() -> None:
    with pytest.raises(ImageError, match="complex64"):
        decode_image(written(np.ones((3, 4), np.complex64)), "x")
    with pytest.raises(ImageError, match="volume"):
        decode_image(
            written(np.ones((3, 16, 16), np.uint16), photometric="minisblack", volumetric=True, tile=(16, 16, 16)), "x"
        )
    for dtype in (np.uint8, np.uint16):
        data = bytearray(written(np.ones((9, 14), dtype)))
        with tifffile.TiffFile(io.BytesIO(bytes(data))) as file:
            at = file.pages.first.tags["ImageLength"].valueoffset
        data[at : at + 2] = struct.pack("<H", 9000)
        with pytest.raises(ImageError, match="x: damaged"):
            decode_image(bytes(data), "x")


def test_cut_short_is_refused() -> None:
    for options in ({}, {"compression": "zlib"}, {"tile": (16, 16)}, {"rowsperstrip": 3}):
        data = written(RGB16, photometric="rgb", **options)
        with pytest.raises(ImageError, match="x: damaged"):
            decode_image(data[:-9], "x")


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_in_both_decoders(orientation: int) -> None:
    for array in (RGB16, (RGB16 >> 8).astype(np.uint8), RGB16[..., 0]):
        data = written(array, extratags=[(274, "H", 1, orientation, True)])
        image = decode_image(data, "x")
        np.testing.assert_array_equal(image.pixels.squeeze(), pillow.upright(array, orientation))


def test_georeference_and_resolution_are_carried_raw() -> None:
    scale, tie, keys = (10.0, 10.0, 0.0), (0.0, 0.0, 0.0, 5e5, 4649776.0, 0.0), (1, 1, 0, 1, 3072, 0, 1, 32633)
    matrix = tuple(float(i) for i in range(16))
    extratags = [(33550, "d", 3, scale, True), (33922, "d", 6, tie, True), (34735, "H", 8, keys, True)]
    extratags += [(34736, "d", 1, 0.5, True), (34737, "s", 0, "WGS 84|", True), (34264, "d", 16, matrix, True)]
    for array in (RGB16, (RGB16 >> 8).astype(np.uint8)):
        data = written(array, photometric="rgb", extratags=extratags, resolution=(30, 20), resolutionunit="CENTIMETER")
        metadata = decode_image(data, "x").metadata
        assert metadata["resolution"] == pytest.approx((76.2, 50.8))
        geo = metadata["geotiff"]
        assert (geo[33550], geo[33922], geo[34735], geo[34264]) == (scale, tie, keys, matrix)
        assert np.ravel(geo[34736]) == [0.5]
        assert geo[34737].rstrip("\0") == "WGS 84|"
    assert "geotiff" not in decode_image(written(RGB16), "x").metadata


def lzw(raw: bytes) -> bytes:
    """TIFF's LZW without compression: literals of nine bits, and a clear code before the tenth is needed."""
    codes = [code for i, byte in enumerate(raw) for code in (([256] if i % 200 == 0 else []) + [byte])] + [257]
    bits = "".join(f"{code:09b}" for code in codes)
    return int(bits.ljust(-(-len(bits) // 8) * 8, "0"), 2).to_bytes(-(-len(bits) // 8), "big")


def lzw_tiff(array: np.ndarray, order: str, extra: int | None = None) -> bytes:
    height, width, bands = array.shape
    strip = lzw(array.astype(array.dtype.newbyteorder(order)).tobytes())
    bits = array.dtype.itemsize * 8
    tags = [(256, 4, 1, width), (257, 4, 1, height), (258, 3, bands, 8), (259, 3, 1, 5), (262, 3, 1, 2)]
    tags += [(273, 4, 1, 8 + 2 * bands), (277, 3, 1, bands), (278, 4, 1, height), (279, 4, 1, len(strip))]
    tags += [] if extra is None else [(338, 3, 1, extra)]
    body = struct.pack(f"{order}{bands}H", *[bits] * bands) + strip
    directory = struct.pack(order + "H", len(tags))
    for tag, kind, count, value in tags:
        field = struct.pack(order + "HH", value, 0) if kind == 3 and count == 1 else struct.pack(order + "I", value)
        directory += struct.pack(order + "HHI", tag, kind, count) + field
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", 8 + len(body))
    return head + body + directory + bytes(4)


@pytest.mark.parametrize("order", ["<", ">"])
def test_16_bit_colour_in_lzw_keeps_its_depth(order: str) -> None:
    image = decode_image(lzw_tiff(RGB16, order), "x")
    assert (image.colour, image.pixels.dtype) == ("rgb", np.uint16)
    np.testing.assert_array_equal(image.pixels, RGB16)
    rgba = np.dstack([RGB16, RGB16[..., :1] % 2])
    image = decode_image(lzw_tiff(rgba, order, extra=2), "x")
    np.testing.assert_array_equal(image.pixels, RGB16)
    np.testing.assert_array_equal(image.valid, rgba[..., 3] != 0)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_what_pillow_would_cut_down_is_read_whole(dtype: type) -> None:
    array = RNG.integers(0, 200, (9, 14, 4)).astype(dtype)
    np.testing.assert_array_equal(decode_image(lzw_tiff(array, "<", extra=0), "x").pixels, array)


@pytest.mark.parametrize("compression", ["tiff_lzw", "packbits", "tiff_adobe_deflate"])
def test_grey_in_any_lossless_compression(compression: str) -> None:
    for array in (RGB16[..., 0], RGB16[..., 0].astype(np.float32), RGB16[..., 0].astype(np.int32)):
        buffer = io.BytesIO()
        PIL.Image.fromarray(array).save(buffer, "TIFF", compression=compression)
        image = decode_image(buffer.getvalue(), "x")
        assert image.pixels.dtype == array.dtype
        np.testing.assert_array_equal(image.pixels[..., 0], array)


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float32])
@pytest.mark.parametrize("bands", [1, 3])
def test_the_nodata_value_is_no_data(dtype: type, bands: int) -> None:
    array = RNG.integers(0, 100, (9, 14, bands)).astype(dtype)
    array[2:4, 5:] = 7
    array[0, 0] = 7
    data = written(array.squeeze(), photometric="minisblack" if bands == 1 else "rgb", extratags=[(42113, "s", 0, "7")])
    image = decode_image(data, "x")
    known = array != 7
    np.testing.assert_array_equal(image.valid, known.all(axis=2))
    assert (image.known is None) == (bands == 1)
    if image.known is not None:
        np.testing.assert_array_equal(image.known, known)
    assert image.metadata["nodata"] == "7"
    assert image.notices == ()


@pytest.mark.parametrize(
    ("dtype", "text", "told"),
    [
        (np.uint8, "-9999", True),
        (np.uint8, "0.5", True),
        (np.uint8, "nan", True),
        (np.float32, "-1e308", True),
        (np.float32, "none", True),
        (np.float32, "nan", False),
        (np.uint8, "", False),
        (np.uint8, "0", False),
    ],
)
def test_nodata_values_that_no_pixel_has(dtype: str, text: str, told: bool) -> None:
    data = written(np.ones((9, 14), dtype), extratags=[(42113, "s", 0, text)])
    image = decode_image(data, "x")
    assert image.valid is None
    assert len(image.notices) == told
    assert all(text in line and "is ignored" in line for line in image.notices)


def test_pages_of_both_decoders() -> None:
    for dtype in (np.uint8, np.float32):
        pages = RNG.integers(0, 200, (5, 9, 14)).astype(dtype)
        data = written(pages, photometric="minisblack")
        for page in range(5):
            np.testing.assert_array_equal(decode_image(data, "x", Reading(page + 1)).pixels[..., 0], pages[page])
        with pytest.raises(ImageError, match="there is no page 6; it has 5"):
            decode_image(data, "x", Reading(6))


def test_pages_of_several_kinds() -> None:
    buffer = io.BytesIO()
    with tifffile.TiffWriter(buffer) as file:
        file.write(RGB16, photometric="rgb")
        file.write(np.ones((3, 4), np.float32))
    assert decode_image(buffer.getvalue(), "x").pixels.dtype == np.uint16
    second = decode_image(buffer.getvalue(), "x", Reading(2))
    assert (second.shape, second.pixels.dtype) == ((3, 4), np.float32)
    with pytest.raises(ImageError, match="pixels are more than"):
        decode_image(buffer.getvalue(), "x", Reading(2, max_pixels=11))


@pytest.mark.parametrize(("tag", "value"), [("TileWidth", 1 << 24), ("TileLength", 1 << 30)])
def test_tiles_that_would_fill_the_memory_are_refused(tag: str, value: int) -> None:
    data = bytearray(written(RGB16, photometric="rgb", tile=(16, 16), compression="zlib"))
    with tifffile.TiffFile(io.BytesIO(bytes(data))) as file:
        entry = file.pages.first.tags[tag]
        data[entry.offset + 2 : entry.offset + 4] = struct.pack("<H", 4)
        data[entry.offset + 8 : entry.offset + 12] = struct.pack("<I", value)
    with pytest.raises(ImageError, match="tiles are larger than the image"):
        decode_image(bytes(data), "x")


def test_every_sample_has_bits() -> None:
    data = bytearray(written(RGB16, photometric="rgb", compression="zlib"))
    with tifffile.TiffFile(io.BytesIO(bytes(data))) as file:
        entry = file.pages.first.tags["SamplesPerPixel"]
        data[entry.offset + 8 : entry.offset + 10] = struct.pack("<H", 65535)
    with pytest.raises(ImageError, match="x: damaged"):
        decode_image(bytes(data), "x")
