"""The samples of a page, decoded some strips or tiles at a time, so that little more than the result is in memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emseg.image.strips.directory import Directory
from emseg.image.strips.layout import RAW, Layout
from emseg.image.strips.segments import Decoder
from emseg.image.strips.unpack import REVERSED
from emseg.records import NamedRecord

AT_ONCE = 1 << 24  # bytes unpacked at a time: a thousandth of what a machine has, and many strips
_YCBCR = 6


class Stored(NamedRecord):
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
    decode = Decoder(page, layout).way()
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
