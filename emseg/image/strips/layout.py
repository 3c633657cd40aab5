"""How the samples of a page lie in the file, as its tags say."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from emseg.image.strips.directory import Directory, Order
from emseg.records import NamedRecord

LARGEST_TILE = 1 << 24
"""Pixels that a tile of any image may have: 4096 × 4096, sixteen times what writers make by default."""

RAW = 1  # compression: none
TILE_ROW = 16  # lengths of tiles are multiples of it (TIFF 6.0, section 15)
# Tags (TIFF 6.0, appendix A; TIFF Technical Note 3 for predictors of floats).
_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC, _FILL_ORDER = 256, 257, 258, 259, 262, 266
_STRIPS, _SAMPLES, _ROWS, _STRIP_COUNTS, _PLANAR, _PREDICTOR = 273, 277, 278, 279, 284, 317
_TILE_WIDTH, _TILE_HEIGHT, _TILES, _TILE_COUNTS, _FORMAT = 322, 323, 324, 325, 339
_DEPTH = 32997
_KINDS = {1: "u", 2: "i", 3: "f", 4: "u"}  # of `_FORMAT`; 4 is "undefined", and 5 and 6 are complex numbers
_FLOATS, _INTEGERS = (16, 24, 32, 64), (8, 16, 32, 64)  # bits


class ComplexNumbers(ValueError):
    """Samples are complex; the message says of which type."""


#: Strips and tiles may share bytes, as those of one colour do: so many times the file, or so many bytes, may be read
#: where what they hold is smaller. A hundred thousand strips that all have four megabytes would take hours.
SHARED, SHARED_LEAST = 4, 1 << 24


class Layout(NamedRecord):
    """How the samples of a page lie in the file.

    Attributes
    ----------
    width, height, samples : int
        Of the page; alpha and other extra samples are counted.
    bits : int
        Of a sample in the file.
    kind : {"u", "i", "f"}
        Unsigned, signed or floating.
    order : {"<", ">"}
        Of bytes.
    planar : bool
        Whether each sample of the pixels has segments of its own.
    rows, columns : int
        Pixels of a segment, that is a strip or a tile. The last strip may have fewer rows.
    tiled : bool
    compression, predictor, fill_order, photometric : int
        Values of the tags.
    offsets, counts : ndarray of int, shape (segments,)
        Where the segments start, and their bytes; both 0 for one that the writer left out.
    """

    width: int
    height: int
    samples: int
    bits: int
    kind: str
    order: Order
    planar: bool
    rows: int
    columns: int
    tiled: bool
    compression: int
    predictor: int
    fill_order: int
    photometric: int
    offsets: NDArray[np.int64]
    counts: NDArray[np.int64]

    @property
    def dtype(self) -> np.dtype[Any]:
        """The smallest type of numpy that holds a sample."""
        bits = next(size for size in (8, 16, 32, 64) if size >= self.bits)
        return np.dtype(f"{self.kind}{bits // 8}")

    @property
    def together(self) -> int:
        """Samples of a pixel in one segment."""
        return 1 if self.planar else self.samples

    @property
    def row_bytes(self) -> int:
        """Bytes of a row of a segment, unpacked."""
        return -(-self.columns * self.together * self.bits // 8)

    @property
    def grid(self) -> tuple[int, int]:
        """How many segments lie below one another, and side by side."""
        return -(-self.height // self.rows), -(-self.width // self.columns)


def layout_of(page: Directory) -> Layout:
    """What the tags of a page say of its samples.

    Raises
    ------
    ComplexNumbers
        For samples that no mixture is of.
    NotImplementedError
        For other samples that are not read; the message names the kind.
    ValueError
        If the tags contradict one another.
    """
    width, height = page.number(_WIDTH, 0), page.number(_HEIGHT, 0)
    samples = page.number(_SAMPLES, 1)
    if min(width, height, samples) < 1:
        raise ValueError("the page has no pixels")
    if page.number(_DEPTH, 1) > 1:
        raise NotImplementedError("a volume in one page")
    bits, kind = _sample(page, samples)
    tiled = _TILE_WIDTH in page.entries
    if tiled:
        rows, columns = page.number(_TILE_HEIGHT, 0), page.number(_TILE_WIDTH, 0)
        if min(rows, columns) < 1 or rows * columns > max(4 * width * height, LARGEST_TILE):
            raise ValueError("tiles are larger than the image")
    else:
        rows, columns = min(page.number(_ROWS, height) or height, height), width
    planar = page.number(_PLANAR, 1) == 2 and samples > 1
    order = page.order
    compression, predictor = page.number(_COMPRESSION, RAW), page.number(_PREDICTOR, 1)
    more = page.number(_FILL_ORDER, 1), page.number(_PHOTOMETRIC, 1)
    none = np.empty(0, np.int64)
    found = Layout(
        width,
        height,
        samples,
        bits,
        kind,
        order,
        planar,
        rows,
        columns,
        tiled,
        compression,
        predictor,
        *more,
        none,
        none,
    )
    offsets, counts = _segments(page, found)
    return found._replace(offsets=offsets, counts=counts)


def _sample(page: Directory, samples: int) -> tuple[int, str]:
    """Bits and kind of a sample."""
    bits, kinds = page.numbers(_BITS), page.numbers(_FORMAT)
    bits = bits if bits.size else np.ones(1, np.int64)
    kinds = kinds if kinds.size else np.ones(1, np.int64)
    if bits.size not in (1, samples):
        raise ValueError("bits are not given for all samples")
    if bits.min() != bits.max() or kinds.min() != kinds.max():
        raise NotImplementedError("samples of several types in a pixel")
    size, kind = int(bits[0]), _KINDS.get(int(kinds[0]))
    if kind is None:
        raise ComplexNumbers(f"complex{size}")
    fine = size in {"f": _FLOATS, "i": _INTEGERS}[kind] if kind != "u" else 1 <= size <= 16 or size in (32, 64)
    if not fine:
        raise NotImplementedError(f"samples of {size} bits")
    return size, kind


def _segments(page: Directory, layout: Layout) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where the segments start, and their bytes.

    Writers of old files left the bytes out, or wrote 0 for them; then they follow from the size if nothing is
    compressed, and one strip lasts to the end of the file.
    """
    down, across = layout.grid
    needed = down * across * (layout.samples if layout.planar else 1)
    starts = page.numbers(_TILES if _TILES in page.entries else _STRIPS)[:needed]
    counts = page.numbers(_TILE_COUNTS if _TILE_COUNTS in page.entries else _STRIP_COUNTS)[:needed]
    if starts.size < needed:
        raise ValueError("strips or tiles are missing")
    offsets = starts.astype(np.int64)
    last = len(page.data)
    if counts.size < needed or (needed == 1 and counts[0] == 0 and offsets[0] > 0):
        if layout.compression == RAW:
            sizes = unpacked_sizes(layout)
        elif needed == 1:
            sizes = np.array([last - int(offsets[0])])
        else:
            raise ValueError("the bytes of strips or tiles are missing")
    else:
        sizes = counts.astype(np.int64)
    within = (offsets >= 0) & (sizes >= 0) & (offsets <= last) & (sizes <= last)  # so that the sum cannot overflow
    if not within.all() or (offsets + sizes).max(initial=0) > last:
        raise ValueError("the file is cut short")
    shared = int(sizes.sum())
    if shared > max(SHARED * last, SHARED_LEAST) and shared > 2 * int(unpacked_sizes(layout).sum()):
        raise ValueError("its strips or tiles lie on one another, and are larger than what they hold")
    return offsets, sizes


def unpacked_sizes(layout: Layout) -> NDArray[np.int64]:
    """The bytes of each segment, unpacked; the last strip may be shorter than others."""
    down, across = layout.grid
    rows = np.full((layout.samples if layout.planar else 1, down, across), layout.rows, np.int64)
    if not layout.tiled:
        rows[:, -1] = layout.height - (down - 1) * layout.rows
    return rows.ravel() * layout.row_bytes


def is_whole(layout: Layout) -> bool:
    """Whether all segments are there, and are as long as they must be where nothing is packed."""
    if layout.compression != RAW:
        return bool(layout.counts.all())
    return bool((layout.counts >= unpacked_sizes(layout)).all())
