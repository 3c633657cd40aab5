"""Which pixels are neighbours, laid out so that a sweep over the field is a handful of operations on whole arrays.

The grid is divided into phases: pixels whose coordinates have the same remainders modulo 2, four phases in 2-D and
eight in 3-D. No two pixels of a phase are neighbours, on 4, 8, 6, 18 and 26 neighbours alike. So a phase can be updated
at once with the same result as pixel by pixel: the chequerboard, for any neighbourhood.

Each phase is stored flat, with one cell of padding after every row. Then a neighbour of the cell at flat index m is the
cell at m + shift of some phase, with one shift for all cells. Rows, planes and rims need no special treatment.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emseg.records import record

Real = NDArray[np.floating[Any]]
Mask = NDArray[np.bool_]
#: Neighbourhoods by dimension: number of neighbours → largest number of coordinates that differ.
NEIGHBOURHOODS = {1: {2: 1}, 2: {4: 1, 8: 2}, 3: {6: 1, 18: 2, 26: 3}}


@record(frozen=True, eq=False)
class Coupling:
    """One neighbour of every cell of a phase, and how strongly the two are coupled.

    Attributes
    ----------
    phase, shift : int
        The neighbour lies in that phase, `shift` cells on.
    weight : float
        w_ij, the same for the whole phase.
    factors : ndarray of float32, shape (M,), or None
        The weight is multiplied with these, one for each cell; None for 1.
    """

    phase: int
    shift: int
    weight: float
    factors: Real | None = None


@record(frozen=True, eq=False)
class Lattice:
    """A grid of pixels and their neighbours.

    Arrays over the lattice have one entry for each phase and cell: (S, ..., M). Methods of inference look beyond both
    ends of a phase, so their arrays have a halo there: (S, ..., halo + M + halo).

    Attributes
    ----------
    shape : tuple of int
        Shape of the grid.
    neighbours : int
        Number of neighbours of a pixel in the interior.
    phases : tuple of tuple of int
        Remainders modulo 2 of the coordinates of each phase's pixels; S of them.
    padded : tuple of int
        Shape of each phase with its padding; M cells.
    halo : int
        Cells before and after a phase, so that no shift leads outside of an array.
    couplings : tuple of tuple of Coupling
        Neighbours, by phase.
    inside : ndarray of bool, shape (S, M)
        Which cells are pixels that take part.
    """

    shape: tuple[int, ...]
    neighbours: int
    phases: tuple[tuple[int, ...], ...]
    padded: tuple[int, ...]
    halo: int
    couplings: tuple[tuple[Coupling, ...], ...]
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
        """Σ_j w_ij of a pixel in the interior, for factors of 1."""
        return sum(coupling.weight for coupling in self.couplings[0])

    @cached_property
    def largest_votes(self) -> float:
        """A bound on Σ_j w_ij of any pixel."""
        return max(
            sum(c.weight * (1 if c.factors is None else float(c.factors.max())) for c in row) for row in self.couplings
        )

    def split(self, planes: NDArray[Any], fill: float = 0) -> NDArray[Any]:
        """Planes on the grid (..., *shape) by phase, (S, ..., M); padding is `fill`."""
        lead = planes.shape[: planes.ndim - len(self.shape)]
        out = np.full((len(self.phases), *lead, *self.padded), fill, planes.dtype)
        for phase, cells in zip(self.phases, out, strict=True):
            part = planes[self._pixels(phase)]
            cells[_corner(part.shape[len(lead) :])] = part
        return out.reshape(len(self.phases), *lead, self.cells)

    def join(self, cells: NDArray[Any]) -> NDArray[Any]:
        """The inverse of `split`: (S, ..., M) → (..., *shape)."""
        lead = cells.shape[1:-1]
        out = np.empty((*lead, *self.shape), cells.dtype)
        for phase, part in zip(self.phases, cells.reshape(len(self.phases), *lead, *self.padded), strict=True):
            target = out[self._pixels(phase)]
            target[...] = part[_corner(target.shape[len(lead) :])]
        return out

    def _pixels(self, phase: tuple[int, ...]) -> Any:
        return (..., *(slice(p, None, 2) for p in phase))

    def with_halo(self, cells: NDArray[Any], fill: float = 0) -> NDArray[Any]:
        """Cells (..., M) with a halo of `fill`, (..., halo + M + halo)."""
        return np.pad(cells, [(0, 0)] * (cells.ndim - 1) + [(self.halo, self.halo)], constant_values=fill)

    def core(self, haloed: NDArray[Any]) -> NDArray[Any]:
        """A view without the halo."""
        return haloed[..., self.halo : self.halo + self.cells]

    def blocks(self, size: int) -> Iterator[slice]:
        """The cells of a phase in blocks of at most `size`."""
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
    distances = [float(np.linalg.norm(np.array(step) * size)) for step in near]
    smallest = min(distances)
    return [(step, smallest / distance) for step, distance in zip(near, distances, strict=True)]


def build_lattice(
    shape: tuple[int, ...],
    neighbours: int,
    *,
    spacing: Sequence[float] | None = None,
    valid: Mask | None = None,
    guide: Real | None = None,
) -> Lattice:
    """The lattice of a grid.

    Parameters
    ----------
    shape : tuple of int
    neighbours : int
        4 or 8 in 2-D; 6, 18 or 26 in 3-D.
    spacing : sequence of float, optional
        Size of a voxel along each axis.
    valid : ndarray of bool, `shape`, optional
        Pixels that take part; the others are no pixel's neighbours.
    guide : ndarray, (C, *shape), optional
        An image whose edges weaken the couplings across them. w_ij is multiplied with exp(-½ d²_ij / mean d²), where d
        is the distance of the two pixels' values; then factors are scaled to mean 1 (Boykov & Jolly 2001).

    Raises
    ------
    ValueError
        If there is no such neighbourhood.
    """
    near = offsets(len(shape), neighbours, spacing)
    phases = [
        phase for phase in product((0, 1), repeat=len(shape)) if all(p < n for p, n in zip(phase, shape, strict=True))
    ]
    half = [(n + 1) // 2 for n in shape]
    padded = (half[0], *(n + 1 for n in half[1:]))
    stride = np.append(np.cumprod(padded[:0:-1])[::-1], 1).astype(int)
    couplings, numbers = [], {phase: s for s, phase in enumerate(phases)}
    for phase in phases:
        row = []
        for step, weight in near:
            there = [p + d for p, d in zip(phase, step, strict=True)]
            other = tuple(t % 2 for t in there)
            if other in numbers:
                row.append(Coupling(numbers[other], int(np.dot([t // 2 for t in there], stride)), weight))
        couplings.append(tuple(row))
    halo = max([abs(coupling.shift) for row in couplings for coupling in row], default=0)
    nowhere = np.zeros((len(phases), int(np.prod(padded))), np.bool_)
    empty = Lattice(tuple(shape), neighbours, tuple(phases), padded, halo, tuple(couplings), nowhere)
    filled = replace(empty, inside=empty.split(np.ones(shape, np.bool_) if valid is None else valid))
    return filled if guide is None else _guided(filled, guide)


def with_influence(lattice: Lattice, influence: Real) -> Lattice:
    """The lattice with weights w_ij h_i h_j, where h is the influence of each pixel, `shape`."""
    cells = lattice.with_halo(lattice.split(influence.astype(np.float32)))
    couplings = []
    for s, row in enumerate(lattice.couplings):
        own, changed = lattice.core(cells)[s], []
        for coupling in row:
            products = own * cells[coupling.phase, lattice.halo + coupling.shift :][: lattice.cells]
            factors = products if coupling.factors is None else products * coupling.factors
            changed.append(replace(coupling, factors=factors))
        couplings.append(tuple(changed))
    return replace(lattice, couplings=tuple(couplings))


def _guided(lattice: Lattice, guide: Real) -> Lattice:
    """The lattice with weights that fall where the guide changes."""
    cells = lattice.with_halo(lattice.split(guide.astype(np.float32)))
    inside = lattice.with_halo(lattice.inside)
    squares: dict[tuple[int, int], Real] = {}
    total, pairs = 0.0, 0
    for s, row in enumerate(lattice.couplings):
        for i, coupling in enumerate(row):
            part = slice(lattice.halo + coupling.shift, lattice.halo + coupling.shift + lattice.cells)
            squares[s, i] = ((lattice.core(cells)[s] - cells[coupling.phase][:, part]) ** 2).sum(0)
            both = lattice.inside[s] & inside[coupling.phase][part]
            total += float(squares[s, i][both].sum(dtype=np.float64))
            pairs += int(both.sum())
            squares[s, i][~both] = np.inf
    mean = total / max(pairs, 1) or 1.0
    for square in squares.values():
        np.exp(square / np.float32(-2 * mean), out=square)
    level = sum(float(square.sum(dtype=np.float64)) for square in squares.values()) / max(pairs, 1) or 1.0
    return replace(
        lattice,
        couplings=tuple(
            tuple(replace(coupling, factors=squares[s, i] / np.float32(level)) for i, coupling in enumerate(row))
            for s, row in enumerate(lattice.couplings)
        ),
    )
