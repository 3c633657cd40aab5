"""Builds TIFF files of every layout, without the code under test: the encoders are libtiff's, zlib's and numpy's."""

from __future__ import annotations

import io
import itertools
import struct
import zlib
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import PIL.Image

COMPRESSIONS = {"none": 1, "lzw": 5, "deflate": 8, "packbits": 32773, "zstd": 50000, "lzma": 34925}
_PILLOW = {"lzw": "tiff_lzw", "packbits": "packbits", "zstd": "zstd", "lzma": "lzma"}
_KINDS = {"u": 1, "i": 2, "f": 3}
_TYPES = {"H": 3, "I": 4, "Q": 16, "B": 7}
HEIGHT, WIDTH = 19, 21


class Kind(NamedTuple):
    """A layout: the type of samples as numpy calls it, or "b" and their bits; and how they are stored."""

    dtype: str
    bands: int
    compression: str
    planar: bool = False
    segments: str = "strips"
    predictor: int = 1
    order: str = "<"
    fill_order: int = 1
    big: bool = False

    @property
    def bits(self) -> int:
        return int(self.dtype[1:]) if self.dtype[0] == "b" else 8 * int(self.dtype[1:])

    @property
    def is_packed(self) -> bool:
        return self.dtype[0] == "b"


def every_kind() -> Iterator[Kind]:
    """The whole matrix."""
    types = ("u1", "u2", "u4", "u8", "i1", "i2", "i4", "i8", "f2", "f4", "f8", "b1", "b2", "b4", "b10", "b12", "b14")
    bands, segments = (1, 2, 3, 4, 5), ("strip", "strips", "tiles")
    for dtype, many, packed, layout, order in itertools.product(types, bands, COMPRESSIONS, segments, "<>"):
        for planar in (False, True)[: 1 if many == 1 else 2]:
            for predictor in (1, 2, 3):
                is_possible = predictor == 1 or (
                    (packed not in ("none", "packbits") and dtype[0] != "b") and (predictor == 2 or dtype[0] == "f")
                )
                if is_possible:
                    yield Kind(dtype, many, packed, planar, layout, predictor, order)


def samples_of(kind: Kind) -> np.ndarray:
    """Samples (H, W, bands) over the whole range of their type."""
    rng = np.random.default_rng(kind.bits + 100 * kind.bands)
    shape = (HEIGHT, WIDTH, kind.bands)
    if kind.is_packed:
        return rng.integers(0, 1 << kind.bits, shape).astype(np.uint8 if kind.bits <= 8 else np.uint16)
    dtype = np.dtype(kind.dtype)
    if dtype.kind == "f":
        return (rng.normal(0, 1, shape) * 10.0 ** rng.integers(-4, 4, shape)).astype(dtype)
    limits = np.iinfo(dtype)
    return rng.integers(limits.min, limits.max, shape, dtype, endpoint=True)


def meant(kind: Kind, samples: np.ndarray) -> np.ndarray:
    """What a reader gives: samples of less than 8 bits are scaled, so that white is 255."""
    if kind.is_packed and kind.bits < 8:
        return (samples * (255 // ((1 << kind.bits) - 1))).astype(np.uint8)
    return samples


def tiff(kind: Kind, samples: np.ndarray, tags: dict[int, tuple[str, list[int]]] | None = None) -> bytes:
    """A TIFF of samples (H, W, bands); more tags replace others."""
    height, width, bands = samples.shape
    rows, columns = {"strip": (height, width), "strips": (4, width), "tiles": (16, 16)}[kind.segments]
    planes = [samples[..., i : i + 1] for i in range(bands)] if kind.planar else [samples]
    segments = []
    for plane in planes:
        for top, left in itertools.product(range(0, height, rows), range(0, width, columns)):
            part = plane[top : top + rows, left : left + columns]
            if kind.segments == "tiles":
                part = np.pad(part, ((0, rows - part.shape[0]), (0, columns - part.shape[1]), (0, 0)), mode="edge")
            segments.append(packed(kind, part))
    tiled = kind.segments == "tiles"
    address = "Q" if kind.big else "I"
    found: dict[int, tuple[str, list[int]]] = {
        256: ("I", [width]),
        257: ("I", [height]),
        258: ("H", [kind.bits] * bands),
        259: ("H", [COMPRESSIONS[kind.compression]]),
        262: ("H", [2 if bands == 3 else 1]),
        266: ("H", [kind.fill_order]),
        324 if tiled else 273: (address, [0] * len(segments)),
        277: ("H", [bands]),
        325 if tiled else 279: (address, [len(segment) for segment in segments]),
        284: ("H", [2 if kind.planar else 1]),
        317: ("H", [kind.predictor]),
        339: ("H", [1 if kind.is_packed else _KINDS[kind.dtype[0]]] * bands),
        **({322: ("I", [columns]), 323: ("I", [rows])} if tiled else {278: ("I", [rows])}),
        **(tags or {}),
    }
    return assembled(found, segments, kind.order, kind.big)


def assembled(
    tags: dict[int, tuple[str, list[int]]], segments: list[bytes], order: str = "<", big: bool = False
) -> bytes:
    """A file of one page; the offsets of segments, tag 273 or 324, are filled in."""
    address, counted, slot = ("Q", "Q", 8) if big else ("I", "H", 4)
    start = 16 if big else 8
    size = struct.calcsize(order + counted) + len(tags) * (4 + 2 * slot) + slot
    values = {code: struct.pack(f"{order}{len(value)}{kind}", *value) for code, (kind, value) in tags.items()}
    first = start + size + sum(len(value) for value in values.values() if len(value) > slot)
    where = next(code for code in (324, 273) if code in tags)
    places = list(itertools.accumulate((len(segment) for segment in segments[:-1]), initial=first))
    values[where] = struct.pack(f"{order}{len(places)}{address}", *places)
    directory, body = struct.pack(order + counted, len(tags)), b""
    for code in sorted(tags):
        kind, value = tags[code]
        stored = values[code]
        directory += struct.pack(f"{order}HH{address}", code, _TYPES[kind], len(value))
        if len(stored) > slot:
            directory += struct.pack(order + address, start + size + len(body))
            body += stored
        else:
            directory += stored.ljust(slot, b"\0")
    head = struct.pack(order + "HHHQ", 43, 8, 0, start) if big else struct.pack(order + "HI", 42, start)
    return (b"II" if order == "<" else b"MM") + head + directory + bytes(slot) + body + b"".join(segments)


def packed(kind: Kind, part: np.ndarray) -> bytes:
    """A strip or tile (h, w, samples) as stored."""
    part = np.ascontiguousarray(part)
    if kind.predictor == 2:
        words = part.view(f"u{part.dtype.itemsize}")
        part = np.concatenate([words[:, :1], np.diff(words, axis=1)], axis=1)
    if kind.predictor == 3:
        size, many = part.dtype.itemsize, part.shape[2]
        raw = part.astype(part.dtype.newbyteorder(">")).view(np.uint8).reshape(part.shape[0], -1, size)
        planes = raw.transpose(0, 2, 1).reshape(part.shape[0], -1, many)
        rows = np.concatenate([planes[:, :1], np.diff(planes, axis=1)], axis=1).reshape(part.shape[0], -1)
    elif kind.is_packed:
        shifts = np.arange(kind.bits)[::-1]
        rows = np.packbits(((part[..., None] >> shifts) & 1).astype(np.uint8).reshape(part.shape[0], -1), axis=1)
    else:
        rows = part.astype(part.dtype.newbyteorder(kind.order)).view(np.uint8).reshape(part.shape[0], -1)
    return turned(compressed(rows, kind.compression)) if kind.fill_order == 2 else compressed(rows, kind.compression)


def turned(raw: bytes) -> bytes:
    """Bytes with their bits in the other order."""
    bits = np.unpackbits(np.frombuffer(raw, np.uint8).reshape(-1, 1), axis=1)
    return np.packbits(bits[:, ::-1], axis=1).tobytes()


def compressed(rows: np.ndarray, compression: str) -> bytes:
    """Rows of bytes, compressed."""
    if compression == "none":
        return rows.tobytes()
    if compression == "deflate":
        return zlib.compress(rows.tobytes())
    buffer = io.BytesIO()
    image = PIL.Image.fromarray(np.ascontiguousarray(rows))
    image.save(buffer, "TIFF", compression=_PILLOW[compression], strip_size=rows.size)
    written = PIL.Image.open(buffer)
    (offset,), (count,) = written.tag_v2[273], written.tag_v2[279]
    return buffer.getvalue()[offset : offset + count]
