"""The search for patches that are alike."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emseg.restore.patches import SIDE, Real

TILE = 32, 384  # pixels between the first and the last reference patches searched for at once, down and across
#: First and last row and column of a part of the grid of references.
Tile = tuple[int, int, int, int]
Place = tuple[slice, slice]


@dataclass(frozen=True)
class Search:
    """Where reference patches lie, and which patches they are compared with.

    Attributes
    ----------
    shape : (int, int)
        Height and width of the plane: 8 plus a multiple of `step`.
    step : int
        Pixels between reference patches, 2 or 4.
    reach : int
        How far the search goes in each direction.
    group : int
        M, how many patches are wanted; fewer where a corner has fewer in reach.
    """

    shape: tuple[int, int]
    step: int
    reach: int
    group: int

    @property
    def size(self) -> int:
        """M that every reference can have."""
        down, across = (min(length - SIDE, self.reach) + 1 for length in self.shape)
        return min(self.group, down * across)

    @property
    def grid(self) -> tuple[int, int]:
        """How many references there are, down and across."""
        down, across = ((length - SIDE) // self.step + 1 for length in self.shape)
        return down, across

    def tiles(self, pixels: tuple[int, int] | None = None) -> list[Tile]:
        """Parts of the grid of reference patches, at most so many pixels from the first to the last."""
        down, across = self.grid
        height, width = (max(1, length // self.step) for length in pixels or TILE)
        return [
            (i, min(i + height, down), j, min(j + width, across))
            for i in range(0, down, height)
            for j in range(0, across, width)
        ]

    def place(self, tile: Tile) -> Place:
        """Rows and columns of all pixels that the patches found for a tile can have."""
        rows, columns = (
            slice(max(self.step * a - self.reach, 0), min(self.step * (b - 1) + self.reach + SIDE, length))
            for a, b, length in zip(tile[::2], tile[1::2], self.shape, strict=True)
        )
        return rows, columns

    def walled(self, plane: Real) -> Real:
        """The plane amid values unlike any in it, so that no patch over the edge is ever near."""
        return np.pad(plane, self.reach, constant_values=1e3 * (1 + np.ptp(plane)))

    def nearest(self, walled: Real, tile: Tile) -> NDArray[np.intp]:
        """The nearest patches to each reference of a tile, as rows of `cut` of its place; (references, M).

        Squared distances of all references to their patches at one offset are sums of squared differences over blocks
        of step × step pixels, the same for all patches that a block is in.
        """
        step, reach = self.step, self.reach
        i0, i1, j0, j1 = tile
        size, blocks = 2 * reach + 1, SIDE // step
        down, across = i1 - i0, j1 - j0
        rows, columns = step * (down - 1) + SIDE, step * (across - 1) + SIDE
        top, left = step * i0, step * j0
        own = walled[top + reach : top + reach + rows, left + reach : left + reach + columns]
        difference = np.empty_like(own)
        distance = np.empty((size * size, down, across), np.float32)
        for offset, out in enumerate(distance):
            y, x = top + offset // size, left + offset % size
            np.subtract(own, walled[y : y + rows, x : x + columns], out=difference)
            np.multiply(difference, difference, out=difference)
            tall = _windows(np.add.reduce(difference.reshape(-1, step, columns), axis=1), blocks)
            wide = tall[:, ::step] + tall[:, 1::step]
            for i in range(2, step):
                wide += tall[:, i::step]
            out[:] = _windows(wide.T, blocks).T
        by_reference = np.ascontiguousarray(distance.reshape(size * size, -1).T)
        best = np.argpartition(by_reference, self.size - 1, axis=1)[:, : self.size]
        place = self.place(tile)
        own_row, own_column = np.divmod(np.arange(len(best))[:, None], across)
        down_to = top + step * own_row + best // size - reach - place[0].start
        right_to = left + step * own_column + best % size - reach - place[1].start
        positions: NDArray[np.intp] = down_to * (place[1].stop - place[1].start - SIDE + 1) + right_to
        return positions


def _windows(blocks: Real, n: int) -> Real:
    """Sums of n consecutive rows."""
    total = blocks[: len(blocks) - n + 1] + blocks[1 : len(blocks) - n + 2]
    for i in range(2, n):
        total += blocks[i : len(blocks) - n + 1 + i]
    return total
