"""Compressions of TIFF, and those that unpack bytes: zlib of Python, and the libtiff in Pillow."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from emseg.image.strips.libtiff import unpacked
from emseg.records import NamedRecord

Segments = Sequence[memoryview]


class Codec(NamedRecord):
    """A compression.

    Attributes
    ----------
    name : str
        What messages call it.
    by : {"copy", "zlib", "libtiff", "bits", "jpeg", "stream", ""}
        Who unpacks it: nobody needs to; zlib; libtiff, given bytes, lines of bits or JPEG streams;
        `emseg.image.strips.streams`; nobody can.
    """

    name: str
    by: str = ""


#: By the number in the tag (TIFF 6.0; libtiff's `tiff.h`; the registries of LERC, JPEG XL and others).
CODECS = {
    1: Codec("none", "copy"),
    2: Codec("CCITT RLE", "bits"),
    3: Codec("CCITT fax 3", "bits"),
    4: Codec("CCITT fax 4", "bits"),
    5: Codec("LZW", "libtiff"),
    7: Codec("JPEG", "jpeg"),
    8: Codec("deflate", "zlib"),
    32773: Codec("PackBits", "libtiff"),
    32946: Codec("deflate", "zlib"),
    34925: Codec("LZMA", "libtiff"),
    50000: Codec("Zstandard", "libtiff"),
    22610: Codec("JPEG XR", "stream"),
    33004: Codec("JPEG 2000", "stream"),
    33005: Codec("JPEG 2000", "stream"),
    34712: Codec("JPEG 2000", "stream"),
    34887: Codec("LERC", "stream"),
    34933: Codec("PNG", "stream"),
    34934: Codec("JPEG XR", "stream"),
    50001: Codec("WebP", "stream"),
    50002: Codec("JPEG XL", "stream"),
    52546: Codec("JPEG XL", "stream"),
    6: Codec("JPEG of the old kind"),
    32766: Codec("NeXT's compression"),
    32771: Codec("words of 16 bits"),
    32809: Codec("ThunderScan's compression"),
    32909: Codec("PixarLog's compression"),
    33003: Codec("JPEG 2000 in YCbCr"),
    33007: Codec("JPEG of another kind"),
    34676: Codec("SGI's LogLuv compression"),
    34677: Codec("SGI's LogLuv compression"),
    34892: Codec("JPEG of another kind"),
    48124: Codec("Jetraw's compression"),
}


def unpack_bytes(segments: Segments, rows: int, row_bytes: int, height: int, compression: int) -> NDArray[np.uint8]:
    """The bytes of segments below one another, shape (height, row_bytes).

    Parameters
    ----------
    segments : sequence of memoryview
        Packed; each of `rows` rows but the last.
    rows, row_bytes, height : int
        Rows of a segment, bytes of a row, and rows of all segments.
    compression : int
        Of those that are unpacked by copying, zlib or libtiff.

    Raises
    ------
    ValueError, OSError, zlib.error
        If the bytes are damaged, or too few.
    """
    by = CODECS[compression].by
    if by == "libtiff":
        return unpacked(segments, (height, row_bytes), rows, compression)
    most, left, parts = rows * row_bytes, height * row_bytes, []
    for segment in segments:
        wanted = min(most, left)
        part = segment[:wanted] if by == "copy" else zlib.decompressobj().decompress(segment, wanted)
        if len(part) < wanted:
            raise ValueError("a strip or tile is cut short")
        left -= wanted
        parts.append(part)
    return np.frombuffer(bytearray().join(parts), np.uint8).reshape(height, row_bytes)
