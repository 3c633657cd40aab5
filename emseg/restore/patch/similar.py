"""The search for the patches nearest to reference patches."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emseg.records import record
from emseg.restore.patch.patches import SIDE, Real, cosine_planes, cut

TILE = 8, 96  # rows and columns of reference patches in one tile
BLOCK = 6  # references a side in one matrix product, where patches are compared by all pixels
LOW_BLOCK = 32  # pixels a side of such a block, where patches are compared by cosines
#: First row, row after the last, first column and column after the last of a part of the grid of references.
Tile = tuple[int, int, int, int]
Place = tuple[slice, slice]


@record(frozen=True)
class Search:
    """The reference patches of a plane, and the patches that they are compared with.

    Attributes
    ----------
    shape : (int, int)
        Height and width of the plane: 8 plus a multiple of `step`.
    step : int
        Pixels between reference patches.
    reach : int
        Pixels that the search goes in each direction.
    group : int
        M, the number of patches to find. In a very small plane there may be fewer.
    cosines : int
        Patches are compared by so many of their lowest cosines in each direction, which is quicker; 0: by all pixels.
    """

    shape: tuple[int, int]
    step: int
    reach: int
    group: int
    cosines: int = 0

    @property
    def size(self) -> int:
        """The number of patches that every reference finds: M, or all in reach of a corner."""
        down, across = (min(length - SIDE, self.reach) + 1 for length in self.shape)
        return min(self.group, down * across)

    @property
    def grid(self) -> tuple[int, int]:
        """Number of rows and columns of references."""
        down, across = ((length - SIDE) // self.step + 1 for length in self.shape)
        return down, across

    def tiles(self, pixels: tuple[int, int] | None = None) -> list[Tile]:
        """Parts of the grid of references; `pixels` bounds their height and width, which are `TILE` by default."""
        down, across = self.grid
        height, width = TILE if pixels is None else (max(1, length // self.step) for length in pixels)
        return [
            (i, min(i + height, down), j, min(j + width, across))
            for i in range(0, down, height)
            for j in range(0, across, width)
        ]

    def place(self, tile: Tile) -> Place:
        """Rows and columns of the plane that the patches found for a tile can cover."""
        rows, columns = (
            slice(max(self.step * a - self.reach, 0), min(self.step * (b - 1) + self.reach + SIDE, length))
            for a, b, length in zip(tile[::2], tile[1::2], self.shape, strict=True)
        )
        return rows, columns

    def bordered(self, plane: Real) -> Real:
        """The plane with a border of far values, so that no patch across the edge is ever near."""
        return np.pad(plane, self.reach, constant_values=1e3 * (1 + np.ptp(plane)))

    def seen(self, tile: Tile) -> Place:
        """Rows and columns of the bordered plane that the search for a tile reads."""
        rows, columns = (
            slice(self.step * a, self.step * (b - 1) + 2 * self.reach + SIDE)
            for a, b in zip(tile[::2], tile[1::2], strict=True)
        )
        return rows, columns

    def nearest(self, part: Real, tile: Tile, wanted: NDArray[np.bool_] | None = None) -> NDArray[np.intp]:
        """The M nearest patches to each reference of a tile, as row indices of `cut` of its `place`; (references, M).

        |a - b|² = |a|² - 2 a·b + |b|², and |a|² is the same for all candidates of a reference. The products of a block
        of references with all their candidates are one product of matrices.

        Parameters
        ----------
        part : ndarray of float32
            The bordered plane at the rows and columns of `seen`.
        tile : Tile
        wanted : ndarray of bool, shape (rows, columns of the tile), optional
            Which references to search for; by default all.
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
        middle = part[self.reach, self.reach]  # is subtracted, so that squares of large numbers do not cancel
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
        candidates[:, size * self.reach + self.reach] = -np.inf  # the reference itself is always one of the nearest
        best: NDArray[np.intp] = np.argpartition(candidates, self.size - 1, axis=1)[:, : self.size]
        return best
