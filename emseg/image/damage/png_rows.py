"""Whether the compressed data of a PNG hold all of its rows (PNG, third edition, sections 9 and 10)."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

_START, _CHUNK = 8, 12  # bytes before the first chunk, and of a chunk besides its data
_AT_ONCE = 1 << 20  # bytes unpacked at a time
_SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # of a pixel, by the type of colour
#: Of each pass over an interlaced image: first column and row, and steps between columns and rows.
_PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))


def require_rows(data: bytes) -> None:
    """Raise ValueError if the data of a PNG end before its last row. They are unpacked for that."""
    width, height, depth, kind, interlaced = struct.unpack_from(">IIBB2xB", data, 16)
    passes = _PASSES if interlaced else ((0, 0, 1, 1),)
    expected = 0
    for left, top, across, down in passes:
        columns, rows = -(-(width - left) // across), -(-(height - top) // down)
        expected += rows * bytes_of_row(columns, depth, kind) if min(columns, rows) > 0 else 0
    if _unpacked(data, expected) < expected:
        raise ValueError("the last rows are missing")


def bytes_of_row(columns: int, depth: int, kind: int) -> int:
    """Bytes of an unpacked row, its filter included."""
    return 1 + -(-columns * depth * _SAMPLES.get(kind, 1) // 8)


def _unpacked(data: bytes, most: int) -> int:
    """How many bytes the compressed data of the first image make, counted up to `most`."""
    decoder, found = zlib.decompressobj(), 0
    for part in _parts(data):
        while found < most and not decoder.eof:
            made = decoder.decompress(part, _AT_ONCE)
            found += len(made)
            part = decoder.unconsumed_tail
            if not part and not made:
                break
    return found


def _parts(data: bytes) -> Iterator[bytes]:
    at, begun = _START, False
    while at + _CHUNK <= len(data):
        length, name = struct.unpack_from(">I4s", data, at)
        if name == b"IDAT":
            begun = True
            yield data[at + 8 : at + 8 + length]
        elif begun:
            return
        at += _CHUNK + length
