"""Regions as runs of pixels along the last axis: few numbers, of which places and moments are sums."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from emseg.records import NamedRecord

Array = NDArray[np.float64]


class Runs(NamedRecord):
    """M runs of R regions, in raster order.

    Attributes
    ----------
    owners : ndarray of int, shape (M,)
        The region of each run, from 0.
    places : ndarray of int, shape (d, M)
        The first pixel of each run, by axis.
    lengths : ndarray of int, shape (M,)
    regions : int
        R.
    begins : ndarray of int
        Where these runs begin in the flat array, and those of no region between them.
    kept : ndarray of bool
        Which of these belong to regions.
    """

    owners: NDArray[np.intp]
    places: NDArray[np.intp]
    lengths: NDArray[np.intp]
    regions: int
    begins: NDArray[np.intp]
    kept: NDArray[np.bool_]

    @property
    def middles(self) -> Array:
        """The middle of each run, by axis, shape (d, M)."""
        found = self.places.astype(np.float64)
        found[-1] += (self.lengths - 1) / 2
        return found

    @property
    def areas(self) -> NDArray[np.int_]:
        """Pixels of each region, shape (R,)."""
        return np.bincount(self.owners, self.lengths, self.regions).astype(np.int_)

    @property
    def centres(self) -> Array:
        """Centre of mass of each region, by axis, shape (R, d)."""
        sums = [np.bincount(self.owners, self.lengths * at, self.regions) for at in self.middles]
        return np.asarray(np.stack(sums, axis=1) / np.maximum(self.areas, 1)[:, None])

    def total(self, values: NDArray[Any]) -> Array:
        """Sums of the pixels' values, in the order of the flat array, over each region; shape (R,)."""
        sums = np.add.reduceat(values, self.begins, dtype=np.float64)[self.kept]
        return np.asarray(np.bincount(self.owners, sums, self.regions), np.float64)

    def ends(self, values: NDArray[Any]) -> tuple[Array, Array]:
        """The least and the largest of the pixels' values in each region, shape (R,); infinite without pixels."""
        least, largest = np.full(self.regions, np.inf), np.full(self.regions, -np.inf)
        np.minimum.at(least, self.owners, np.minimum.reduceat(values, self.begins)[self.kept].astype(np.float64))
        np.maximum.at(largest, self.owners, np.maximum.reduceat(values, self.begins)[self.kept].astype(np.float64))
        return least, largest

    def row_ends(self) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any]]:
        """For each row of each region: the region, the row's place along the other axes, its first and last column."""
        order = np.argsort(self.owners, kind="stable")
        owners, places, lengths = self.owners[order], self.places[:, order], self.lengths[order]
        if not owners.size:
            return owners, places[:-1].T, owners, owners
        new = np.diff(owners, prepend=-1) != 0
        for along in places[:-1]:
            new |= np.diff(along, prepend=-1) != 0
        begins = np.flatnonzero(new)
        ends = np.append(begins[1:], owners.size) - 1
        return owners[begins], places[:-1, begins].T, places[-1, begins], places[-1, ends] + lengths[ends] - 1


def runs_of(ids: NDArray[np.int32], count: int) -> Runs:
    """The runs of regions 1…R; 0 is none."""
    flat, width = ids.ravel(), ids.shape[-1]
    change = np.ones(flat.size + 1, np.bool_)
    np.not_equal(flat[1:], flat[:-1], out=change[1:-1])
    change[::width] = True
    begins = np.flatnonzero(change)
    owners = flat[begins[:-1]]
    kept = owners > 0
    places = np.stack(np.unravel_index(begins[:-1][kept], ids.shape))
    return Runs(owners[kept].astype(np.intp) - 1, places, np.diff(begins)[kept], count, begins[:-1], kept)
