"""PNG files whose pixels are sound and whose other chunks are not."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import PIL.Image
import pytest

from emseg.errors import ImageError
from emseg.image.read import decode_image

PIXELS = np.random.default_rng(0).integers(0, 256, (12, 17, 3), np.uint8)


def chunk(name: bytes, data: bytes, wrong: int = 0) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data) ^ wrong)


def png(before: bytes = b"", behind: bytes = b"") -> bytes:
    buffer = io.BytesIO()
    PIL.Image.fromarray(PIXELS).save(buffer, "PNG")
    data = buffer.getvalue()
    return data[:33] + before + data[33:-12] + behind + data[-12:]


@pytest.mark.parametrize("name", [b"tEXt", b"zTXt", b"iTXt"])
def test_long_texts_do_not_count(name: bytes) -> None:
    text = bytes(range(1, 127)) * 20_000
    packed = zlib.compress(text)
    data = {b"tEXt": b"Comment\0" + text, b"zTXt": b"Comment\0\0" + packed, b"iTXt": b"Comment\0\1\0\0\0" + packed}[
        name
    ]
    for where in ("before", "behind"):
        image = decode_image(png(**{where: chunk(name, data)}), "x")
        np.testing.assert_array_equal(image.pixels, PIXELS)
        assert image.notices == ()


@pytest.mark.parametrize("name", [b"pHYs", b"gAMA", b"tIME", b"prIv"])
def test_wrong_sums_of_chunks_that_are_not_critical(name: bytes) -> None:
    data = {b"pHYs": struct.pack(">IIB", 10, 10, 1), b"gAMA": struct.pack(">I", 45455), b"tIME": bytes(7)}.get(
        name, b"x"
    )
    image = decode_image(png(chunk(name, data, wrong=1)), "x")
    np.testing.assert_array_equal(image.pixels, PIXELS)
    assert image.notices == (f"its chunk {name.decode()} is damaged, and not used",) or image.notices == ()


def test_critical_chunks_must_be_right() -> None:
    data = bytearray(png())
    data[data.index(b"IDAT") + 9] ^= 1
    with pytest.raises(ImageError, match="x: damaged or unusual PNG"):
        decode_image(bytes(data), "x")
    with pytest.raises(ImageError, match="x: damaged or unusual PNG"):
        decode_image(png(chunk(b"tEXt", b"a\0b", wrong=1))[:-60], "x")
