"""A PNG reader that shares nothing with the writer: chunks, checksums, unfiltered 8-bit rows."""

from __future__ import annotations

import struct
import zlib

import numpy as np
from numpy.typing import NDArray


def chunks(data: bytes) -> dict[bytes, bytes]:
    """Contents by chunk type, those of one type joined."""
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    found: dict[bytes, bytes] = {}
    at = 8
    while at < len(data):
        size, kind = struct.unpack(">I4s", data[at : at + 8])
        body = data[at + 8 : at + 8 + size]
        assert struct.unpack(">I", data[at + 8 + size : at + 12 + size])[0] == zlib.crc32(kind + body)
        found[kind] = found.get(kind, b"") + body
        at += 12 + size
    assert kind == b"IEND"
    return found


def header(data: bytes) -> tuple[int, int, int, int]:
    """Width, height, bit depth, colour type."""
    width, height, depth, colour, *rest = struct.unpack(">IIBBBBB", chunks(data)[b"IHDR"])
    assert rest == [0, 0, 0]
    return width, height, depth, colour


def indices(data: bytes) -> NDArray[np.uint8]:
    width, height, depth, colour = header(data)
    assert (depth, colour) == (8, 3)
    rows = np.frombuffer(zlib.decompress(chunks(data)[b"IDAT"]), np.uint8).reshape(height, width + 1)
    assert not rows[:, 0].any()
    return rows[:, 1:]


def table(data: bytes) -> NDArray[np.uint8]:
    return np.frombuffer(chunks(data)[b"PLTE"], np.uint8).reshape(-1, 3)
