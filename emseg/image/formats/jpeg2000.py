"""JPEG 2000 through Pillow. Pillow cuts colours to 8 bits without a word, so deeper ones are left to imagecodecs."""

from __future__ import annotations

import struct
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emseg.errors import ImageError
from emseg.image.formats import pillow
from emseg.image.formats.pillow import count
from emseg.image.limits import Reading
from emseg.image.model import Image
from emseg.image.place.ground import on_ground
from emseg.image.place.jpeg2000_boxes import tags_of_boxes

__all__ = ["count", "decode"]

EIGHT = 8  # bits of a colour that Pillow keeps
_SIZE = b"\xff\x4f\xff\x51"  # start of the code stream and of its size segment
_COUNT = 40  # bytes from there to the number of components; three bytes for each component follow


def decode(data: bytes, name: str, how: Reading, kind: str) -> Image:
    """Decode an image; `kind` is Pillow's name of the format."""
    depths = _depths(data)
    most = max(bits for bits, _ in depths)
    if most > EIGHT and (len(depths) > 1 or most == EIGHT + 1):
        image = _by_imagecodecs(data, name, how, kind, most)
    else:
        image = pillow.decode(data, name, how, kind)
        if most > EIGHT or any(signed for _, signed in depths):
            image = replace(image, pixels=_as_stored(image.pixels, *depths[0]), packed=None)
    return replace(image, metadata={**image.metadata, **on_ground(tags_of_boxes(data))})


def _depths(data: bytes) -> list[tuple[int, bool]]:
    """The bits of each component, and whether it is signed (ITU-T T.800, A.5.1)."""
    start = data.find(_SIZE)
    if start < 0:
        raise ValueError("there is no code stream")
    (components,) = struct.unpack_from(">H", data, start + _COUNT)
    depths = data[start + _COUNT + 2 : start + _COUNT + 2 + 3 * components : 3]
    if not depths:
        raise ValueError("there are no components")
    return [((depth & 127) + 1, depth > 127) for depth in depths]


def _as_stored(pixels: NDArray[Any], bits: int, signed: bool) -> NDArray[Any]:
    """Samples that Pillow has raised to 8 or 16 bits, without a sign, as they were."""
    room = 8 * pixels.dtype.itemsize
    found = pixels >> (room - bits) if 8 < bits < room else pixels
    return (found.astype(np.int32) - (1 << (min(bits, room) - 1))).astype(f"i{room // 8}") if signed else found


def _by_imagecodecs(data: bytes, name: str, how: Reading, kind: str, bits: int) -> Image:
    """An image of several components of more than 8 bits, or of one of 9, of which Pillow would drop some."""
    try:
        import imagecodecs  # type: ignore[import-not-found, unused-ignore]
    except ImportError as error:
        raise ImageError(
            f"{name}: JPEG 2000 samples of {bits} bits need imagecodecs; pip install imagecodecs"
        ) from error
    how.require_page(1, name)
    width, height = pillow.open_page(data, kind, name, how).size
    how.require(width, height, name, len(_depths(data)), 2 if bits <= 16 else 4)
    return Image.from_array(np.ascontiguousarray(imagecodecs.jpeg2k_decode(data)), name=name)
