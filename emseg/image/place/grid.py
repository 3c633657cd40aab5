"""Grids of pixels or voxels in the world, and how one lies on another."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emseg.records import NamedRecord

Array = NDArray[np.float64]
#: Share of a voxel by which grids may differ beside the rounding of stored numbers: no label can show so little.
LEAST = 1e-3
#: Share of a voxel up to which rounding may add up. Beyond, the nearest voxel might be another one.
MOST = 0.25


class Grid(NamedRecord):
    """Where the centres of pixels are in the world.

    Attributes
    ----------
    matrix : ndarray, shape (D, D + 1)
        The map from indices, x first, to places.
    slack : ndarray, shape (D, D + 1)
        How far the entries of the matrix may be off because of how they are stored.
    lengths : tuple of int
        Number of pixels along the axes, x first.
    kind : str
        What messages call the map: ``"affine"`` of a volume, ``"geotransform"`` of a map of the ground.
    system : str
        Name of the coordinate system; empty where it is not known.
    """

    matrix: Array
    slack: Array
    lengths: tuple[int, ...]
    kind: str
    system: str = ""

    @property
    def sides(self) -> Array:
        """Distances of neighbours along the axes."""
        found: Array = np.linalg.norm(self.matrix[:, :-1], axis=0)
        return found


class Reorientation(NamedRecord):
    """How to take an array that is stored on one grid to another: indices of axes, x first.

    Attributes
    ----------
    axes : tuple of int
        The stored axis that runs along each wanted axis.
    steps : tuple of int
        1, or -1 where it runs the other way.
    starts : tuple of int
        The stored index of the first wanted pixel.
    lengths : tuple of int
        Wanted lengths.
    """

    axes: tuple[int, ...]
    steps: tuple[int, ...]
    starts: tuple[int, ...]
    lengths: tuple[int, ...]

    def apply(self, values: NDArray[Any], beyond: float = 0) -> NDArray[Any]:
        """Values (X, Y, …) on the wanted grid, a view if they cover it; further axes stay last.

        Parameters
        ----------
        values : ndarray
        beyond : number
            What to fill in where nothing is stored.
        """
        d = len(self.axes)
        cut: list[slice] = [slice(None)] * d
        place = self.covered(values.shape)
        for axis, step, start, there in zip(self.axes, self.steps, self.starts, place, strict=True):
            first, end = start + step * there.start, start + step * there.stop
            cut[axis] = slice(first, end if end >= 0 else None, step)
        found = values[tuple(cut)].transpose(*self.axes, *range(d, values.ndim))
        if found.shape[:d] == self.lengths:
            return found
        whole = np.full((*self.lengths, *values.shape[d:]), beyond, values.dtype)
        whole[place] = found
        return whole

    def covered(self, stored: tuple[int, ...]) -> tuple[slice, ...]:
        """Which of the wanted pixels along each axis are stored, given the stored lengths."""
        found = []
        for axis, step, start, length in zip(self.axes, self.steps, self.starts, self.lengths, strict=True):
            low, high = (-start, stored[axis] - start) if step > 0 else (start - stored[axis] + 1, start + 1)
            found.append(slice(max(low, 0), min(high, length)))
        return tuple(found)


def reorientation(
    stored: Grid, wanted: Grid, other: str = "the image", may_be_part: bool = False
) -> Reorientation | str:
    """How an array on a grid is brought onto another one without interpolation.

    Each wanted pixel must be one that is stored: the axes may be swapped and turned round, and the stored grid may be
    larger. Places are compared at the corners of the wanted grid.

    Parameters
    ----------
    stored, wanted : Grid
    other : str
        What messages call the file of the wanted grid.
    may_be_part : bool
        Whether the stored grid may lie within the wanted one. A grid that begins within it and ends beyond may not:
        that is what a shift by mistake looks like.

    Returns
    -------
    Reorientation or str
        What hinders it, as the predicate of a sentence about the stored file.
    """
    if stored.kind != wanted.kind:
        return f"has {_article(stored.kind)}, {other} {_article(wanted.kind)}"
    if stored.system and wanted.system and stored.system != wanted.system:
        return f"is in {stored.system}, {other} in {wanted.system}"
    d = len(wanted.lengths)
    corners = np.array(list(itertools.product(*((0, length - 1) for length in wanted.lengths))), np.float64)
    with np.errstate(all="ignore"):
        back = np.linalg.inv(stored.matrix[:, :d])
        map_ = back @ np.column_stack([wanted.matrix[:, :d], wanted.matrix[:, d] - stored.matrix[:, d]])
        found = corners @ map_[:, :d].T + map_[:, d]
        places = np.abs(corners) @ wanted.slack[:, :d].T + wanted.slack[:, d]
        places += np.abs(found) @ stored.slack[:, :d].T + stored.slack[:, d]
        allowed = np.clip(LEAST + places @ np.abs(back).T, LEAST, MOST)
    long = [axis for axis in range(d) if wanted.lengths[axis] > 1]
    turn = np.zeros((d, d))
    turn[:, long] = np.rint(map_[:, long])
    if not _is_permutation(turn, long):
        return _other_directions(stored, wanted, other)
    turn = _completed(turn, long)
    start = np.rint(map_[:, d])
    exact = corners @ turn.T + start
    off = found - exact
    if not (np.abs(off) <= allowed).all():
        if np.ptp(off, axis=0).max() > allowed.max():
            return _other_directions(stored, wanted, other)
        return f"is shifted against {other} by {_listed(_begin(turn, map_[:, d], stored))} {unit(wanted)}"
    low, high = exact.min(0), exact.max(0)
    within = (low <= 0) & (high >= np.array(stored.lengths) - 1)
    covers = (low >= 0) & (high < stored.lengths)
    if not (covers | (within & may_be_part)).all():
        sizes = [" × ".join(map(str, grid.lengths)) for grid in (wanted, stored)]
        begin = _listed(_begin(turn, start, stored))
        return f"does not cover {other}, of {sizes[0]} {unit(wanted)}: it has {sizes[1]} and begins at {begin}"
    axes = tuple(int(axis) for axis in np.abs(turn).argmax(0))
    steps = tuple(int(turn[axis, i]) for i, axis in enumerate(axes))
    return Reorientation(axes, steps, tuple(int(start[axis]) for axis in axes), wanted.lengths)


def _is_permutation(turn: Array, long: list[int]) -> bool:
    """Whether the columns of long axes are unit vectors of either sign along different axes."""
    size = np.abs(turn[:, long])
    return bool(np.isin(size, (0, 1)).all() and (size.sum(0) == 1).all() and (size.sum(1) <= 1).all())


def _completed(turn: Array, long: list[int]) -> Array:
    """With axes of a single pixel along those that are left: whatever their direction, there is only one index."""
    left = [row for row in range(len(turn)) if not turn[row].any()]
    for axis in range(len(turn)):
        if axis not in long:
            turn[left.pop(0), axis] = 1
    return turn


def _other_directions(stored: Grid, wanted: Grid, name: str) -> str:
    """What to say of grids with pixels of other sizes or other directions."""
    if not np.allclose(np.sort(stored.sides), np.sort(wanted.sides), rtol=1e-6):
        for digits in (4, 9):
            own, other = (" × ".join(f"{side:.{digits}g}" for side in grid.sides) for grid in (stored, wanted))
            if own != other:
                return f"has {unit(stored)} of {own}, {name} of {other}"
    return f"is turned against {name}, or sheared"


def _begin(turn: Array, start: NDArray[Any], stored: Grid) -> Array:
    """Indices of the image at which the stored grid begins, given the stored index of the image's first pixel."""
    backwards = turn.sum(1) < 0
    found: Array = -(turn.T @ (start + backwards * (1 - np.array(stored.lengths))))
    return found


def _listed(numbers: Array) -> str:
    return "(" + ", ".join(f"{number:.3g}" for number in numbers + 0.0) + ")"


def unit(grid: Grid) -> str:
    """What messages call a pixel of a grid, in the plural."""
    return "voxels" if grid.kind == "affine" else "pixels"


def _article(noun: str) -> str:
    return f"an {noun}" if noun[0] in "aeiou" else f"a {noun}"
