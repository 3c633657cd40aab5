"""How long outlines of regions are, and how large their surfaces, for all regions at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from itertools import product

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Ids = NDArray[np.int32]
#: Lengths that a pixel of the outline stands for, by 1 + 2 · neighbours at its sides + 10 · neighbours at its corners
#: that are on the outline too (Benkrid, Crookes & Benkrid 2000): as `skimage.measure.perimeter` has them.
LENGTHS = np.zeros(50)
LENGTHS[[5, 7, 15, 17, 25, 27]] = 1
LENGTHS[[21, 33]] = 2**0.5
LENGTHS[[13, 23]] = (1 + 2**0.5) / 2


def perimeters(ids: Ids, count: int) -> Array:
    """Lengths of the outlines of regions in pixels, shape (R,), those of their holes included.

    Parameters
    ----------
    ids : ndarray, shape (H, W)
        1…R; 0 is none.
    count : int
        R.
    """
    framed = np.pad(ids, 2)
    core = framed[1:-1, 1:-1]
    sides = [framed[:-2, 1:-1], framed[2:, 1:-1], framed[1:-1, :-2], framed[1:-1, 2:]]
    inner = np.logical_and.reduce([side == core for side in sides])
    outline = np.pad(np.where(inner, 0, core), 1)
    code = np.ones(ids.shape, np.uint8)
    middle = outline[2:-2, 2:-2]
    for down, right in product((-1, 0, 1), repeat=2):
        if down or right:
            near = outline[2 + down : outline.shape[0] - 2 + down, 2 + right : outline.shape[1] - 2 + right]
            code += (near == middle) * np.uint8(10 if down and right else 2)
    return np.asarray(np.bincount(middle.ravel(), LENGTHS[code.ravel()], count + 1)[1:], np.float64)


def borders(ids: Ids, count: int, sides: Sequence[float]) -> Array:
    """Lengths of outlines, or areas of surfaces, in units of the sides, shape (R,).

    The Cauchy–Crofton formula counts how often lines through the pixels' centres cross the border, in 4 or 13
    directions. Each direction counts as much as there is of the circle, or sphere, nearest to it (Lehmann & Legland
    2012). Of balls with a radius of 20 voxels it finds 99 % of the surface, of cubes 87 %.

    Parameters
    ----------
    ids : ndarray, shape (H, W) or (Z, H, W)
        1…R; 0 is none.
    count : int
        R.
    sides : sequence of float
        Lengths of a pixel's sides by axis.
    """
    framed = np.pad(ids, 1)
    total = np.zeros(count + 1)
    for step, share in zip(_directions(ids.ndim), _shares(tuple(float(side) for side in sides)), strict=True):
        one, other = _pair(framed, step)
        crossed = one != other
        crossings = np.bincount(one[crossed], minlength=count + 1) + np.bincount(other[crossed], minlength=count + 1)
        # Lines of one direction lie as densely as pixels, seen along it.
        total += share * crossings * float(np.prod(sides)) / float(np.linalg.norm(np.multiply(step, sides)))
    # The mean over directions of a convex body's shadow is its perimeter over π, or a quarter of its surface; lines
    # that fill the shadow cross the border twice.
    return total[1:] * (np.pi / 2 if ids.ndim == 2 else 2)


def _directions(d: int) -> list[tuple[int, ...]]:
    """Steps to the neighbours of a pixel, one of each opposite two."""
    return [step for step in product((-1, 0, 1), repeat=d) if step > (0,) * d]


def _pair(framed: Ids, step: tuple[int, ...]) -> Iterator[Ids]:
    """The pixels from which a step stays within the array, and those that it leads to."""
    for sign in (1, -1):
        yield framed[
            tuple(slice(max(-sign * s, 0), n - max(sign * s, 0)) for s, n in zip(step, framed.shape, strict=True))
        ]


@cache
def _shares(sides: tuple[float, ...]) -> Array:
    """How much of all directions is nearest to each of `_directions`; they sum to 1."""
    steps = np.multiply(_directions(len(sides)), sides)
    units = steps / np.linalg.norm(steps, axis=1, keepdims=True)
    if len(sides) == 2:
        angles = np.sort(np.mod(np.arctan2(units[:, 0], units[:, 1]), np.pi))
        order = np.argsort(np.mod(np.arctan2(units[:, 0], units[:, 1]), np.pi))
        gaps = np.diff(angles, append=angles[0] + np.pi)
        found = np.empty(len(units))
        found[order] = (gaps + np.roll(gaps, 1)) / 2 / np.pi
        return found
    from scipy.spatial import SphericalVoronoi

    cells = SphericalVoronoi(np.concatenate([units, -units])).calculate_areas()
    return np.asarray(cells[: len(units)] / (2 * np.pi))
