"""The codecs of libtiff, lent by Pillow, which comes with it.

Pillow opens few of the layouts that a TIFF may have, and takes some for others. Strips and tiles of any layout are
therefore copied into a small TIFF of one that it does read: a grey image of 8 bits, as wide as a row has bytes. What
libtiff unpacks comes back as bytes; what they mean is decided elsewhere.
"""

from __future__ import annotations

import contextlib
import io
import os
import struct
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL.TiffImagePlugin import TiffImageFile

#: Tags of the TIFF that is lent.
_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC, _OFFSETS, _SAMPLES, _ROWS, _COUNTS = (
    *(256, 257, 258, 259, 262, 273, 277, 278, 279),
)
_SHORT, _LONG, _UNDEFINED = 3, 4, 7
_GREY = 1


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Silence libtiff, which writes straight to file descriptor 2 what it reports as errors too."""
    saved, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(nowhere)


def unpacked(
    segments: Sequence[bytes | memoryview],
    shape: tuple[int, int],
    rows: int,
    compression: int,
    tags: Sequence[tuple[int, int, Sequence[int] | bytes]] = (),
    samples: int = 1,
    bits: int = 8,
    photometric: int = _GREY,
) -> NDArray[np.uint8]:
    """What libtiff makes of strips, all of the same size but the last.

    Parameters
    ----------
    segments : sequence of bytes
        Packed strips.
    shape : tuple of int
        Height, and width in pixels, of all strips below one another.
    rows : int
        Rows of a strip.
    compression : int
        As in a TIFF.
    tags : sequence of (int, int, sequence of int or bytes)
        Further tags: number, type, values.
    samples, bits, photometric : int
        Of the TIFF that is lent; by default a byte is a pixel.

    Returns
    -------
    ndarray of uint8, shape (height, bytes of a row)

    Raises
    ------
    OSError
        If the bytes are damaged, or the libtiff in Pillow does not have the codec.
    """
    height, width = shape
    lengths = [len(segment) for segment in segments]
    directory: list[tuple[int, int, Any]] = [
        (_WIDTH, _LONG, [width]),
        (_HEIGHT, _LONG, [height]),
        (_BITS, _SHORT, [bits] * samples),
        (_COMPRESSION, _SHORT, [compression]),
        (_PHOTOMETRIC, _SHORT, [photometric]),
        (_OFFSETS, _LONG, np.zeros(len(lengths), int)),
        (_SAMPLES, _SHORT, [samples]),
        (_ROWS, _LONG, [rows]),
        (_COUNTS, _LONG, lengths),
        *tags,
    ]
    directory.sort(key=lambda tag: tag[0])
    start = 8 + 2 + 12 * len(directory) + 4
    values = [_packed(kind, value) for _, kind, value in directory]
    first = start + sum(len(value) for value in values if len(value) > 4)
    places = first + np.cumsum([0, *lengths[:-1]])
    values = [
        _packed(_LONG, places) if tag[0] == _OFFSETS else value for tag, value in zip(directory, values, strict=True)
    ]
    head, body = struct.pack("<2sHIH", b"II", 42, 8, len(directory)), b""
    for (code, kind, value), stored in zip(directory, values, strict=True):
        field = stored.ljust(4, b"\0") if len(stored) <= 4 else struct.pack("<I", start + len(body))
        body += stored if len(stored) > 4 else b""
        head += struct.pack("<HHI", code, kind, len(value)) + field
    image = TiffImageFile(io.BytesIO(b"".join((head, bytes(4), body, *segments))), "")
    with quiet():
        image.load()
    return np.frombuffer(image.tobytes(), np.uint8).reshape(height, -1)


def _packed(kind: int, values: Any) -> bytes:
    return (
        bytes(values) if kind == _UNDEFINED else np.asarray(values).astype("<u2" if kind == _SHORT else "<u4").tobytes()
    )
