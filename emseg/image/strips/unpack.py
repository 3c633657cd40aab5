"""From the unpacked bytes of rows to samples: predictors are undone, and samples smaller than a byte spread out."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emseg.image.strips.layout import Layout

HORIZONTAL, FLOATING = 2, 3  # predictors (TIFF 6.0, section 14; TIFF Technical Note 3)
REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))  # each byte with its bits turned round
NATIVE = "<" if sys.byteorder == "little" else ">"
Bytes = NDArray[np.uint8]


def samples_of(rows: Bytes, layout: Layout, predictor: int) -> NDArray[Any]:
    """The samples in rows of segments.

    Parameters
    ----------
    rows : ndarray of uint8, shape (R, bytes of a row)
        Unpacked. May be changed.
    layout : Layout
    predictor : int
        That is still to be undone.

    Returns
    -------
    ndarray, shape (R, columns, samples of a pixel that lie together)
        Of the type `layout.dtype`.

    Raises
    ------
    NotImplementedError
        For a predictor that is not read, or not for samples of this size.
    """
    shape = (rows.shape[0], layout.columns, layout.together)
    if predictor == FLOATING:
        return _floats(rows, layout).reshape(shape)
    if layout.bits not in (8, 16, 24, 32, 64):
        if predictor != 1:
            raise NotImplementedError(f"predictor {predictor} for samples of {layout.bits} bits")
        return _spread(rows, layout).reshape(shape)
    if layout.bits == 24:
        if predictor != 1:
            raise NotImplementedError(f"predictor {predictor} for samples of 24 bits")
        high_first = rows.reshape(-1, 3)[:, :: 1 if layout.order == ">" else -1]
        return _from_24_bits(high_first).reshape(shape)
    size = layout.bits // 8
    words = rows.view(f"{layout.order}u{size}" if size > 1 else "u1").reshape(shape)
    return without_predictor(words, predictor).astype(f"u{size}", copy=False).view(layout.dtype)


def without_predictor(samples: NDArray[Any], predictor: int) -> NDArray[Any]:
    """Samples (R, columns, together) of which each was stored less the one before in its row.

    Raises
    ------
    NotImplementedError
        For another predictor.
    """
    if predictor == 1:
        return samples
    if predictor != HORIZONTAL:
        raise NotImplementedError(f"predictor {predictor}")
    word = f"u{samples.dtype.itemsize}"
    words = samples if samples.dtype.kind == "u" else samples.view(word)
    summed: NDArray[Any] = np.add.accumulate(words, axis=1, dtype=word)
    return summed if samples.dtype.kind == "u" else summed.view(samples.dtype)


def _floats(rows: Bytes, layout: Layout) -> NDArray[Any]:
    """Undo the predictor of floats: in a row all first bytes, then all second ones, …, each less the one before."""
    if layout.kind != "f":
        raise NotImplementedError("the predictor of floats for integers")
    size, count = layout.bits // 8, layout.together
    deltas = rows.reshape(rows.shape[0], -1, count)
    planes = np.add.accumulate(deltas, axis=1, dtype=np.uint8).reshape(rows.shape[0], size, -1)
    high_first = np.ascontiguousarray(planes.transpose(0, 2, 1))
    if size == 3:
        return _from_24_bits(high_first.reshape(-1, 3))
    return high_first.view(f">f{size}").astype(layout.dtype)


def _from_24_bits(high_first: Bytes) -> NDArray[np.float32]:
    """Numbers of a sign, 7 bits of exponent and 16 of fraction, as float32 (TIFF Technical Note 3)."""
    word = high_first[:, 0].astype(np.uint32) << 16 | high_first[:, 1].astype(np.uint32) << 8 | high_first[:, 2]
    sign, exponent, fraction = (word >> 23) << 31, (word >> 16) & 127, word & 0xFFFF
    wide = np.where(exponent == 127, 255, exponent + 64).astype(np.uint32)
    normal = (sign | wide << 23 | fraction << 7).view(np.float32)
    small = (
        fraction.astype(np.float32) * np.float32(2.0 ** (-62 - 16)) * np.where(sign > 0, np.float32(-1), np.float32(1))
    )
    return np.where(exponent == 0, small, normal).astype(np.float32)


def _spread(rows: Bytes, layout: Layout) -> NDArray[Any]:
    """Samples of 1 to 15 bits, the first in the highest bits; each row starts at a byte."""
    bits = np.unpackbits(rows, axis=1, count=layout.columns * layout.together * layout.bits)
    size = layout.dtype.itemsize
    padded = np.zeros((bits.size // layout.bits, 8 * size), np.uint8)
    padded[:, 8 * size - layout.bits :] = bits.reshape(-1, layout.bits)
    words = np.packbits(padded, axis=1)
    return words if size == 1 else words.view(">u2").astype(np.uint16)
