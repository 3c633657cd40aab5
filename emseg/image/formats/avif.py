"""AVIF through Pillow, which gives 8 bits of deeper ones. A line says so."""

from __future__ import annotations

from emseg.image.formats import pillow
from emseg.image.formats.pillow import count
from emseg.image.limits import Reading
from emseg.image.model import Image

__all__ = ["count", "decode"]

_CODEC = b"av1C"  # box of the codec's configuration (AV1 in ISOBMFF, 2.3): two bytes later are the flags of the depth
_HIGH, _TWELVE = 0x40, 0x20
_HEAD = 1 << 16  # bytes within which the box is


def decode(data: bytes, name: str, how: Reading, kind: str) -> Image:
    """Decode an image; `kind` is Pillow's name of the format."""
    image = pillow.decode(data, name, how, kind)
    at = data.find(_CODEC, 0, _HEAD)
    flags = data[at + 6] if 0 <= at < len(data) - 6 else 0
    if not flags & _HIGH:
        return image
    bits = 12 if flags & _TWELVE else 10
    return image.with_notices(f"{bits} bits a sample are read as 8; a PNG or TIFF of 16 bits keeps them")
