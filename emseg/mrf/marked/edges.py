"""Pairs of neighbouring pixels, and how alike they are: where a cut is cheap."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emseg.mrf.inference.graph_cut import Pairs
from emseg.mrf.lattice import offsets

Real = NDArray[np.floating[Any]]
Mask = NDArray[np.bool_]


def contrast_pairs(
    planes: Real,
    sites: Mask,
    neighbours: int,
    spacing: Sequence[float] | None = None,
    mean: float | None = None,
    sharper: float = 1.0,
) -> tuple[Pairs, float]:
    """Pairs of neighbours among the sites, weighted by exp(-½ s d² / mean d²) over their distance.

    Boykov & Jolly (2001) weight them so.

    Parameters
    ----------
    planes : ndarray, shape (D, ...)
        Features on the grid; d is the distance of two pixels' features.
    sites : ndarray of bool, the grid's shape
        Pixels that take part; numbered in the order of the grid.
    neighbours : int
        As in `emseg.mrf.lattice.NEIGHBOURHOODS`.
    spacing : sequence of float, optional
        Size of a voxel along each axis.
    mean : float, optional
        Mean d²; that of these pairs unless given.
    sharper : float
        s.

    Returns
    -------
    pairs : Pairs
    mean : float
    """
    number = np.full(sites.shape, -1, np.int32)
    number[sites] = np.arange(np.count_nonzero(sites), dtype=np.int32)
    found: list[tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float32], float]] = []
    for step, weight in offsets(sites.ndim, neighbours, spacing):
        if step < (0,) * sites.ndim:
            continue  # each pair once
        here, there = _shifted(sites.shape, step)
        both = (number[here] >= 0) & (number[there] >= 0)
        square = sum((plane[here][both] - plane[there][both]) ** 2 for plane in planes)
        found.append((number[here][both], number[there][both], np.asarray(square, np.float32), weight))
    squares = np.concatenate([square for _, _, square, _ in found])
    scale = mean or (float(squares.mean(dtype=np.float64)) if squares.size else 0.0) or 1.0
    weights = [weight * np.exp(square * np.float32(-sharper / (2 * scale))) for _, _, square, weight in found]
    i, j = (np.concatenate([part[end] for part in found]) for end in range(2))
    return Pairs(i, j, np.concatenate(weights).astype(np.float64)), scale


def _shifted(shape: tuple[int, ...], step: tuple[int, ...]) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    """The pixels that have a neighbour one step away, and these neighbours."""
    here = tuple(slice(max(-s, 0), n - max(s, 0)) for n, s in zip(shape, step, strict=True))
    there = tuple(slice(max(s, 0), n - max(-s, 0)) for n, s in zip(shape, step, strict=True))
    return here, there
