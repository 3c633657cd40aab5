"""Whether the scans of a JPEG hold all of its pixels. libjpeg fills up with grey; Pillow keeps its warning.

Markers are those of ITU-T T.81, table B.1.
"""

from __future__ import annotations

import io
import re
import struct
from collections.abc import Iterator
from typing import Any

import numpy as np
import PIL.Image
from numpy.typing import NDArray
from PIL.JpegImagePlugin import JpegImageFile

from emseg.records import NamedRecord

PIXELS_OF_A_BYTE = 512
"""Pixels that a byte can hold at most: a bit for each block of 8 × 8 (T.81, F.1.2; no code of Huffman is shorter)."""

USUAL_SCANS = 64
MOST_UNITS = 1 << 28
"""Units of data that all scans may go through. libjpeg takes 6 ns for an empty one, and three decodings look for gaps:
5 s in all. Ten progressive scans of 500 megapixels of colour go through a quarter as many."""

_BLOCK = 8  # pixels along a side
_MARKER = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")  # in a scan, 0 follows a byte of data, and D0 to D7 start it again
_AGAIN = re.compile(rb"\xff[\xd0-\xd7]")
_SCAN, _END, _RESTART = 0xDA, 0xD9, 0xDD
_BY_HUFFMAN, _PROGRESSIVE = (0xC0, 0xC1, 0xC2), 0xC2  # frames: baseline, extended, progressive
_NO_FRAMES = (0xC4, 0xC8, 0xCC)
#: What is put behind the data to see whether a decoder would read on: no byte of it looks like a marker.
NOISE = bytes((73 * i + 41) % 251 for i in range(512))
_SMALL = 8  # the decoder scales by this for the comparison


class Scan(NamedRecord):
    """A scan.

    Attributes
    ----------
    components : tuple of int
        Their numbers.
    first, last, low : int
        The band of its coefficients, and the lowest bit of them that it holds.
    start, end : int
        Of its data.
    restart : int
        Units of data after which it starts again; 0 for never.
    """

    components: tuple[int, ...]
    first: int
    last: int
    low: int
    start: int
    end: int
    restart: int


class Markers(NamedRecord):
    """The parts of a JPEG.

    Attributes
    ----------
    frame : int
        The second byte of the marker of the frame; 0 if there is none.
    size : tuple of int
        Width and height.
    components : dict
        How often each is sampled, across and down, by its number.
    scans : tuple of Scan
    """

    frame: int
    size: tuple[int, int]
    components: dict[int, tuple[int, int]]
    scans: tuple[Scan, ...]

    def units(self, scan: Scan) -> int:
        """How many units of data a scan consists of (T.81, A.2)."""
        widest, highest = (max(factors) for factors in zip(*self.components.values(), strict=True))
        width, height = self.size
        if len(scan.components) > 1:
            return _divided(width, _BLOCK * widest) * _divided(height, _BLOCK * highest)
        across, down = self.components[scan.components[0]]
        return _divided(_divided(width * across, widest), _BLOCK) * _divided(_divided(height * down, highest), _BLOCK)


def _divided(length: int, by: int) -> int:
    return -(-length // by)


def markers(data: bytes) -> Markers:
    """The parts of the first image in a file."""
    frame, size, restart = 0, (0, 0), 0
    scans: list[Scan] = []
    components: dict[int, tuple[int, int]] = {}
    for code, at in _segments(data):
        if code == _SCAN:
            count = data[at + 2]
            numbers = tuple(data[at + 3 + 2 * i] for i in range(count))
            first, last, approximation = data[at + 3 + 2 * count : at + 6 + 2 * count]
            start = at + int.from_bytes(data[at : at + 2], "big")
            following = _MARKER.search(data, start)
            end = len(data) if following is None else following.start()
            scans.append(Scan(numbers, first, last, approximation & 15, start, end, restart))
        elif code == _RESTART:
            restart = int.from_bytes(data[at + 2 : at + 4], "big")
        elif 0xC0 <= code <= 0xCF and code not in _NO_FRAMES:
            frame = code
            height, width, count = struct.unpack_from(">HHB", data, at + 3)
            size = width, height
            fields = [data[at + 8 + 3 * i : at + 10 + 3 * i] for i in range(count)]
            components = {number: (factors >> 4, factors & 15) for number, factors in fields}
    return Markers(frame, size, components, tuple(scans))


def require_bytes(width: int, height: int, data: bytes) -> None:
    """Raise ValueError for a JPEG that cannot hold so many pixels in its bytes, or takes long, before it is decoded."""
    if width * height > PIXELS_OF_A_BYTE * len(data) and markers(data).frame in _BY_HUFFMAN:
        raise ValueError("the file is cut short")
    require_few_scans(data)


def require_few_scans(data: bytes) -> None:
    """Raise ValueError for a JPEG whose scans go through its units of data too often, before it is decoded.

    A scan of no more than twelve bytes may go through all of them. Files that are no attack have six to twenty scans.
    """
    if not _may_have_many_scans(data) or data.count(bytes([0xFF, _SCAN])) <= USUAL_SCANS:
        return
    found = markers(data)
    work = sum(found.units(scan) * len(scan.components) for scan in found.scans)
    if len(found.scans) > USUAL_SCANS and work > MOST_UNITS:
        raise ValueError(f"its {len(found.scans)} scans would take minutes")


def _may_have_many_scans(data: bytes) -> bool:
    """Whether the frame may be spread over several scans: it is progressive, or its first scan lacks a component."""
    frame, count = 0, 0
    for code, at in _segments(data):
        if code == _SCAN:
            return frame == _PROGRESSIVE or data[at + 2] < count
        if 0xC0 <= code <= 0xCF and code not in _NO_FRAMES:
            frame, count = code, data[at + 7]
    return False


def require_scans(image: PIL.Image.Image, data: bytes) -> None:
    """Raise ValueError if the data of a decoded JPEG end before its last block.

    Blocks that are missing are flat. So only if the last one is, the file is decoded twice more, at an eighth of its
    size, once with other bytes behind the data of its last scan. A decoder that reads them had too few.
    """
    width, height = image.size
    corner = image.crop(((width - 1) // _BLOCK * _BLOCK, (height - 1) // _BLOCK * _BLOCK, width, height))
    flat = ends_flat(np.asarray(corner))
    if not flat and not getattr(image, "info", {}).get("progressive"):
        return
    longer = with_noise(data)
    if flat and not np.array_equal(_small(data), _small(longer)):
        raise ValueError("the last blocks are missing")


def ends_flat(pixels: NDArray[Any]) -> bool:
    """Whether the last block of pixels (H, W) or (H, W, C) is flat, as one that is missing."""
    height, width = pixels.shape[:2]
    corner = pixels[(height - 1) // _BLOCK * _BLOCK :, (width - 1) // _BLOCK * _BLOCK :]
    return bool((corner == corner[:1, :1]).all())


def with_noise(data: bytes) -> bytes:
    """A JPEG with noise behind the data of its last scan: as it was to a decoder, unless it had too few data.

    Raises
    ------
    ValueError
        If scans are missing, or units of data that start again.
    """
    found = markers(data)
    if found.frame == _PROGRESSIVE and not _reach_the_last_bit(found):
        raise ValueError("the last scans are missing")
    if found.frame not in _BY_HUFFMAN or not found.scans:
        return data
    scan = found.scans[-1]
    starts = len(_AGAIN.findall(data, scan.start, scan.end))
    if scan.restart and starts < (found.units(scan) - 1) // scan.restart:
        raise ValueError("the last blocks are missing")
    return data[: scan.end] + NOISE + data[scan.end :]


def _reach_the_last_bit(found: Markers) -> bool:
    """Whether the scans of a progressive image hold every coefficient of every component to its last bit."""
    exact: set[tuple[int, int]] = set()
    for scan in found.scans:
        if scan.low == 0:
            exact.update((component, k) for component in scan.components for k in range(scan.first, scan.last + 1))
    return len(exact) >= 64 * len(found.components)


def _small(data: bytes) -> np.ndarray:
    image = JpegImageFile(io.BytesIO(data), "")
    image.draft(None, (max(1, image.width // _SMALL), max(1, image.height // _SMALL)))
    image.load()
    return np.asarray(image)


def _segments(data: bytes) -> Iterator[tuple[int, int]]:
    """The markers of the first image up to its end: the second byte of each, and the place of its length."""
    at = 2
    while at + 4 <= len(data):
        if data[at] != 0xFF:
            return
        code = data[at + 1]
        if code == _END:
            return
        if code == 0xFF:  # fill bytes
            at += 1
            continue
        if code == 1 or 0xD0 <= code <= 0xD8:  # without a length
            at += 2
            continue
        (length,) = struct.unpack_from(">H", data, at + 2)
        if at + 2 + length > len(data):
            return
        yield code, at + 2
        at += 2 + length
        if code == _SCAN:
            following = _MARKER.search(data, at)
            if following is None:
                return
            at = following.start()
