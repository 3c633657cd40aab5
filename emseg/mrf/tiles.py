"""Large grids: mixture and field are fitted to a few tiles of them, laid below one another with nothing in between.

The Potts posterior has no class weights, so tiles need not hold the classes in their true proportions, and some can be
chosen for what is rare.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

EDGE = {1: 16384, 2: 128, 3: 32}  # of a tile, by dimension
GAP = 8  # rows between tiles; smoothing does not reach across
EVEN = 0.75  # share of the tiles that are spread evenly

Tile = tuple[slice, ...]


def choose(labels: NDArray[Any], k: int, most: int, rng: np.random.Generator) -> list[Tile]:
    """Tiles of together at most `most` pixels.

    Parameters
    ----------
    labels : ndarray of int, any shape
        A first guess, 0…K-1; anything else where there is no data.
    k, most : int
    rng : numpy.random.Generator
    """
    sides = [(n, min(EDGE[labels.ndim], n)) for n in labels.shape]
    firsts = [[(n % edge) // 2 + edge * i for i in range(n // edge)] for n, edge in sides]
    tiles = [tuple(slice(a, a + edge) for a, (_, edge) in zip(at, sides, strict=True)) for at in product(*firsts)]
    held = np.array([np.bincount(labels[tile].ravel(), minlength=k)[:k] for tile in tiles])
    filled = np.flatnonzero(held.sum(1))
    count = min(max(1, most // int(np.prod([edge for _, edge in sides]))), filled.size)
    even = max(1, int(EVEN * count))
    places = (rng.random() + np.arange(even)) * filled.size / even
    chosen = filled[places.astype(int)].tolist()
    while len(chosen) < count:
        left = np.setdiff1d(filled, chosen)
        there = np.flatnonzero(held[left].sum(0))
        rarest = there[held[chosen].sum(0)[there].argmin()]
        chosen.append(int(left[held[left, rarest].argmax()]))
    return [tiles[i] for i in sorted(chosen)]


def stacked(planes: NDArray[Any], tiles: Sequence[Tile], fill: float = 0) -> NDArray[Any]:
    """Tiles of planes (..., *shape) below one another, with GAP rows of `fill` between them."""
    everything: Any = ...
    parts = [planes[(everything, *tile)] for tile in tiles]
    axis = planes.ndim - len(tiles[0])
    gap = list(parts[0].shape)
    gap[axis] = GAP
    empty = np.full(gap, fill, planes.dtype)
    return np.concatenate([piece for part in parts for piece in (part, empty)][:-1], axis=axis)
