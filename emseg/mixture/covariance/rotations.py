"""Unconstrained coordinates of frames: which way the axes of a matrix point.

A frame is a unit lower triangular matrix, whose coordinates are its entries, or an orthogonal matrix Q, whose
coordinates are the entries of the skew matrix S with Q = (I - S)(I + S)⁻¹ (Cayley). Every real vector is a frame.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@lru_cache
def _below(d: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    return np.tril_indices(d, -1)


def triangle(frames: Array) -> Array:
    """Entries below the diagonal, (F, D, D) → (F, D(D-1)/2)."""
    rows, columns = _below(frames.shape[-1])
    result: Array = frames[:, rows, columns]
    return result


def unit_lower(entries: Array, d: int) -> Array:
    """Inverse of `triangle` for unit lower triangular matrices."""
    frames = np.zeros((len(entries), d, d)) + np.eye(d)
    rows, columns = _below(d)
    frames[:, rows, columns] = entries
    return frames


def orthogonal(entries: Array, d: int) -> Array:
    """Orthogonal matrices (F, D, D) from the entries of skew matrices."""
    lower = unit_lower(entries, d) - np.eye(d)
    skew = lower - lower.transpose(0, 2, 1)
    return _cayley(skew)


def skew_entries(axes: Array, ordered: bool) -> tuple[Array, NDArray[np.intp]]:
    """Coordinates of an orthogonal matrix (D, D) whose columns may change sign and, unless ordered, place.

    Of all those matrices the one for which I + Q has an LU decomposition without pivots below 1 is taken; it exists,
    and has moderate coordinates (O'Dorney 2014, Linear Algebra Appl. 448).

    Returns
    -------
    entries : ndarray, shape (D(D-1)/2,)
    order : ndarray of int, shape (D,)
        Which column came to which place.
    """
    q, left, order = axes.copy(), axes.copy(), np.arange(len(axes))
    for j in range(len(axes)):
        place = j if ordered else j + int(np.abs(left[j, j:]).argmax())
        for matrix in (q, left, order[None]):
            matrix[:, [j, place]] = matrix[:, [place, j]]
        if left[j, j] < 0:
            q[:, j] *= -1
            left[:, j] *= -1
        left[j + 1 :] -= np.outer(left[j + 1 :, j] / (1 + left[j, j]), left[j])
    return triangle(_cayley(q)[None])[0], order


def _cayley(matrix: Array) -> Array:
    """(I + M)⁻¹(I - M), which is its own inverse."""
    eye = np.eye(matrix.shape[-1])
    return np.linalg.solve(eye + matrix, eye - matrix).astype(np.float64, copy=False)
