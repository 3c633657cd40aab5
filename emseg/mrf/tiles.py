"""Tiles of large grids, to which mixture and field are fitted. They lie below one another in one smaller grid.

A Potts posterior has no class weights. So tiles need not hold the classes in their true proportions, and some can be
chosen because they hold rare ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Pixels along each axis of a tile, by dimension: 16,384 to 32,768 pixels in all, many times what neighbours reach.
TILE_SIDE = {1: 16384, 2: 128, 3: 32}
GAP = 8  # rows between tiles: more than the 6 that smoothing reaches, 3 standard deviations of 2 pixels
EVEN_SHARE = 0.75  # of the tiles are spread evenly; the others are chosen by what they hold

Tile = tuple[slice, ...]


def choose_tiles(labels: NDArray[Any], k: int, most: int, rng: np.random.Generator) -> list[Tile]:
    """Choose tiles, first evenly spread ones, then those that hold most of the class that is rarest so far.

    Parameters
    ----------
    labels : ndarray of int, any shape
        A first guess, 0…K-1; anything else where there is no data.
    k : int
        Number of classes.
    most : int
        Pixels of all tiles together, at most. There is at least one tile.
    rng : numpy.random.Generator
        For the place of the first tile.

    Returns
    -------
    list of tuple of slice
        In raster order.
    """
    sides = [(n, min(TILE_SIDE[labels.ndim], n)) for n in labels.shape]
    firsts = [[(n % side) // 2 + side * i for i in range(n // side)] for n, side in sides]
    tiles = [tuple(slice(a, a + side) for a, (_, side) in zip(at, sides, strict=True)) for at in product(*firsts)]
    counts = np.array([np.bincount(labels[tile].ravel(), minlength=k)[:k] for tile in tiles])
    filled = np.flatnonzero(counts.sum(1))
    wanted = min(max(1, most // int(np.prod([side for _, side in sides]))), filled.size)
    even = max(1, int(EVEN_SHARE * wanted))
    places = (rng.random() + np.arange(even)) * filled.size / even
    chosen = filled[places.astype(int)].tolist()
    while len(chosen) < wanted:
        left = np.setdiff1d(filled, chosen)
        there = np.flatnonzero(counts[left].sum(0))
        rarest = there[counts[chosen].sum(0)[there].argmin()]
        chosen.append(int(left[counts[left, rarest].argmax()]))
    return [tiles[i] for i in sorted(chosen)]


def stack_tiles(planes: NDArray[Any], tiles: Sequence[Tile], fill: float = 0) -> NDArray[Any]:
    """Tiles of planes (..., *shape) below one another, with GAP rows of `fill` between them."""
    everything: Any = ...
    parts = [planes[(everything, *tile)] for tile in tiles]
    axis = planes.ndim - len(tiles[0])
    gap = list(parts[0].shape)
    gap[axis] = GAP
    empty = np.full(gap, fill, planes.dtype)
    return np.concatenate([piece for part in parts for piece in (part, empty)][:-1], axis=axis)
