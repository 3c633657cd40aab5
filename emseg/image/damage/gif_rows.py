"""The pixels that the first picture of a GIF holds before its data end (GIF89a, appendix F, variable-length LZW)."""

from __future__ import annotations

import struct
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_HEADER, _SCREEN = 6, 7  # bytes of the signature, and of the logical screen
_EXTENSION, _PICTURE, _TABLE, _INTERLACED = 0x21, 0x2C, 0x80, 0x40
_MOST_CODES = 4096
_GROUP = 250  # pixels after which the table is cleared, so that all codes have nine bits
_CLEAR, _END = 256, 257


class Rows(NamedTuple):
    """The first picture of a GIF.

    Attributes
    ----------
    box : tuple of int
        Left, top, width and height of the picture on it.
    interlaced : bool
    there : int
        Rows of the picture that are whole.
    mended : bytes
        The file with the other rows in the first colour, and without what follows.
    """

    box: tuple[int, int, int, int]
    interlaced: bool
    there: int
    mended: bytes


def rows_of(data: bytes) -> Rows:
    """What there is of the first picture; raise ValueError or struct.error if there is nothing."""
    flags = data[_HEADER + 4]  # after width and height
    at = _HEADER + _SCREEN + _length(flags)
    while data[at] == _EXTENSION:
        at = _blocks(data, at + 2)[1]
    if data[at] != _PICTURE:
        raise ValueError("there is no picture in it")
    left, top, columns, rows, flags = struct.unpack_from("<HHHHB", data, at + 1)
    at += 10 + _length(flags)
    packed = _blocks(data, at + 1)[0]
    found = _unpacked(packed, data[at], columns * rows)
    there = len(found) // max(columns, 1)
    whole = np.zeros(columns * rows, np.uint16)
    whole[: there * columns] = np.frombuffer(found, np.uint8, there * columns)
    mended = data[:at] + b"\x08" + _in_blocks(_packed(whole)) + b"\0;"
    return Rows((left, top, columns, rows), bool(flags & _INTERLACED), there, mended)


def _length(flags: int) -> int:
    """Bytes of a table of colours."""
    return 3 << (flags & 7) + 1 if flags & _TABLE else 0


def _blocks(data: bytes, at: int) -> tuple[bytes, int]:
    """The bytes of blocks one after another, as far as they go, and where the next part begins."""
    parts = []
    while at < len(data) and data[at]:
        parts.append(data[at + 1 : at + 1 + data[at]])
        at += 1 + data[at]
    return b"".join(parts), at + 1


def _unpacked(packed: bytes, least: int, count: int) -> bytes:
    """Up to so many pixels; fewer where the data end or make no sense."""
    if not 1 <= least <= 8:
        raise ValueError("its codes are of an unknown size")
    clear = 1 << least
    fresh = [bytes([i]) for i in range(clear)] + [b"", b""]
    table, size, before = list(fresh), least + 1, b""
    out, buffer, bits = bytearray(), 0, 0
    for byte in packed:
        buffer |= byte << bits
        bits += 8
        while bits >= size:
            code = buffer & ((1 << size) - 1)
            buffer >>= size
            bits -= size
            if code == clear:
                table, size, before = list(fresh), least + 1, b""
                continue
            if code == clear + 1 or code > len(table) or (code == len(table) and not before):
                return bytes(out[:count])
            entry = table[code] if code < len(table) else before + before[:1]
            if before and len(table) < _MOST_CODES:
                table.append(before + entry[:1])
                if len(table) == 1 << size and size < 12:
                    size += 1
            out += entry
            before = entry
            if len(out) >= count:
                return bytes(out[:count])
    return bytes(out)


def _packed(pixels: NDArray[np.uint16]) -> bytes:
    """Pixels as codes of nine bits each."""
    groups = np.array_split(pixels, range(_GROUP, len(pixels), _GROUP))
    codes = np.concatenate([part for group in groups for part in ([_CLEAR], group)] + [[_END]]).astype("<u2")
    bits = np.unpackbits(codes.view(np.uint8).reshape(-1, 2), axis=1, bitorder="little")[:, :9]
    return np.packbits(bits, bitorder="little").tobytes()


def _in_blocks(data: bytes) -> bytes:
    parts = (data[at : at + 255] for at in range(0, len(data), 255))
    return b"".join(bytes([len(part)]) + part for part in parts)
