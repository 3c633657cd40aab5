"""Whether a file can hold as many pixels as it claims to have, before room is made for them."""

from __future__ import annotations

from emseg.image.damage.jpeg_scans import require_bytes

GIF_PIXELS_OF_A_BYTE = 4096 * 2 // 3  # a code of 12 bits stands for as many pixels as there are codes at most
SMALL = 1 << 24  # pixels that any file may have: a GIF may be larger than the picture in it


def require_possible(width: int, height: int, data: bytes, kind: str) -> None:
    """Raise ValueError for a JPEG or GIF that is too short for its size."""
    if kind == "JPEG":
        require_bytes(width, height, data)
    elif width * height > max(SMALL, GIF_PIXELS_OF_A_BYTE * len(data)):
        raise ValueError("the file is cut short")
