"""Portable anymaps with more than a bit a sample: PGM, PPM, PAM and PFM at their full depth.

The formats are those of Netpbm's manual pages `pgm`, `ppm`, `pam` and `pfm`. Samples are kept as stored if the largest
value is 255 or 65535. Others are scaled to that, so that white is white.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emseg.image.limits import Reading
from emseg.image.model import Image

_TOKEN = re.compile(rb"(?:\s|#[^\n\r]*[\n\r])*([^\s#]+)")
_HEADER = 1 << 16  # bytes within which a header ends: comments of scanners have pages
_DIGITS_AND_SPACE = b"0123456789 \t\n\v\f\r"
_LONG = re.compile(rb"[1-9]\d{5}")  # more digits than 65535 has
# Leading bytes of formats with samples as text, in binary, with any number of channels, and of floats.
TEXT, BINARY, ARBITRARY, FLOAT = (b"P2", b"P3"), (b"P5", b"P6"), b"P7", (b"Pf", b"PF")
CHANNELS = {b"P2": 1, b"P3": 3, b"P5": 1, b"P6": 3, b"Pf": 1, b"PF": 3}


def decode(data: bytes, name: str, how: Reading) -> Image:
    """Decode one image.

    Raises
    ------
    ImageError, ValueError
        If it is too large, or not what its header says.
    """
    how.require_page(1, name)
    kind = data[:2]
    if kind in FLOAT:
        return _floats(data, kind, name, how)
    if kind == ARBITRARY:
        width, height, channels, largest, alpha, start = _pam_header(data)
    else:
        (width, height, largest), start = _numbers(data, 3)
        channels, alpha = CHANNELS[kind], False
    if not 0 < largest < 65536:
        raise ValueError(f"the largest value cannot be {largest}")
    size = 1 if largest < 256 else 2
    how.require(width, height, name, channels, size)
    count = width * height * channels
    samples = _text_samples(data[start:], count) if kind in TEXT else _binary_samples(data, f">u{size}", start, count)
    if samples.max() > largest:
        raise ValueError("a sample is larger than the largest value")
    pixels = samples.astype(f"u{size}").reshape(height, width, channels)
    white = 256**size - 1
    if largest != white:
        pixels = ((pixels.astype(np.uint32) * white + largest // 2) // largest).astype(pixels.dtype)
    if not alpha:
        return Image.from_array(pixels, name=name)
    return Image.from_array(np.ascontiguousarray(pixels[..., :-1]), pixels[..., -1] != 0, name)


def _floats(data: bytes, kind: bytes, name: str, how: Reading) -> Image:
    """Decode a PFM: rows from the bottom up; the sign of the scale tells the order of bytes."""
    fields = _HEADERS_OF_PFM.match(data)
    if fields is None:
        raise ValueError("the header is not that of a PFM")
    width, height, scale = int(fields[1]), int(fields[2]), float(fields[3])
    channels = CHANNELS[kind]
    how.require(width, height, name, channels, 4)
    samples = _binary_samples(data, "<f4" if scale < 0 else ">f4", fields.end(), width * height * channels)
    return Image.from_array(np.ascontiguousarray(samples.reshape(height, width, channels)[::-1]), name=name)


_HEADERS_OF_PFM = re.compile(rb"P[Ff]\s+(\d{1,10})\s+(\d{1,10})\s+([-+]?[\d.]{1,20}(?:[eE][-+]?\d{1,3})?)\s")


def _numbers(data: bytes, count: int) -> tuple[tuple[int, ...], int]:
    """The first `count` numbers of the header, and where the samples start: after a single white space."""
    at, found = 2, []
    for _ in range(count):
        token = _TOKEN.match(data, at, _HEADER)
        if token is None or not token[1].isdigit() or len(token[1]) > 10:
            raise ValueError("the header ends early")
        found.append(int(token[1]))
        at = token.end()
    return tuple(found), at + 1


def _pam_header(data: bytes) -> tuple[int, int, int, int, bool, int]:
    """Width, height, depth, largest value, whether the last channel is alpha, and where the samples start."""
    end = data.find(b"\nENDHDR\n", 0, _HEADER)
    if end < 0:
        raise ValueError("the header ends early")
    fields: dict[bytes, bytes] = {}
    for line in data[2:end].split(b"\n"):
        key, _, value = line.strip().partition(b" ")
        if key and not key.startswith(b"#"):
            fields[key] = value.strip()
    width, height, depth, largest = (int(fields[key][:10]) for key in (b"WIDTH", b"HEIGHT", b"DEPTH", b"MAXVAL"))
    alpha = fields.get(b"TUPLTYPE", b"").endswith(b"_ALPHA") and depth > 1
    return width, height, depth, largest, alpha, end + len(b"\nENDHDR\n")


def _text_samples(body: bytes, count: int) -> NDArray[Any]:
    """Samples that are written as text, in decimal."""
    if b"#" in body:
        body = re.sub(rb"#[^\n\r]*", b"", body)
    if body.translate(None, _DIGITS_AND_SPACE) or _LONG.search(body):
        raise ValueError("a sample is not a number from 0 to 65535")
    dark = np.frombuffer(b" " + body, np.uint8) > ord(" ")
    if np.count_nonzero(dark[1:] > dark[:-1]) < count:  # numpy would make some up
        raise ValueError("samples are missing")
    return np.fromstring(body, np.int64, count, sep=" ")


def _binary_samples(data: bytes, dtype: str, start: int, count: int) -> NDArray[Any]:
    """Samples that are stored as numbers of a type, from byte `start` on."""
    if len(data) - start < count * np.dtype(dtype).itemsize:
        raise ValueError("the file is cut short")
    return np.frombuffer(data, dtype, count, start)


def without_comments(data: bytes) -> bytes:
    """A bitmap in text without its comments, of which Pillow takes out one at a time and looks at all the rest."""
    return re.sub(rb"#[^\n\r]*[\n\r]?", b"", data)
