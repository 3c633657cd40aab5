"""Outlines of classes or regions along the edges of pixels. They are exact: they rasterise back to the label map."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from emseg.records import NamedRecord

Ring = list[tuple[int, int]]
# The sides of a pixel, clockwise: top, right, bottom, left. START is where each begins, as (x, y) from the pixel's top
# left corner; BEYOND is the pixel on its other side, as (row, column).
START = np.array([(0, 0), (1, 0), (1, 1), (0, 1)])
BEYOND = ((-1, 0), (0, 1), (1, 0), (0, -1))


class Outlines(NamedRecord):
    """All rings of a label map, polygon by polygon: the outline first, then those of what is cut out of it.

    Attributes
    ----------
    points : ndarray of int, shape (P, 2)
        Corners (x, y) of pixels, ring after ring; the first of a ring is not repeated.
    starts : ndarray of int, shape (R + 1,)
        Where rings begin in `points`, and the end of the last one.
    outer : ndarray of bool, shape (R,)
        Whether a ring is the outline of a polygon.
    labels : ndarray of int, shape (R,)
        The label of its polygon.
    """

    points: NDArray[np.int64]
    starts: NDArray[np.int64]
    outer: NDArray[np.bool_]
    labels: NDArray[np.int64]


class Polygon(NamedRecord):
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
    rings = outlines(labels)
    found: list[Polygon] = []
    for first, last, outer, label in zip(
        rings.starts[:-1].tolist(), rings.starts[1:].tolist(), rings.outer.tolist(), rings.labels.tolist(), strict=True
    ):
        ring: Ring = list(map(tuple, rings.points[first:last].tolist()))
        if outer:
            found.append(Polygon(label, ring, []))
        else:
            found[-1].inner.append(ring)
    return found


def outlines(labels: NDArray[np.integer[Any]]) -> Outlines:
    """The rings of all polygons of a label map (H, W); see `polygons`."""
    if not labels.any():
        empty = np.zeros(0, np.int64)
        return Outlines(empty.reshape(0, 2), np.zeros(1, np.int64), empty.astype(np.bool_), empty)
    from skimage.measure import label as connected

    width = labels.shape[1]
    part: NDArray[Any] = connected(np.asarray(labels, np.int64), background=0, connectivity=1)  # type: ignore[no-untyped-call]
    sides, following = _sides(labels)
    pixel, side = sides >> 2, sides & 3
    nodes, step, first = _turns(side, following)
    path, cycle = _cycles(step, first)
    at = nodes[path]
    after = following[at]  # a side ends where the one after it begins
    corner = pixel[after] // width * (width + 1) + pixel[after] % width + START[side[after]] @ (1, width + 1)
    order, starts = _rings(corner, cycle)
    points = np.stack([corner[order] % (width + 1), corner[order] // (width + 1)], axis=1)
    whose = pixel[at[order[starts[:-1]]]]
    owner, label = part.ravel()[whose], labels.ravel()[whose].astype(np.int64)
    outer = _areas(points, starts) > 0
    ranked = np.lexsort((np.arange(len(outer)), ~outer, owner))  # the outline of a polygon before its cut-outs
    points, starts = _reordered(points, starts, ranked)
    return Outlines(points, starts, outer[ranked], label[ranked])


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


def _turns(
    side: NDArray[np.int64], following: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Sides after which an outline turns; the number of the next one of each; and that of the first one from each side.

    Corners are all that outlines need, and there are far fewer of them than sides.
    """
    turning = side[following] != side
    ahead = np.where(turning, np.arange(len(side)), following)
    while not (done := turning[ahead]).all():  # twice as far each time
        ahead = np.where(done, ahead, ahead[ahead])
    nodes = np.flatnonzero(turning)
    number = np.cumsum(turning) - 1
    return nodes, number[ahead[following[nodes]]], number[ahead]


def _cycles(step: NDArray[np.int64], first: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The nodes of all cycles of a permutation one after another, and the number of the cycle of each.

    A cycle begins with the first of its nodes that `first` names.
    """
    following = step.tolist()
    seen = bytearray(len(following))
    path: list[int] = []
    ends: list[int] = []
    for start in first[np.flatnonzero(np.diff(first, prepend=-1))].tolist():
        if seen[start]:
            continue
        at = start
        while not seen[at]:
            seen[at] = 1
            path.append(at)
            at = following[at]
        ends.append(len(path))
    lengths = np.diff(ends, prepend=0)
    return np.array(path, np.int64), np.repeat(np.arange(len(ends)), lengths)


def _rings(corner: NDArray[np.int64], cycle: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Closed paths cut into rings that visit no corner twice: places in the paths, ring after ring, and their starts.

    Parameters
    ----------
    corner : ndarray, shape (N,)
        The corners of all paths, one path after another.
    cycle : ndarray, shape (N,)
        The number of the path of each, from 0.
    """
    again = _visited_again(corner, cycle)
    begins = np.flatnonzero((np.diff(cycle, prepend=-1) != 0) | again)
    names = np.where(again[begins], corner[begins], -1).tolist()
    ring_of = [0] * len(names)
    rings, path = 0, -1
    stack: list[int] = []
    where: dict[int, int] = {}
    for number, (name, own) in enumerate(zip(names, cycle[begins].tolist(), strict=True)):
        if own != path:
            for piece in stack:
                ring_of[piece] = rings
            rings += bool(stack)
            path, stack, where = own, [], {}
        if name in where:
            # The path since the last visit of this corner is a ring. The corner itself stays, for the ring around it.
            at = where[name]
            for piece in stack[at:]:
                ring_of[piece] = rings
                where.pop(names[piece], None)
            del stack[at:]
            rings += 1
        if name >= 0:
            where[name] = len(stack)
        stack.append(number)
    for piece in stack:
        ring_of[piece] = rings
    ring = np.repeat(np.array(ring_of, np.int64), np.diff(begins, append=len(corner)))
    lengths = np.bincount(ring)
    return np.argsort(ring, kind="stable"), np.concatenate([[0], np.cumsum(lengths)])


def _visited_again(corner: NDArray[np.int64], cycle: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which places of paths are corners that the same path visits more than once."""
    key = cycle * (int(corner.max()) + 1) + corner
    order = np.argsort(key, kind="stable")
    same = np.diff(key[order]) == 0
    found = np.zeros(len(corner), np.bool_)
    found[order[:-1][same]] = True
    found[order[1:][same]] = True
    return found


def _areas(points: NDArray[np.int64], starts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Twice the area of each ring, positive for one that runs clockwise with y downwards."""
    following = np.arange(1, len(points) + 1)
    following[starts[1:] - 1] = starts[:-1]
    (x0, y0), (x1, y1) = points.T, points[following].T
    return np.add.reduceat(x0 * y1 - x1 * y0, starts[:-1])


def _reordered(
    points: NDArray[np.int64], starts: NDArray[np.int64], order: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The rings in another order."""
    lengths = np.diff(starts)[order]
    new = np.concatenate([[0], np.cumsum(lengths)])
    return points[np.repeat(starts[order] - new[:-1], lengths) + np.arange(len(points))], new
