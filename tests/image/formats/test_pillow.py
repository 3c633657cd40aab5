"""Stored samples come back unchanged: depth, alpha, palette, orientation, first frame."""

from __future__ import annotations

import io
import itertools
import struct
import zlib
from pathlib import Path

import numpy as np
import PIL.Image
import PIL.ImageOps
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from emseg.image.formats import pillow
from emseg.image.model import Image
from emseg.image.read import decode_image

CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
ADAM7 = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)]


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def unfiltered(raw: bytes, rows: int, stride: int, step: int) -> np.ndarray:
    """Undo PNG's filters (PNG specification, section 9), byte by byte."""
    out = np.zeros((rows + 1, stride + step), np.int64)
    for y in range(1, rows + 1):
        line = raw[(y - 1) * (stride + 1) : y * (stride + 1)]
        for x in range(step, stride + step):
            a, b, c = int(out[y, x - step]), int(out[y - 1, x]), int(out[y - 1, x - step])
            p = a + b - c
            paeth = min((abs(p - a), 0, a), (abs(p - b), 1, b), (abs(p - c), 2, c))[2]
            out[y, x] = (line[1 + x - step] + (0, a, b, (a + b) // 2, paeth)[line[0]]) % 256
    return out[1:, step:].astype(np.uint8)


def png_oracle(data: bytes) -> tuple[np.ndarray, int, bytes, bytes]:
    """Decode a PNG without any library: samples as stored (H, W, C), colour type, PLTE and tRNS."""
    chunks: dict[bytes, bytes] = {}
    at = 8
    while at < len(data):
        (size,) = struct.unpack(">I", data[at : at + 4])
        kind = data[at + 4 : at + 8]
        chunks[kind] = chunks.get(kind, b"") + data[at + 8 : at + 8 + size]
        at += 12 + size
    width, height, depth, colour, _, _, interlaced = struct.unpack(">IIBBBBB", chunks[b"IHDR"])
    raw, n = zlib.decompress(chunks[b"IDAT"]), CHANNELS[colour]
    samples = np.zeros((height, width, n), np.uint16)
    for y0, x0, dy, dx in ADAM7 if interlaced else [(0, 0, 1, 1)]:
        rows, columns = len(range(y0, height, dy)), len(range(x0, width, dx))
        if not rows or not columns:
            continue
        stride = (columns * n * depth + 7) // 8
        lines = unfiltered(raw, rows, stride, max(1, n * depth // 8))
        raw = raw[rows * (stride + 1) :]
        if depth == 16:
            values = lines.view(">u2")
        else:
            bits = np.unpackbits(lines, axis=1).reshape(rows, -1, depth)
            values = bits @ (1 << np.arange(depth)[::-1])
        samples[y0::dy, x0::dx] = values[:, : columns * n].reshape(rows, columns, n)
    return samples, colour, chunks.get(b"PLTE", b""), chunks.get(b"tRNS", b"")


def expected(data: bytes) -> tuple[np.ndarray, np.ndarray]:
    """What `Image` should hold of a PNG: pixels and validity."""
    samples, colour, palette, clear = png_oracle(data)
    depth = data[24]
    valid = np.ones(samples.shape[:2], bool)
    if colour == 3:
        index = samples[..., 0]
        alpha = np.frombuffer(clear.ljust(256, b"\xff"), np.uint8)
        return np.frombuffer(palette, np.uint8).reshape(-1, 3)[index], alpha[index] != 0
    if colour in (4, 6):
        samples, valid = samples[..., :-1], samples[..., -1] != 0
    elif clear:
        valid = (samples != np.frombuffer(clear, ">u2")).any(axis=2)
    return samples if depth == 16 else samples * (255 // (2**depth - 1)), valid


def same(image: Image, pixels: np.ndarray, valid: np.ndarray) -> None:
    np.testing.assert_array_equal(image.pixels, pixels)
    assert (image.valid is None) == bool(valid.all())
    if image.valid is not None:
        np.testing.assert_array_equal(image.valid, valid)


def written_png(samples: np.ndarray, colour: int, interlaced: bool = False, extra: bytes = b"") -> bytes:
    """A PNG of the given samples, each row under another filter."""
    height, width, n = samples.shape
    size, raw = samples.dtype.itemsize, b""
    filters = itertools.cycle([0, 1, 2, 3, 4])
    for y0, x0, dy, dx in ADAM7 if interlaced else [(0, 0, 1, 1)]:
        part = samples[y0::dy, x0::dx]
        if not part.size:
            continue
        lines = part.astype(f">u{size}").reshape(len(part), -1).view(np.uint8).astype(np.int64)
        step = n * size
        up = np.vstack([np.zeros_like(lines[:1]), lines[:-1]])
        left = np.pad(lines, ((0, 0), (step, 0)))[:, :-step]
        corner = np.pad(up, ((0, 0), (step, 0)))[:, :-step]
        p = left + up - corner
        near = np.argmin([abs(p - left), abs(p - up), abs(p - corner)], axis=0)
        guess = [0 * lines, left, up, (left + up) // 2, np.choose(near, [left, up, corner])]
        for y, f in zip(range(len(lines)), filters, strict=False):
            raw += bytes([f]) + ((lines[y] - guess[f][y]) % 256).astype(np.uint8).tobytes()
    header = struct.pack(">IIBBBBB", width, height, 8 * size, colour, 0, 0, interlaced)
    body = chunk(b"IHDR", header) + extra + chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


@pytest.mark.parametrize("colour", [0, 2, 4, 6])
@pytest.mark.parametrize("interlaced", [False, True])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_png_samples_keep_their_depth(colour: int, interlaced: bool, dtype: type) -> None:
    rng = np.random.default_rng(colour)
    for shape in ((1, 1), (5, 3), (13, 21)):
        samples = rng.integers(0, np.iinfo(dtype).max + 1, (*shape, CHANNELS[colour])).astype(dtype)
        samples[rng.random(shape) < 0.2, -1] = 0
        data = written_png(samples, colour, interlaced)
        np.testing.assert_array_equal(png_oracle(data)[0], samples)
        image = decode_image(data, "x")
        assert image.pixels.dtype == dtype
        assert image.colour == ("gray" if colour in (0, 4) else "rgb")
        same(image, *expected(data))


@given(arrays(np.uint16, st.tuples(st.integers(1, 9), st.integers(1, 9), st.just(3))))
def test_png_16_bit_rgb_any_values(samples: np.ndarray) -> None:
    np.testing.assert_array_equal(decode_image(written_png(samples, 2), "x").pixels, samples)


@pytest.mark.parametrize(("colour", "dtype"), [(0, np.uint8), (0, np.uint16), (2, np.uint8), (2, np.uint16)])
def test_png_key_colour_is_no_data(colour: int, dtype: type) -> None:
    samples = np.random.default_rng(1).integers(0, 2, (9, 9, CHANNELS[colour])).astype(dtype) * 255
    key = samples[4, 4].astype(">u2").tobytes()
    data = written_png(samples, colour, extra=chunk(b"tRNS", key))
    image = decode_image(data, "x")
    assert image.valid is not None
    same(image, *expected(data))


def test_png_suite(shared_data: Path) -> None:
    files = sorted((shared_data / "badimages" / "pngsuite" / "png").glob("[!x]*.png"))
    assert len(files) > 100
    for path in files:
        data = path.read_bytes()
        image = decode_image(data, path.name)
        assert image.pixels.dtype == (np.uint16 if data[24] == 16 else np.uint8), path.name
        if path.name != "exif2c08.png":  # turned by its EXIF
            same(image, *expected(data))


RGB = np.random.default_rng(0).integers(0, 256, (70, 41, 3), dtype=np.uint8)


def encoded(im: PIL.Image.Image | np.ndarray, kind: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    (im if isinstance(im, PIL.Image.Image) else PIL.Image.fromarray(im)).save(buffer, kind, **options)
    return buffer.getvalue()


def exif(orientation: int) -> PIL.Image.Exif:
    tags = PIL.Image.Exif()
    tags[274] = orientation
    return tags


def test_packed_words_share_memory_with_pixels(monkeypatch: pytest.MonkeyPatch) -> None:
    for band in (1, 100, 1 << 17):  # rows moved at once: one, some, all
        monkeypatch.setattr(pillow, "_BAND", band)
        image = decode_image(encoded(RGB), "x")
        assert image.packed is not None
        assert image.packed.shape == (70, 41)
        assert image.packed.dtype == np.uint32
        assert np.shares_memory(image.packed, image.pixels)
        np.testing.assert_array_equal(image.pixels, RGB)
        words = image.packed & 0xFFFFFF
        np.testing.assert_array_equal(words, RGB.astype(np.uint32) @ np.array([1, 256, 65536], np.uint32))
    assert decode_image(encoded(RGB[..., 0]), "x").packed is None


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_applied(kind: str, orientation: int) -> None:
    for array in (RGB, RGB[..., 0]):
        data = encoded(array, kind, exif=exif(orientation))
        with PIL.Image.open(io.BytesIO(data)) as stored:
            upright = np.asarray(PIL.ImageOps.exif_transpose(stored))
        image = decode_image(data, "x")
        assert image.shape == ((70, 41) if orientation < 5 else (41, 70))
        if kind != "WEBP":  # which stores grey as colour, and not exactly
            np.testing.assert_array_equal(image.pixels.squeeze(), upright)
        if kind in ("PNG", "TIFF"):
            np.testing.assert_array_equal(image.pixels.squeeze(), pillow.upright(array, orientation))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_of_16_bit_colour_and_alpha(orientation: int) -> None:
    rng = np.random.default_rng(2)
    tags = chunk(b"eXIf", exif(orientation).tobytes()[6:])
    for colour in (2, 4, 6):
        samples = rng.integers(0, 65536, (5, 7, CHANNELS[colour]), dtype=np.uint16)
        samples[0, 1:3, -1] = 0
        data = written_png(samples, colour, extra=tags)
        pixels, valid = (pillow.upright(part, orientation) for part in expected(data))
        same(decode_image(data, "x"), pixels, valid)


def test_upright_follows_pillow_and_inverts() -> None:
    for orientation in range(1, 9):
        with PIL.Image.open(io.BytesIO(encoded(RGB, exif=exif(orientation)))) as stored:
            turned = np.asarray(PIL.ImageOps.exif_transpose(stored))
        np.testing.assert_array_equal(pillow.upright(RGB, orientation), turned)
        back = {6: 8, 8: 6}.get(orientation, orientation)
        np.testing.assert_array_equal(pillow.upright(turned, back), RGB)


@pytest.mark.parametrize("value", [0, 9, 99, 65535])
def test_nonsense_orientation_is_ignored(value: int) -> None:
    np.testing.assert_array_equal(decode_image(encoded(RGB, exif=exif(value)), "x").pixels, RGB)


def test_damaged_exif_is_ignored() -> None:
    beyond_the_end = b"\xff\xff\xff\x7f"
    text_for_number = b"\x08\0\0\0" + struct.pack("<HHHI4sI", 1, 274, 2, 4, b"up?\0", 0)
    for body in (b"", beyond_the_end, text_for_number):
        data = encoded(RGB, "JPEG", exif=b"Exif\0\0II*\0" + body)
        assert decode_image(data, "x").shape == (70, 41)


def test_alpha_zero_is_no_data_and_colour_stays_as_stored() -> None:
    alpha = np.tile(np.array([0, 1, 128, 255], np.uint8), (70, 11))[:, :41]
    for kind, options in (("PNG", {}), ("TIFF", {}), ("WEBP", {"lossless": True, "exact": True})):
        image = decode_image(encoded(np.dstack([RGB, alpha]), kind, **options), "x")
        same(image, RGB, alpha != 0)
        assert image.packed is not None
    grey = PIL.Image.merge("LA", [PIL.Image.fromarray(RGB[..., 0]), PIL.Image.fromarray(alpha)])
    same(decode_image(encoded(grey), "x"), RGB[..., :1], alpha != 0)
    opaque = decode_image(encoded(np.dstack([RGB, np.full_like(alpha, 7)])), "x")
    assert opaque.valid is None


def test_palette_becomes_colour_and_its_clear_entry_no_data() -> None:
    index = np.random.default_rng(3).integers(0, 4, (8, 9), dtype=np.uint8)
    colours = np.array([[9, 9, 9], [80, 80, 80], [160, 160, 160], [250, 250, 250]], np.uint8)
    im = PIL.Image.fromarray(index).convert("P")
    im.putpalette(colours.ravel().tolist())
    im.putdata(index.ravel().tolist())
    for kind in ("PNG", "GIF", "TIFF", "BMP"):
        image = decode_image(encoded(im, kind), "x")
        assert image.colour == "rgb", kind
        np.testing.assert_array_equal(image.pixels, colours[index])
    for kind in ("PNG", "GIF"):
        same(decode_image(encoded(im, kind, transparency=2), "x"), colours[index], index != 2)
    several = decode_image(encoded(im, transparency=bytes([255, 0, 3, 0])), "x")
    same(several, colours[index], (index == 0) | (index == 2))


def test_bilevel_is_black_and_white() -> None:
    bits = np.random.default_rng(4).random((6, 11)) < 0.5
    for kind in ("PNG", "TIFF", "BMP", "GIF"):
        image = decode_image(encoded(bits, kind), "x")
        np.testing.assert_array_equal(image.pixels.max(axis=2), bits * 255)
    assert decode_image(encoded(bits), "x").colour == "gray"


def test_cmyk_is_converted() -> None:
    im = PIL.Image.fromarray(RGB).convert("CMYK")
    image = decode_image(encoded(im, "TIFF"), "x")
    np.testing.assert_array_equal(image.pixels, im.convert("RGB"))
    assert decode_image(encoded(im, "JPEG"), "x").colour == "rgb"


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "TIFF"])
def test_of_several_frames_the_first(kind: str) -> None:
    frames = [PIL.Image.new("RGB", (9, 7), colour) for colour in ("red", "lime", "blue")]
    options = {"lossless": True} if kind == "WEBP" else {}
    image = decode_image(encoded(frames[0], kind, save_all=True, append_images=frames[1:], **options), "x")
    np.testing.assert_array_equal(image.pixels, np.full((7, 9, 3), [255, 0, 0]))


def test_resolution_is_carried_and_turns_with_the_image() -> None:
    for kind in ("PNG", "JPEG", "TIFF", "BMP"):
        image = decode_image(encoded(RGB, kind, dpi=(300, 150)), "x")
        assert image.metadata["resolution"] == pytest.approx((300, 150), rel=1e-3)
    assert "resolution" not in decode_image(encoded(RGB), "x").metadata
    turned = decode_image(encoded(RGB, "JPEG", dpi=(300, 150), exif=exif(6)), "x")
    assert turned.metadata["resolution"] == pytest.approx((150, 300))
    for nonsense in (None, (0, 0), (float("nan"), 1), "ab", (1, 2, 3)):
        assert pillow.resolution(nonsense) == {}


def test_wide_and_tall_images() -> None:
    for shape in ((1, 60000), (60000, 1)):
        array = np.random.default_rng(5).integers(0, 256, shape, dtype=np.uint8)
        np.testing.assert_array_equal(decode_image(encoded(array), "x").pixels[..., 0], array)
