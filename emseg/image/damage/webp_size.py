"""The size of a WebP, by its first chunk (RFC 9649, 2.5 to 2.7). To find out, Pillow makes room for all of it."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager

import PIL.Image

_CHUNK, _DATA = 12, 20  # bytes before the name of the first chunk, and before its data
_LOSSLESS = 0x2F  # the first byte of lossless data


def webp_size(data: bytes) -> tuple[int, int]:
    """Width and height in pixels.

    Raises
    ------
    ValueError, struct.error
        If the first chunk is none that holds a size.
    """
    name = data[_CHUNK : _CHUNK + 4]
    if name == b"VP8X":
        width, height = (int.from_bytes(data[at : at + 3], "little") + 1 for at in (_DATA + 4, _DATA + 7))
    elif name == b"VP8L" and data[_DATA] == _LOSSLESS:
        (word,) = struct.unpack_from("<I", data, _DATA + 1)
        width, height = (word & 0x3FFF) + 1, (word >> 14 & 0x3FFF) + 1
    elif name == b"VP8 ":
        width, height = (word & 0x3FFF for word in struct.unpack_from("<HH", data, _DATA + 6))
    else:
        raise ValueError("the first chunk does not tell the size")
    return width, height


@contextmanager
def without_pillows_limit() -> Iterator[None]:
    """Lift Pillow's own limit of pixels, for an image whose size was judged before."""
    limit = PIL.Image.MAX_IMAGE_PIXELS
    PIL.Image.MAX_IMAGE_PIXELS = None
    try:
        yield
    finally:
        PIL.Image.MAX_IMAGE_PIXELS = limit
