"""Outlines of classes or regions along the edges of pixels. They are exact: they rasterise back to the label map."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Ring = list[tuple[int, int]]
# The sides of a pixel, clockwise: top, right, bottom, left. START is where each begins, as (x, y) from the pixel's top
# left corner; BEYOND is the pixel on its other side, as (row, column).
START = np.array([(0, 0), (1, 0), (1, 1), (0, 1)])
BEYOND = ((-1, 0), (0, 1), (1, 0), (0, -1))


class Polygon(NamedTuple):
    """A connected part of a label map: its label, its outline, and the outlines of what is cut out of it.

    Points are (x, y) corners of pixels; the first is not repeated. With y downwards, outlines run clockwise and those
    of cut-outs the other way.
    """

    label: int
    outer: Ring
    inner: list[Ring]


def polygons(labels: NDArray[np.integer[Any]]) -> list[Polygon]:
    """The polygons of a label map (H, W), in the order of their topmost, leftmost pixels; label 0 has none.

    Pixels belong together if they share a side. Where outlines touch in a corner they are separate rings, as OGC's
    Simple Features want them.
    """
    if not labels.any():
        return []
    from skimage.measure import label as connected

    width = labels.shape[1]
    part: NDArray[Any] = connected(np.asarray(labels, np.int64), background=0, connectivity=1)  # type: ignore[no-untyped-call]
    sides, following = _sides(labels)
    pixel, side = sides >> 2, sides & 3
    corner = pixel // width * (width + 1) + pixel % width + START[side] @ (1, width + 1)
    turns = (side[following] != side).tolist()
    found: dict[int, Polygon] = {}
    for path in _cycles(following.tolist()):
        owner = int(part.flat[pixel[path[0]]])
        label = int(labels.flat[pixel[path[0]]])
        polygon = found.setdefault(owner, Polygon(label, [], []))
        for ring in _loops(path, corner, turns, following, width + 1):
            if _area(ring) > 0:
                polygon.outer[:] = ring
            else:
                polygon.inner.append(ring)
    return [found[owner] for owner in sorted(found)]


def _sides(labels: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Sides of pixels that bound their part, as 4 · pixel + side, and the number of the one that follows each.

    Clockwise, three sides may follow. The first is the next side of the same pixel, if it bounds the part. The second
    is the same side of the pixel beyond that one. The third is the side of the pixel next to it that turns back.
    """
    height, width = labels.shape
    padded = np.zeros((height + 2, width + 2), labels.dtype)
    padded[1:-1, 1:-1] = labels
    bounds = np.zeros((4, height + 2, width + 2), np.bool_)
    for number, (down, right) in enumerate(BEYOND):
        there = padded[1 + down : height + 1 + down, 1 + right : width + 1 + right]
        bounds[number, 1:-1, 1:-1] = (labels != there) & (labels != 0)
    row, column, side = np.nonzero(bounds.transpose(1, 2, 0))
    step = np.array(BEYOND)
    turned, back = (side + 1) % 4, (side + 3) % 4
    ahead = row + step[turned, 0], column + step[turned, 1]
    corner = bounds[turned, row, column]
    straight = ~corner & bounds[side, ahead[0], ahead[1]]
    inner = ahead[0] + step[side, 0], ahead[1] + step[side, 1]
    next_row = np.where(corner, row, np.where(straight, ahead[0], inner[0]))
    next_column = np.where(corner, column, np.where(straight, ahead[1], inner[1]))
    next_side = np.where(corner, turned, np.where(straight, side, back))
    keys = ((row - 1) * width + column - 1) * 4 + side
    wanted = ((next_row - 1) * width + next_column - 1) * 4 + next_side
    return keys, np.searchsorted(keys, wanted)


def _cycles(following: list[int]) -> list[list[int]]:
    """The cycles of a permutation."""
    seen = bytearray(len(following))
    cycles = []
    for first in range(len(following)):
        if seen[first]:
            continue
        cycle, at = [], first
        while not seen[at]:
            seen[at] = 1
            cycle.append(at)
            at = following[at]
        cycles.append(cycle)
    return cycles


def _loops(
    cycle: list[int], corner: NDArray[np.int64], turns: list[bool], following: NDArray[np.int64], stride: int
) -> list[Ring]:
    """A closed path cut into rings that visit no corner twice; only the points where it turns are kept."""
    ends = corner[following[cycle]].tolist()
    stack: list[int] = []
    turned: list[bool] = []
    where: dict[int, int] = {}
    rings = []
    for number, end in zip(cycle, ends, strict=True):
        if end in where:
            # The path since the last visit of this corner is a ring. The corner itself stays, for the ring around it.
            at = where[end]
            points = [p for p, turn in zip(stack[at:], [True, *turned[at + 1 :]], strict=True) if turn]
            rings.append([(p % stride, p // stride) for p in points])
            for point in stack[at:]:
                del where[point]
            del stack[at:], turned[at:]
        where[end] = len(stack)
        stack.append(end)
        turned.append(turns[number])
    rings.append([(p % stride, p // stride) for p, turn in zip(stack, turned, strict=True) if turn])
    return rings


def _area(ring: Ring) -> int:
    """Twice the area, positive for a ring that runs clockwise with y downwards."""
    return sum(x0 * y1 - x1 * y0 for (x0, y0), (x1, y1) in zip(ring, [*ring[1:], ring[0]], strict=True))
