"""JPEG 2000 through Pillow. Pillow cuts colours to 8 bits without a word, so deeper ones are refused by the header."""

from __future__ import annotations

import struct
from dataclasses import replace

from emseg.errors import ImageError
from emseg.image.formats import pillow
from emseg.image.formats.pillow import count
from emseg.image.limits import Reading
from emseg.image.model import Image
from emseg.image.place.ground import on_ground
from emseg.image.place.jpeg2000_boxes import tags_of_boxes

__all__ = ["count", "decode"]

_SIZE = b"\xff\x4f\xff\x51"  # start of the code stream and of its size segment
_COUNT = 40  # bytes from there to the number of components; three bytes for each component follow


def decode(data: bytes, name: str, how: Reading, kind: str) -> Image:
    """Decode an image; `kind` is Pillow's name of the format."""
    _require_depth(data, name)
    image = pillow.decode(data, name, how, kind)
    return replace(image, metadata={**image.metadata, **on_ground(tags_of_boxes(data))})


def _require_depth(data: bytes, name: str) -> None:
    """Raise ImageError if there are several components and one has more than 8 bits (ITU-T T.800, A.5.1)."""
    start = data.find(_SIZE)
    if start < 0:
        raise ValueError("there is no code stream")
    (components,) = struct.unpack_from(">H", data, start + _COUNT)
    depths = [(depth & 127) + 1 for depth in data[start + _COUNT + 2 : start + _COUNT + 2 + 3 * components : 3]]
    if components > 1 and max(depths, default=0) > 8:
        raise ImageError(
            f"{name}: JPEG 2000 colours of {max(depths)} bits would lose some; convert it to a TIFF of 16 bits"
        )
