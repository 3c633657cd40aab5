"""Patches of a plane: cutting them out, their cosine basis, and summing them back into a plane."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emseg.numerics.scatter_add import Places

Real = NDArray[np.float32]
SIDE = 8  # pixels, as in Zoran & Weiss (2011)
AREA = SIDE * SIDE
BAND = 1 << 15  # pixels of a band: its patches take 8 MB


def plane_shape(planes: NDArray[Any]) -> tuple[int, int]:
    """Height and width of planes (..., H, W)."""
    return planes.shape[-2], planes.shape[-1]


def cut(plane: NDArray[Any]) -> Real:
    """Every patch of a plane (H, W), a row each: shape ((H - 7)(W - 7), 64), in reading order."""
    windows = np.lib.stride_tricks.sliding_window_view(plane, (SIDE, SIDE))
    rows: Real = windows.reshape(-1, AREA).astype(np.float32, copy=False)
    return rows


def run_indices(members: NDArray[np.intp], across: int) -> NDArray[np.intp]:
    """Indices into `pixel_runs` of the 8 rows of each patch; shape (..., 8).

    Parameters
    ----------
    members : ndarray of int
        Patches, as row indices of `cut`.
    across : int
        Number of patches beside each other in the plane: its width - 7.
    """
    return members[..., None] + across * np.arange(SIDE)


def pixel_runs(plane: Real) -> Real:
    """Every run of 8 pixels along the rows of a plane (H, W); shape (H (W - 7), 8), an eighth of the size of `cut`."""
    return np.ascontiguousarray(np.lib.stride_tricks.sliding_window_view(plane, SIDE, axis=1)).reshape(-1, SIDE)


def cut_at(pieces: Real, where: NDArray[np.intp]) -> Real:
    """Patches (..., 64) from the `pixel_runs` of a plane and the indices of `run_indices`."""
    return pieces.take(where, axis=0).reshape(*where.shape[:-1], AREA)


def put_at(rows: Real, where: NDArray[np.intp], shape: tuple[int, int]) -> Real:
    """The plane (H, W) in which patches (..., 64) are summed at the indices of `run_indices`: `cut_at` transposed."""
    across = shape[1] - SIDE + 1
    pieces = Places(where.ravel(), shape[0] * across).summed(rows.reshape(-1, SIDE)).reshape(shape[0], across, SIDE)
    plane = np.zeros(shape, np.float32)
    for j in range(SIDE):
        plane[:, j : j + across] += pieces[..., j]
    return plane


def spread(weight: Real) -> Real:
    """Sum of all patches of a plane, each constant with its weight: (H - 7, W - 7) → (H, W)."""
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
    """The orthonormal cosine basis of 8 × 8 patches, as columns (64, 64); the constant comes first."""
    basis: Real = np.kron(_cosine(), _cosine()).astype(np.float32)
    return basis


def _cosine() -> NDArray[np.float64]:
    """The basis of 8 pixels in a row, (8, 8)."""
    i = np.arange(SIDE)
    one: NDArray[np.float64] = np.cos(np.pi * (i[:, None] + 0.5) * i / SIDE) * np.sqrt(2 / SIDE)
    one[:, 0] = np.sqrt(1 / SIDE)
    return one


def cosine_planes(plane: Real, order: int) -> Real:
    """The lowest `order` cosine coefficients in each direction of every patch; shape (H - 7, W - 7, order²)."""
    basis = _cosine()[:, :order].astype(np.float32)
    height, across = plane.shape[0] - SIDE + 1, plane.shape[1] - SIDE + 1
    beside = (pixel_runs(plane) @ basis).reshape(plane.shape[0], across * order)
    below = np.lib.stride_tricks.sliding_window_view(beside, SIDE, axis=0).swapaxes(1, 2)
    found: Real = (basis.T @ below).reshape(height, order, across, order).swapaxes(1, 2)
    return found.reshape(height, across, order * order)


def bands(shape: tuple[int, ...], pixels: int = BAND) -> list[slice]:
    """Row ranges of overlapping bands. Together their patches are all patches of the plane, each once."""
    positions = shape[0] - SIDE + 1
    height = max(1, pixels // shape[1])
    return [slice(top, min(top + height, positions) + SIDE - 1) for top in range(0, positions, height)]


def padded_to_grid(plane: NDArray[Any], step: int) -> NDArray[Any]:
    """The plane (..., H, W), mirrored at its far ends so that patches every `step` pixels cover it exactly."""
    more = [(0, 0)] * (plane.ndim - 2)
    for length in plane.shape[-2:]:
        more.append((0, max(SIDE - length, 0) + (SIDE - max(length, SIDE)) % step))
    return np.pad(plane, more, "symmetric")
