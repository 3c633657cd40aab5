"""What a JPEG 2000 header says of depth: Pillow cuts colours to 8 bits without a word."""

from __future__ import annotations

import struct

from emseg.errors import ImageError

_SIZE = b"\xff\x4f\xff\x51"  # start of the code stream and of its size segment
_COUNT = 40  # bytes from there to the number of components, which three bytes for each of them follow


def require_depth(data: bytes, name: str) -> None:
    """Raise ImageError for several components of more than 8 bits (ITU-T T.800, A.5.1)."""
    start = data.find(_SIZE)
    if start < 0:
        raise ValueError("there is no code stream")
    (components,) = struct.unpack_from(">H", data, start + _COUNT)
    depths = [(depth & 127) + 1 for depth in data[start + _COUNT + 2 : start + _COUNT + 2 + 3 * components : 3]]
    if components > 1 and max(depths, default=0) > 8:
        raise ImageError(f"{name}: JPEG 2000 colours of {max(depths)} bits would lose some; convert it to TIFF or PNG")
