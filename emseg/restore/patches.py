"""Patches of a plane: cutting them out, their cosine basis, and putting them back by averaging where they overlap."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Real = NDArray[np.float32]
SIDE = 8
AREA = SIDE * SIDE


def plane_shape(planes: NDArray[Any]) -> tuple[int, int]:
    """Height and width of planes (..., H, W)."""
    return planes.shape[-2], planes.shape[-1]


def cut(plane: NDArray[Any]) -> Real:
    """Every patch of a plane (H, W), a row each: shape ((H - 7)(W - 7), 64), in reading order."""
    windows = np.lib.stride_tricks.sliding_window_view(plane, (SIDE, SIDE))
    rows: Real = windows.reshape(-1, AREA).astype(np.float32, copy=False)
    return rows


def put(rows: Real, shape: tuple[int, int]) -> Real:
    """Sum of patches, given as rows of `cut`, at their places in a plane of this shape: the transpose of `cut`."""
    height, width = shape[0] - SIDE + 1, shape[1] - SIDE + 1
    plane = np.zeros(shape, np.float32)
    stacked = np.empty((SIDE, SIDE, height, width), np.float32)
    lines = stacked.reshape(AREA, height, width)
    for y, line in enumerate(rows.reshape(height, width, AREA)):  # a transpose that stays within the cache
        lines[:, y] = line.T
    for i in range(SIDE):
        for j in range(SIDE):
            plane[i : i + height, j : j + width] += stacked[i, j]
    return plane


def spread(weight: Real) -> Real:
    """`put` for patches that are constant: weights (H - 7, W - 7) → (H, W)."""
    height, width = weight.shape
    tall = np.zeros((height + SIDE - 1, width), np.float32)
    for i in range(SIDE):
        tall[i : i + height] += weight
    plane = np.zeros((height + SIDE - 1, width + SIDE - 1), np.float32)
    for j in range(SIDE):
        plane[:, j : j + width] += tall
    return plane


@lru_cache
def cosines() -> Real:
    """The orthonormal cosine basis of 8 × 8 patches, a column each: (64, 64), the constant first."""
    i = np.arange(SIDE)
    one = np.cos(np.pi * (i[:, None] + 0.5) * i / SIDE) * np.sqrt(2 / SIDE)
    one[:, 0] = np.sqrt(1 / SIDE)
    basis: Real = np.kron(one, one).astype(np.float32)
    return basis


def bands(shape: tuple[int, ...], pixels: int = 1 << 15) -> list[slice]:
    """Rows of overlapping bands of a plane whose patches, taken together, are all patches of the plane once."""
    positions = shape[0] - SIDE + 1
    height = max(1, pixels // shape[1])
    return [slice(top, min(top + height, positions) + SIDE - 1) for top in range(0, positions, height)]


def fitted(plane: NDArray[Any], step: int) -> NDArray[Any]:
    """The plane (..., H, W), mirrored at its far ends until patches every `step` pixels cover it exactly."""
    more = [(0, 0)] * (plane.ndim - 2)
    for length in plane.shape[-2:]:
        more.append((0, max(SIDE - length, 0) + (SIDE - max(length, SIDE)) % step))
    return np.pad(plane, more, "symmetric")
