"""Coarse views of many samples, for cheap early iterations.

In up to four dimensions the samples are gathered into cells of a grid, each with its mean statistic, so that the scatter within
cells is kept; bin centres alone would lose it. In more dimensions cells would hold single samples, and a systematic sample serves.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emseg.mixture.samples import Cells, Rows

Array = NDArray[np.float64]
SPAN = 3.5  # standard deviations that the grid covers to each side; what lies beyond joins the outermost cells
ATOM = 1 / 1000  # a single value with at least this share of all samples keeps a cell of its own
LARGEST = 1 << 19  # more rows than this are thinned before they are gathered
GRID_BITS = {1: (7, 9, 11), 2: (5, 6, 8), 3: (4, 5, 6), 4: (3, 4, 5)}
SAMPLES = (2048, 8192, 32768)


def views(rows: Rows, rng: np.random.Generator) -> list[Rows | Cells]:
    """Views of increasing detail; the last is the rows themselves where they are few."""
    thinned = thin(rows, LARGEST, rng) if rows.n_rows > LARGEST else rows
    coarse: list[Rows | Cells]
    if rows.d in GRID_BITS:
        coarse = list(grid_views(thinned, GRID_BITS[rows.d]))
    else:
        coarse = [thin(thinned, size, rng) for size in SAMPLES if size < rows.n_rows]
    coarse = [view for view in coarse if view.n_rows < 0.6 * rows.n_rows]
    return coarse if coarse and rows.n_rows > SAMPLES[-1] else [*coarse, rows]


def thin(rows: Rows, size: int, rng: np.random.Generator) -> Rows:
    """A systematic sample of `size` draws in proportion to weight; a row drawn several times weighs as much."""
    cumulative = np.cumsum(rows.weight, dtype=np.float64)
    draws = (np.arange(size) + rng.random()) * (cumulative[-1] / size)
    counts = np.bincount(np.minimum(np.searchsorted(cumulative, draws, side="right"), rows.n_rows - 1))
    kept = np.flatnonzero(counts)
    return Rows(np.ascontiguousarray(rows.x[:, kept]), counts[kept].astype(rows.x.dtype), rows.products)


def grid_views(rows: Rows, bits: tuple[int, ...]) -> list[Cells]:
    """The samples gathered on grids of 2^bits intervals along each principal axis.

    Parameters
    ----------
    rows : Rows
    bits : tuple of int
        Increasing; D · bits ≤ 20.

    Returns
    -------
    list of Cells
        One view for each number of bits, in the same order.
    """
    d, finest = rows.d, bits[-1]
    code = _cells_of(rows, finest)
    atoms = np.flatnonzero(rows.weight >= ATOM * rows.weight.sum())
    grid = 1 << (finest * d)
    code[atoms] = grid + np.arange(atoms.size)
    ((t, weight),) = rows.blocks(rows.n_rows)
    sums = np.stack([np.bincount(code, weight if row is t[0] else row * weight, grid + atoms.size) for row in t])
    code = np.flatnonzero(sums[0] > 0)
    sums = sums[:, code]
    found = [Cells(sums / sums[0], sums[0], d)]
    for level in reversed(bits[:-1]):
        enclosing = np.where(code < grid, _enclosing(code, d, finest, finest - level), code)
        _, group = np.unique(enclosing, return_inverse=True)
        gathered = np.stack([np.bincount(group, row) for row in sums])
        found.append(Cells(gathered / gathered[0], gathered[0], d))
    return found[::-1]


def _cells_of(rows: Rows, bits: int) -> NDArray[np.intp]:
    """Number of each sample's cell, (N,)."""
    mean, axes = _principal_axes(rows)
    levels = 1 << bits
    y = axes @ rows.x
    y += (SPAN - axes @ mean)[:, None]
    y *= levels / (2 * SPAN)
    np.clip(y, 0, levels - 1, out=y)
    np.floor(y, out=y)
    return (float(levels) ** np.arange(rows.d) @ y).astype(np.intp)


def _principal_axes(rows: Rows) -> tuple[Array, Array]:
    """Weighted mean (D,) and whitening directions (D, D), one a row."""
    total = rows.weight.sum()
    mean = rows.x @ rows.weight / total
    covariance = (rows.x * rows.weight) @ rows.x.T / total - np.outer(mean, mean)
    variance, axes = np.linalg.eigh(covariance)
    return mean, axes.T / np.sqrt(np.maximum(variance, 1e-12 * variance[-1]))[:, None]


def _enclosing(code: NDArray[np.intp], d: int, bits: int, by: int) -> NDArray[np.intp]:
    """Codes of the cells 2^by times wider that hold these."""
    axis = np.arange(d)[:, None] * bits
    place = (code >> axis) & ((1 << bits) - 1)
    result: NDArray[np.intp] = ((place >> by) << axis).sum(0)
    return result
