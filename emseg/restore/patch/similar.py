"""The search for patches that are alike."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emseg.restore.patch.patches import SIDE, Real, cosine_planes, cut

TILE = 8, 96  # reference patches searched for at once, down and across
BLOCK = 6  # references a side whose distances are one product of matrices
LOW_BLOCK = 32  # pixels that they lie on a side where patches are compared by cosines
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
        Pixels between reference patches.
    reach : int
        How far the search goes in each direction.
    group : int
        M, how many patches are wanted; fewer where a corner has fewer in reach.
    cosines : int
        Compare only so many of the lowest cosines of patches in each direction, which is quicker; 0: all pixels.
    """

    shape: tuple[int, int]
    step: int
    reach: int
    group: int
    cosines: int = 0

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
        height, width = TILE if pixels is None else (max(1, length // self.step) for length in pixels)
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

    def seen(self, tile: Tile) -> Place:
        """Rows and columns of the walled plane that the search for a tile looks at."""
        rows, columns = (
            slice(self.step * a, self.step * (b - 1) + 2 * self.reach + SIDE)
            for a, b in zip(tile[::2], tile[1::2], strict=True)
        )
        return rows, columns

    def nearest(self, part: Real, tile: Tile, wanted: NDArray[np.bool_] | None = None) -> NDArray[np.intp]:
        """The nearest patches to each reference of a tile, as rows of `cut` of its place; (references, M).

        |a - b|² = |a|² - 2 a·b + |b|²: of a block of references, and of all patches that any of them may have, the
        products are one product of matrices. The first term is the same for all candidates of a reference.

        Parameters
        ----------
        part : ndarray of float32
            What `seen` tells of the walled plane.
        tile : Tile
        wanted : ndarray of bool, shape (rows, columns of the tile), optional
            Which references; all of them, unless given.
        """
        i0, i1, j0, j1 = tile
        down, across = i1 - i0, j1 - j0
        place = self.place(tile)
        width = place[1].stop - place[1].start - SIDE + 1
        origin = (self.step * i0 - self.reach - place[0].start) * width + self.step * j0 - self.reach - place[1].start
        positions = np.full((down, across, self.size), -1, np.intp)
        chosen = np.ones((down, across), bool) if wanted is None else wanted
        block = -(-LOW_BLOCK // self.step) if self.cosines else BLOCK
        low = cosine_planes(part, self.cosines) if self.cosines else None
        for i in range(0, down, block):
            for j in range(0, across, block):
                own = np.nonzero(chosen[i : i + block, j : j + block])
                if own[0].size:
                    from_here = np.s_[self.step * i :, self.step * j :]
                    best = self._best(part[from_here], own, None if low is None else low[from_here])
                    rows, columns = self.step * (own[0] + i), self.step * (own[1] + j)
                    y, x = np.divmod(best, 2 * self.reach + 1)
                    positions[own[0] + i, own[1] + j] = origin + (rows[:, None] + y) * width + columns[:, None] + x
        return positions[chosen]

    def _best(self, part: Real, own: tuple[NDArray[np.intp], ...], low: Real | None) -> NDArray[np.intp]:
        """Offsets, in reading order, of the M patches nearest to each reference (rows, columns) of a block; (B, M)."""
        step, size = self.step, 2 * self.reach + 1
        n_down, n_across = (size + step * int(index.max()) for index in own)
        y, x = (step * index for index in own)
        middle = part[self.reach, self.reach]  # taken off for small numbers: squares that do not cancel
        if low is None:
            patches = cut(part[: n_down + SIDE - 1, : n_across + SIDE - 1] - middle)
        else:
            patches = low[:n_down, :n_across].copy().reshape(n_down * n_across, -1)
            patches[:, 0] -= SIDE * middle
        reference = patches[(y + self.reach) * n_across + x + self.reach]
        distance = (-2 * reference) @ patches.T
        distance += np.einsum("pa,pa->p", patches, patches)
        windows = np.lib.stride_tricks.sliding_window_view(
            distance.reshape(-1, n_down, n_across), (size, size), axis=(1, 2)
        )
        candidates = windows[np.arange(len(y)), y, x].reshape(len(y), -1)
        candidates[:, size * self.reach + self.reach] = -np.inf  # itself, whatever else is as near: all pixels are seen
        best: NDArray[np.intp] = np.argpartition(candidates, self.size - 1, axis=1)[:, : self.size]
        return best
