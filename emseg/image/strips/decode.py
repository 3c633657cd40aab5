"""The samples of a page, decoded some strips or tiles at a time, so that little more than the result is in memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from emseg.image.damage.jpeg_scans import NOISE, ends_flat, with_noise
from emseg.image.strips.codecs import CODECS, unpack_bytes
from emseg.image.strips.directory import Directory
from emseg.image.strips.layout import RAW, Layout
from emseg.image.strips.libtiff import unpacked
from emseg.image.strips.streams import decoded
from emseg.image.strips.unpack import REVERSED, samples_of, without_predictor

AT_ONCE = 1 << 24  # bytes unpacked at a time: a thousandth of what a machine has, and many strips
PACKBITS = 32773
#: Black runs of 64 after marks of a line's end, of one and of two dimensions (ITU-T T.4, tables 2 to 4).
_LINES = ["000000000001" + mark + "00110101" + "0000001111" + "0000110111" for mark in ("", "1")]
FAX_NOISE = (NOISE, *(int(400 * line, 2).to_bytes(50 * len(line), "big") for line in _LINES))
_GREY, _RGB, _CMYK, _YCBCR = 1, 2, 5, 6
#: How libtiff is lent a JPEG of so many samples a pixel, so that it leaves their values as they are.
_JPEG = {1: _GREY, 2: _GREY, 3: _RGB, 4: _CMYK}
_TABLES, _EXTRA, _T4, _T6, _COEFFICIENTS, _SUBSAMPLING, _POSITION, _RANGE, _LERC = (
    *(347, 338, 292, 293, 529, 530, 531, 532, 50674),
)
_SHORT, _LONG, _RATIONAL, _UNDEFINED = 3, 4, 5, 7
Tags = list[tuple[int, int, Any]]


class Stored(NamedTuple):
    """What a page stores.

    Attributes
    ----------
    samples : ndarray, shape (H, W, S)
        In the type `Layout.dtype`.
    there : ndarray of bool, shape (H, W), or None
        False where the writer left a strip or tile out; None where all are there.
    """

    samples: NDArray[Any]
    there: NDArray[np.bool_] | None


def stored_samples(page: Directory, layout: Layout) -> Stored:
    """Decode a page.

    Raises
    ------
    NotImplementedError
        For a compression or predictor that is not read here; the message names it.
    ValueError, OSError, zlib.error
        If the bytes are damaged.
    """
    layout = _in_short_strips(layout)
    decode = _decoder(page, layout)
    samples = np.zeros((layout.height, layout.width, layout.samples), layout.dtype)
    down, across = layout.grid
    present = layout.counts > 0
    for first, last in _batches(layout, present):
        plane, start = divmod(first, down * across)
        band = slice(plane, plane + 1) if layout.planar else slice(None)
        packed = [_segment(page.data, layout, at) for at in range(first, last)]
        if not layout.tiled:
            top = start * layout.rows
            height = min((start + last - first) * layout.rows, layout.height) - top
            samples[top : top + height, :, band] = decode(packed, height)
            continue
        block = decode(packed, layout.rows * len(packed))
        for at, tile in enumerate(block.reshape(-1, layout.rows, *block.shape[1:]), start):
            top, left = (at // across) * layout.rows, (at % across) * layout.columns
            part = samples[top : top + layout.rows, left : left + layout.columns, band]
            part[:] = tile[: part.shape[0], : part.shape[1]]
    if present.all():
        return Stored(samples, None)
    whole = present.reshape(-1, down, across).all(axis=0)
    there = whole.repeat(layout.rows, 0).repeat(layout.columns, 1)[: layout.height, : layout.width]
    return Stored(samples, there)


def _in_short_strips(layout: Layout) -> Layout:
    """The same layout with strips cut into shorter ones, where nothing is packed and they are long."""
    rows = max(1, AT_ONCE // layout.row_bytes)
    if layout.compression != RAW or layout.tiled or layout.rows <= rows or layout.photometric == _YCBCR:
        return layout
    down, planes = layout.grid[0], layout.samples if layout.planar else 1
    offsets, counts = [], []
    for at in range(down * planes):
        height = min(layout.rows, layout.height - (at % down) * layout.rows)
        if layout.counts[at] < height * layout.row_bytes or (at % down < down - 1 and layout.rows % rows):
            return layout  # cut short, or rows that would not fit; decoding says which
        tops = np.arange(0, height, rows)
        offsets.append(layout.offsets[at] + tops * layout.row_bytes)
        counts.append(np.minimum(rows, height - tops) * layout.row_bytes)
    return layout._replace(rows=rows, offsets=np.concatenate(offsets), counts=np.concatenate(counts))


def _batches(layout: Layout, present: NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    """Runs of segments that are there, of one plane, and together no larger than `AT_ONCE`: from, to."""
    plane = int(np.prod(layout.grid))
    most = max(1, AT_ONCE // max(1, layout.rows * layout.row_bytes))
    first = 0
    while first < present.size:
        if not present[first]:
            first += 1
            continue
        last = min(first + most, (first // plane + 1) * plane)
        gaps = np.flatnonzero(~present[first:last])
        last = first + int(gaps[0]) if gaps.size else last
        yield first, last
        first = last


def _segment(data: bytes, layout: Layout, at: int) -> memoryview:
    start, count = int(layout.offsets[at]), int(layout.counts[at])
    packed = memoryview(data)[start : start + count]
    return memoryview(bytes(packed).translate(REVERSED)) if layout.fill_order == 2 else packed


def _decoder(page: Directory, layout: Layout) -> Any:
    """A function from packed segments and their rows to samples (rows, columns, samples that lie together)."""
    codec = CODECS.get(layout.compression)
    if codec is None or not codec.by:
        raise NotImplementedError(f"compression {layout.compression}" if codec is None else codec.name)
    if (
        layout.photometric == _YCBCR
        and codec.by != "stream"
        and (layout.planar or layout.samples != 3 or layout.dtype != np.uint8)
    ):
        raise NotImplementedError("YCbCr of another kind than three samples of 8 bits")

    def by_bytes(packed: Sequence[memoryview], height: int) -> NDArray[Any]:
        rows = unpack_bytes(packed, layout.rows, layout.row_bytes, height, layout.compression)
        return samples_of(rows, layout, 1 if codec.by == "copy" else layout.predictor)

    def by_bits(packed: Sequence[memoryview], height: int) -> NDArray[Any]:
        if (layout.bits, layout.together) != (1, 1):
            raise ValueError("only bits can be compressed like a fax")
        tags: Tags = [(code, _LONG, [page.number(code, 0)]) for code in (_T4, _T6) if code in page.entries]
        size = height, layout.columns
        rows = unpacked(packed, size, layout.rows, layout.compression, tags, bits=1)
        for noise in FAX_NOISE:  # libtiff goes on in white where data end
            longer = [bytes(part) + noise for part in packed]
            if not np.array_equal(rows, unpacked(longer, size, layout.rows, layout.compression, tags, bits=1)):
                raise ValueError("a strip ends early")
        return samples_of(rows, layout, 1)

    def by_stream(packed: Sequence[memoryview], height: int) -> NDArray[Any]:
        rows, tables = layout.rows, page.numbers(_TABLES).tobytes()
        packing = int(page.numbers(_LERC)[1]) if page.numbers(_LERC).size > 1 else 0
        name, parts = codec.name, []
        for at, part in enumerate(packed):
            parts.append(decoded(part, layout, min(rows, height - at * rows), name, packing, tables))
        return without_predictor(np.concatenate(parts), layout.predictor)

    def by_jpeg(packed: Sequence[memoryview], height: int) -> NDArray[Any]:
        if layout.bits != 8 or layout.together not in _JPEG:
            return by_stream(packed, height)
        tags: Tags = [(_TABLES, _UNDEFINED, page.numbers(_TABLES).tobytes())] if _TABLES in page.entries else []
        tags += [(_EXTRA, _SHORT, [2])] if layout.together == 2 else []
        return jpeg_lent(packed, height, tags, _JPEG[layout.together])

    def jpeg_lent(packed: Sequence[memoryview], height: int, tags: Tags, photometric: int) -> NDArray[Any]:
        found = lent(packed, height, layout.compression, tags, photometric)
        tops = range(0, height, layout.rows)
        ends = [ends_flat(found[top : top + layout.rows]) for top in tops]  # as blocks that are missing
        if not any(ends):
            return found
        longer = [with_noise(bytes(part)) if end else part for part, end in zip(packed, ends, strict=True)]
        if not np.array_equal(found, lent(longer, height, layout.compression, tags, photometric)):
            raise ValueError("a strip or tile ends early")
        return found

    def by_colours(packed: Sequence[memoryview], height: int) -> NDArray[Any]:
        if layout.predictor != 1 and codec.by != "jpeg":
            raise NotImplementedError(f"predictor {layout.predictor} for YCbCr")
        tags: Tags = []
        for code, kind in (
            (_COEFFICIENTS, _RATIONAL),
            (_SUBSAMPLING, _SHORT),
            (_POSITION, _SHORT),
            (_RANGE, _RATIONAL),
        ):
            tags += [(code, kind, page.numbers(code))] if code in page.entries else []
        if _TABLES in page.entries:
            tags.append((_TABLES, _UNDEFINED, page.numbers(_TABLES).tobytes()))
        if codec.by == "jpeg":
            return jpeg_lent(packed, height, tags, _YCBCR)
        if layout.compression == RAW:  # Pillow would not ask libtiff
            return lent([_literal(part) for part in packed], height, PACKBITS, tags, _YCBCR)
        return lent(packed, height, layout.compression, tags, _YCBCR)

    def lent(packed: Any, height: int, compression: int, tags: Tags, photometric: int) -> NDArray[Any]:
        size, many = (height, layout.columns), layout.together
        rows = unpacked(packed, size, layout.rows, compression, tags, many, photometric=photometric)
        return rows.reshape(height, layout.columns, -1)[:, :, :many]

    if layout.photometric == _YCBCR and codec.by != "stream":  # a stream is red, green and blue when it is decoded
        return by_colours
    return {"bits": by_bits, "jpeg": by_jpeg, "stream": by_stream}.get(codec.by, by_bytes)


def _literal(raw: memoryview) -> bytes:
    """Bytes as PackBits stores them if nothing repeats: 128 at a time, after their number less one."""
    return b"".join(bytes((len(part) - 1,)) + part for part in (raw[at : at + 128] for at in range(0, len(raw), 128)))
