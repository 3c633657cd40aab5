"""PNG files whose data end before their last row."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import PIL.Image
import pytest

from emseg.errors import ImageError
from emseg.image.read import decode_image

RNG = np.random.default_rng(0)


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(width: int, height: int, depth: int, kind: int, rows: bytes, interlaced: int = 0, parts: int = 1) -> bytes:
    packed = zlib.compress(rows)
    size = -(-len(packed) // parts)
    head = struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, interlaced)
    palette = chunk(b"PLTE", bytes(range(255, 0, -1))) if kind == 3 else b""
    data = b"".join(chunk(b"IDAT", packed[at : at + size]) for at in range(0, len(packed), size))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + palette + data + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("depth", "kind", "samples"), [(8, 2, 3), (8, 0, 1), (8, 4, 2), (8, 6, 4), (16, 0, 1), (16, 2, 3)]
)
@pytest.mark.parametrize("height", [1, 2, 9, 64])
@pytest.mark.parametrize("value", [0, 77])
def test_rows_that_are_missing_are_told(depth: int, kind: int, samples: int, height: int, value: int) -> None:
    row = b"\0" + bytes([value]) * (12 * samples * depth // 8)
    for parts in (1, 3):
        assert decode_image(png(12, height, depth, kind, row * height, parts=parts), "x").shape == (height, 12)
        for there in {0, height // 2, height - 1}:
            with pytest.raises(ImageError, match=r"^x: damaged or unusual PNG"):
                decode_image(png(12, height, depth, kind, row * there, parts=parts), "x")


@pytest.mark.parametrize(("depth", "kind"), [(1, 0), (2, 0), (4, 0), (4, 3), (1, 3)])
def test_rows_of_bits(depth: int, kind: int) -> None:
    row = bytes(1 + -(-11 * depth // 8))
    assert decode_image(png(11, 5, depth, kind, row * 5), "x").shape == (5, 11)
    with pytest.raises(ImageError, match="the last rows are missing"):
        decode_image(png(11, 5, depth, kind, row * 4), "x")


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (5, 5), (8, 8), (13, 17)])
def test_interlaced(size: tuple[int, int]) -> None:
    width, height = size
    rows = b""
    for left, top, across, down in (
        (0, 0, 8, 8),
        (4, 0, 8, 8),
        (0, 4, 4, 8),
        (2, 0, 4, 4),
        (0, 2, 2, 4),
        (1, 0, 2, 2),
        (0, 1, 1, 2),
    ):
        columns, many = len(range(left, width, across)), len(range(top, height, down))
        rows += (b"\0" + b"\x55" * columns) * many if columns else b""
    np.testing.assert_array_equal(decode_image(png(width, height, 8, 0, rows, 1), "x").pixels, 0x55)
    with pytest.raises(ImageError, match=r"^x: damaged or unusual PNG"):
        decode_image(png(width, height, 8, 0, rows[: -1 - (width if height > 1 else len(rows) - 1)], 1), "x")


def test_a_black_edge_is_no_damage() -> None:
    for mode, shape in (("L", (40, 30)), ("RGB", (40, 30, 3)), ("RGBA", (40, 30, 4)), ("1", (40, 30))):
        array = RNG.integers(0, 256, shape, np.uint8)
        array[-3:] = 0
        buffer = io.BytesIO()
        PIL.Image.fromarray(array).convert(mode).save(buffer, "PNG")
        assert decode_image(buffer.getvalue(), "x").shape == (40, 30)
