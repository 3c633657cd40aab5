"""Who is whose neighbour, laid out so that a sweep over the field is a handful of operations on whole arrays.

The grid is taken apart into phases: pixels whose coordinates have the same remainders modulo 2, four phases in 2-D and
eight in 3-D. No two pixels of a phase are neighbours (on 4 and 8, 6, 18 and 26 neighbours alike), so a phase can be
updated at once as if pixel by pixel: the chequerboard for any neighbourhood. Each phase is stored flat with a cell of
padding after every row. Then a neighbour of the cell at flat index m is, in some phase, the cell at m + shift, with one
shift for all cells, and rows, planes and rims need no care.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

Real = NDArray[np.floating[Any]]
Mask = NDArray[np.bool_]
#: Neighbourhoods by dimension: number of neighbours → largest number of coordinates that differ.
NEIGHBOURHOODS = {1: {2: 1}, 2: {4: 1, 8: 2}, 3: {6: 1, 18: 2, 26: 3}}


@dataclass(frozen=True, eq=False)
class Link:
    """One neighbour of every cell of a phase: it lies in phase `source`, `shift` cells on.

    Attributes
    ----------
    source, shift : int
    weight : float
        w_ij, the same for the whole phase.
    edge : ndarray of float32, shape (M,), or None
        What the weight is multiplied with at each cell; None for 1.
    """

    source: int
    shift: int
    weight: float
    edge: Real | None = None


@dataclass(frozen=True, eq=False)
class Lattice:
    """A grid of sites and their neighbours.

    Attributes
    ----------
    shape : tuple of int
        Of the grid.
    neighbours : int
        Of a pixel in the interior.
    phases : tuple of tuple of int
        Remainders modulo 2 of the coordinates of each phase's pixels; S of them.
    padded : tuple of int
        Of each phase with its padding; M cells.
    halo : int
        Cells that states hold before and after a phase, so that no shift leads outside.
    couplings : tuple of tuple of Link
        Neighbours, by phase.
    inside : ndarray of bool, shape (S, M)
        Which cells are pixels that take part.
    """

    shape: tuple[int, ...]
    neighbours: int
    phases: tuple[tuple[int, ...], ...]
    padded: tuple[int, ...]
    halo: int
    couplings: tuple[tuple[Link, ...], ...]
    inside: Mask

    @property
    def cells(self) -> int:
        """M, cells of a phase."""
        return int(self.inside.shape[1])

    @cached_property
    def n_sites(self) -> int:
        """Number of pixels that take part."""
        return int(self.inside.sum())

    @property
    def total_weight(self) -> float:
        """Σ_j w_ij of a pixel in the interior, for edges of weight 1."""
        return sum(link.weight for link in self.couplings[0])

    @cached_property
    def largest_votes(self) -> float:
        """A bound on Σ_j w_ij of any pixel."""
        rows = [
            [link.weight * (1 if link.edge is None else float(link.edge.max())) for link in row] for row in self.couplings
        ]
        return max(map(sum, rows))

    def split(self, planes: NDArray[Any], fill: float = 0) -> NDArray[Any]:
        """Planes on the grid (..., *shape) by phase, (S, ..., M); padding is `fill`."""
        lead = planes.shape[: planes.ndim - len(self.shape)]
        out = np.full((len(self.phases), *lead, *self.padded), fill, planes.dtype)
        for phase, cells in zip(self.phases, out, strict=True):
            part = planes[self._pixels(phase)]
            cells[_corner(part.shape[len(lead) :])] = part
        return out.reshape(len(self.phases), *lead, self.cells)

    def join(self, cells: NDArray[Any]) -> NDArray[Any]:
        """The way back: (S, ..., M) → (..., *shape)."""
        lead = cells.shape[1:-1]
        out = np.empty((*lead, *self.shape), cells.dtype)
        for phase, part in zip(self.phases, cells.reshape(len(self.phases), *lead, *self.padded), strict=True):
            target = out[self._pixels(phase)]
            target[...] = part[_corner(target.shape[len(lead) :])]
        return out

    def _pixels(self, phase: tuple[int, ...]) -> Any:
        return (..., *(slice(p, None, 2) for p in phase))

    def with_halo(self, cells: NDArray[Any], fill: float = 0) -> NDArray[Any]:
        """Cells (..., M) as a state, with room before and after: (..., halo + M + halo)."""
        return np.pad(cells, [(0, 0)] * (cells.ndim - 1) + [(self.halo, self.halo)], constant_values=fill)

    def core(self, state: NDArray[Any]) -> NDArray[Any]:
        """A view of a state without its margins."""
        return state[..., self.halo : self.halo + self.cells]

    def blocks(self, size: int) -> Iterator[slice]:
        """The cells of a phase in parts that stay in the cache."""
        return (slice(start, min(start + size, self.cells)) for start in range(0, self.cells, size))


def _corner(shape: tuple[int, ...]) -> Any:
    return (..., *(slice(n) for n in shape))


def offsets(ndim: int, neighbours: int, spacing: Sequence[float] | None = None) -> list[tuple[tuple[int, ...], float]]:
    """Neighbours of a pixel and their weights: the smallest distance over the distance.

    Parameters
    ----------
    ndim : int
        1, 2 or 3.
    neighbours : int
        As in `NEIGHBOURHOODS`.
    spacing : sequence of float, optional
        Size of a voxel along each axis; all equal unless given.

    Raises
    ------
    ValueError
        If there is no such neighbourhood.
    """
    if neighbours not in NEIGHBOURHOODS.get(ndim, {}):
        wanted = ", ".join(map(str, NEIGHBOURHOODS.get(ndim, ())))
        raise ValueError(f"{neighbours} neighbours in {ndim} dimensions; choose from {wanted}")
    size = np.ones(ndim) if spacing is None else np.asarray(spacing, np.float64)
    steps = [step for step in product((-1, 0, 1), repeat=ndim) if any(step)]
    near = [step for step in steps if sum(map(abs, step)) <= NEIGHBOURHOODS[ndim][neighbours]]
    distance = [float(np.linalg.norm(np.array(step) * size)) for step in near]
    least = min(distance)
    return [(step, least / far) for step, far in zip(near, distance, strict=True)]


def lattice(
    shape: tuple[int, ...],
    neighbours: int,
    *,
    spacing: Sequence[float] | None = None,
    valid: Mask | None = None,
    guide: Real | None = None,
) -> Lattice:
    """Lay out a grid.

    Parameters
    ----------
    shape : tuple of int
    neighbours : int
        4 or 8 in 2-D; 6, 18 or 26 in 3-D.
    spacing : sequence of float, optional
        Size of a voxel along each axis.
    valid : ndarray of bool, `shape`, optional
        Pixels that take part; the others are nobody's neighbours.
    guide : ndarray, (C, *shape), optional
        An image that edges follow: w_ij is multiplied with exp(-½ d²_ij / mean d²), d the distance of the two pixels'
        values, brought to mean 1 (Boykov & Jolly 2001).
    """
    near = offsets(len(shape), neighbours, spacing)
    phases = [
        phase for phase in product((0, 1), repeat=len(shape)) if all(p < n for p, n in zip(phase, shape, strict=True))
    ]
    half = [(n + 1) // 2 for n in shape]
    padded = (half[0], *(n + 1 for n in half[1:]))
    stride = np.append(np.cumprod(padded[:0:-1])[::-1], 1).astype(int)
    couplings, places = [], {phase: s for s, phase in enumerate(phases)}
    for phase in phases:
        row = []
        for step, weight in near:
            there = [p + d for p, d in zip(phase, step, strict=True)]
            source = tuple(t % 2 for t in there)
            if source in places:
                row.append(Coupling(places[source], int(np.dot([t // 2 for t in there], stride)), weight))
        couplings.append(tuple(row))
    halo = max([abs(link.shift) for row in couplings for link in row], default=0)
    nowhere = np.zeros((len(phases), int(np.prod(padded))), np.bool_)
    bare = Lattice(tuple(shape), neighbours, tuple(phases), padded, halo, tuple(couplings), nowhere)
    whole = replace(bare, inside=bare.split(np.ones(shape, np.bool_) if valid is None else valid))
    return whole if guide is None else _guided(whole, guide)


def with_influence(plain: Lattice, hold: Real) -> Lattice:
    """The lattice with w_ij h_i h_j, for h of the pixels, `shape`."""
    cells = plain.with_halo(plain.split(hold.astype(np.float32)))
    couplings = []
    for s, row in enumerate(plain.couplings):
        own = plain.core(cells)[s]
        edges = [own * cells[link.source, plain.halo + link.shift :][: plain.cells] for link in row]
        couplings.append(
            tuple(
                replace(link, edge=edge if link.edge is None else edge * link.edge)
                for link, edge in zip(row, edges, strict=True)
            )
        )
    return replace(plain, couplings=tuple(couplings))


def _guided(plain: Lattice, guide: Real) -> Lattice:
    """The lattice with weights that fall where the guide changes."""
    cells = plain.with_halo(plain.split(guide.astype(np.float32)))
    inside = plain.with_halo(plain.inside)
    squares: dict[tuple[int, int], Real] = {}
    total, edges = 0.0, 0
    for s, row in enumerate(plain.couplings):
        for i, link in enumerate(row):
            part = slice(plain.halo + link.shift, plain.halo + link.shift + plain.cells)
            squares[s, i] = ((plain.core(cells)[s] - cells[link.source][:, part]) ** 2).sum(0)
            both = plain.inside[s] & inside[link.source][part]
            total += float(squares[s, i][both].sum(dtype=np.float64))
            edges += int(both.sum())
            squares[s, i][~both] = np.inf
    mean = total / max(edges, 1) or 1.0
    for square in squares.values():
        np.exp(square / np.float32(-2 * mean), out=square)
    level = sum(float(square.sum(dtype=np.float64)) for square in squares.values()) / max(edges, 1) or 1.0
    couplings = tuple(
        tuple(
            Coupling(link.source, link.shift, link.weight, squares[s, i] / np.float32(level)) for i, link in enumerate(row)
        )
        for s, row in enumerate(plain.couplings)
    )
    return replace(plain, couplings=couplings)
