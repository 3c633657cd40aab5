"""From samples back to pixels: which row of the features each pixel of the grid belongs to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emseg.errors import DataError
from emseg.image.model import Image
from emseg.records import record

Mask = NDArray[np.bool_]
_BLOCK = 65536  # pixels at a time: index buffers stay in the cache
_TABLE_BITS = 24  # of a code, up to which a table of all codes, 16 MB for labels, beats a search


@record(frozen=True, eq=False)
class PixelIndex:
    """One sample per valid pixel, in raster order.

    Attributes
    ----------
    valid : ndarray of bool, shape (P,), or None
        Which of the grid's P pixels have a sample; None for all.
    """

    valid: Mask | None

    def spread(self, values: NDArray[Any], out: NDArray[Any]) -> None:
        """Write one value per sample, shape (N,), to its pixels, shape (P,)."""
        out[... if self.valid is None else self.valid] = values


@record(frozen=True, eq=False)
class CodeIndex:
    """One sample per distinct pixel value, found by the integer that all channels of a pixel make together.

    Attributes
    ----------
    codes : ndarray of unsigned integers, shape (P,)
        One code per pixel of the grid; bits above `bits` are undefined.
    bits : int
        How many low bits of a code count.
    distinct : ndarray, shape (N,)
        The codes of the samples, ascending.
    valid : ndarray of bool, shape (P,), or None
        Which pixels have a sample; None for all.
    """

    codes: NDArray[Any]
    bits: int
    distinct: NDArray[Any]
    valid: Mask | None

    def spread(self, values: NDArray[Any], out: NDArray[Any]) -> None:
        """Write one value per sample, shape (N,), to its pixels, shape (P,)."""
        table = None
        if self.bits <= _TABLE_BITS:
            table = np.zeros(1 << self.bits, values.dtype)
            table[self.distinct] = values
        for part in _blocks(self.codes.size):
            codes = _low_bits(self.codes[part], self.bits)
            if table is None:
                np.take(values, np.searchsorted(self.distinct, codes), out=out[part], mode="clip")
            else:
                np.take(table, codes, out=out[part], mode="clip")
        if self.valid is not None:
            np.copyto(out, 0, where=~self.valid)


Index = PixelIndex | CodeIndex


@record(frozen=True, eq=False)
class Samples:
    """Stored values (C, N), how many pixels have each (N,), the index of pixels, and which values are known (C, N)."""

    values: NDArray[Any]
    weight: NDArray[np.float64]
    index: Index
    known: NDArray[np.bool_] | None = None


def pixel_samples(image: Image, valid: Mask | None) -> Samples:
    """Every valid pixel for itself, in raster order."""
    values = _of_pixels(image.pixels, valid)
    known = None if image.known is None else _of_pixels(image.known, valid)
    return Samples(values, np.ones(values.shape[1]), PixelIndex(valid), known)


def _of_pixels(planes: NDArray[Any], valid: Mask | None) -> NDArray[Any]:
    """(H, W, C) → (C, N) of valid pixels."""
    flat = planes.reshape(-1, planes.shape[2])
    return np.ascontiguousarray((flat if valid is None else flat[valid]).T)


def distinct_samples(image: Image, valid: Mask | None) -> Samples:
    """The distinct values of an integer image with their counts; every valid pixel where values do not repeat.

    An EM step over distinct values with counts is the step over all pixels, and a photograph has thirty times fewer
    of them. Floats, and pixels of more than 64 bits, are left as they are.

    Parameters
    ----------
    image : Image
    valid : ndarray of bool, shape (P,), or None
        Pixels to use, raster order; None for all.
    """
    pixels = image.pixels
    channels, width = pixels.shape[2], 8 * pixels.dtype.itemsize
    bits = channels * width + (0 if image.known is None else channels)
    if pixels.dtype.kind == "f" or bits > 64:
        return pixel_samples(image, valid)
    codes = _codes(image) if image.known is None else _partial_codes(image, image.known, width)
    count = _count_few if bits <= 16 else _count_many
    distinct, counts = count(codes, bits, valid)
    unsigned = np.dtype(f"u{pixels.dtype.itemsize}")
    low = distinct.dtype.type(np.iinfo(unsigned).max)
    values = np.stack([(distinct >> distinct.dtype.type(width * c)) & low for c in range(channels)])
    stored = values.astype(unsigned).view(pixels.dtype.newbyteorder("="))
    known = None
    if image.known is not None:
        flags = np.arange(channels * width, bits, dtype=distinct.dtype)
        known = distinct >> flags[:, None] & distinct.dtype.type(1) == 0
    return Samples(stored, counts.astype(np.float64), CodeIndex(codes, bits, distinct, valid), known)


def usable(image: Image, mask: Mask | None) -> Mask | None:
    """Pixels, in raster order (P,), that have data and lie inside the mask (H, W); None where all do.

    Raises
    ------
    DataError
        If the mask has another shape or no pixel is left.
    """
    if mask is not None and mask.shape != image.shape:
        (h, w), (mh, mw) = image.shape, mask.shape
        raise DataError(f"{image.name}: the mask is {mw}x{mh} pixels, the image {w}x{h}; give a mask of that size")
    both = image.valid if mask is None else mask if image.valid is None else image.valid & mask
    if both is None or both.all():
        return None
    if not both.any():
        raise DataError(f"{image.name}: fully masked, no pixel is left; give a mask with non-zero data pixels")
    return np.ascontiguousarray(both).ravel()


def _codes(image: Image) -> NDArray[Any]:
    """One unsigned integer per pixel, first channel lowest; views of the pixels' own memory where that is possible."""
    if image.packed is not None:
        return image.packed.reshape(-1)
    pixels = image.pixels.astype(image.pixels.dtype.newbyteorder("="), copy=False)
    channels, size = pixels.shape[2], pixels.dtype.itemsize
    pixels = pixels.view(f"u{size}").reshape(-1, channels)
    if channels == 1:
        return pixels[:, 0]
    codes: NDArray[Any] = np.zeros(len(pixels), np.uint32 if channels * size <= 4 else np.uint64)
    for part in _blocks(len(codes)):
        for c in range(channels):
            codes[part] += pixels[part, c].astype(codes.dtype) << codes.dtype.type(8 * size * c)
    return codes


def _partial_codes(image: Image, known: Mask, width: int) -> NDArray[Any]:
    """Codes with a bit more for each channel, which is set where the channel is unknown; its own bits are then 0."""
    channels = image.pixels.shape[2]
    codes = _codes(image).astype(np.uint64)
    value = np.uint64((1 << width) - 1)
    whole = np.uint64((1 << width * channels) - 1)
    for part in _blocks(codes.size):
        low = codes[part] & whole
        for c, told in enumerate(known.reshape(-1, channels)[part].T):
            low[~told] &= ~(value << np.uint64(width * c))
            low[~told] |= np.uint64(1 << width * channels + c)
        codes[part] = low
    return codes


def _count_few(codes: NDArray[Any], bits: int, valid: Mask | None) -> tuple[NDArray[Any], NDArray[Any]]:
    """Distinct codes and counts through a table of all codes (`bincount` widens its input: hence in blocks)."""
    counts = np.zeros(1 << bits, np.int64)
    for part in _blocks(codes.size):
        block = _low_bits(codes[part] if valid is None else codes[part][valid[part]], bits)
        found = np.bincount(block)
        counts[: len(found)] += found
    distinct = np.flatnonzero(counts)
    return distinct.astype(codes.dtype), counts[distinct]


def _count_many(codes: NDArray[Any], bits: int, valid: Mask | None) -> tuple[NDArray[Any], NDArray[Any]]:
    """Distinct codes and counts as the runs of the sorted codes."""
    ordered = _low_bits(codes if valid is None else codes[valid], bits)
    ordered = ordered.copy() if ordered is codes else ordered
    ordered.sort()
    last = np.append(np.flatnonzero(ordered[1:] != ordered[:-1]), len(ordered) - 1)
    return ordered[last], np.diff(last, prepend=-1)


def _low_bits(codes: NDArray[Any], bits: int) -> NDArray[Any]:
    """The codes without the bits that do not count; the array itself where all do."""
    return codes if bits == 8 * codes.dtype.itemsize else codes & codes.dtype.type((1 << bits) - 1)


def _blocks(size: int) -> Iterator[slice]:
    return (slice(start, start + _BLOCK) for start in range(0, size, _BLOCK))
