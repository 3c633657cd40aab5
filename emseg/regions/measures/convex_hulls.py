"""How many pixels the convex hull of each region holds: scikit-image's `area_convex`, for many regions at once.

The hull is that of the middles of the pixels' sides, and holds a pixel if its centre lies in it, or on its border.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emseg.regions.measures.runs import Runs

Array = NDArray[np.float64]
#: By how much a centre may lie outside: rounding of planes through points at multiples of ½, in pixels.
ON_BORDER = 1e-7
BLOCK = 1 << 20  # rows times planes that are looked at together: 8 MiB a temporary


def hull_pixels(runs: Runs) -> NDArray[np.int_]:
    """Pixels in the convex hull of each region, shape (R,); each region has some."""
    owners, rows, first, last = runs.row_ends()
    begins = np.searchsorted(owners, np.arange(runs.regions + 1))
    found, known = np.zeros(runs.regions, np.int_), {}
    for number, (start, stop) in enumerate(zip(begins[:-1].tolist(), begins[1:].tolist(), strict=True)):
        own = np.column_stack([rows[start:stop], first[start:stop], last[start:stop]])
        own[:, :-2] -= own[:, :-2].min(0)
        own[:, -2:] -= own[:, -2].min()
        shape = own.tobytes()  # small regions have few shapes
        if shape not in known:
            known[shape] = _pixels_in_hull(own)
        found[number] = known[shape]
    return found


def _pixels_in_hull(own: NDArray[np.int_]) -> int:
    """Pixels in the hull of rows, each (places along the other axes, first column, last column)."""
    if own.shape[1] == 3:
        return _pixels_in_plane_hull(own)
    from scipy.spatial import ConvexHull

    centres = np.concatenate([own[:, :-1], own[:, [*range(own.shape[1] - 2), -1]]]).astype(np.float64)
    half = np.concatenate([np.eye(centres.shape[1]), -np.eye(centres.shape[1])]) / 2
    planes = ConvexHull((centres[:, None] + half).reshape(-1, centres.shape[1])).equations
    sides = own[:, :-2].max(0) + 1
    lines = np.indices(sides).reshape(len(sides), -1)
    step = max(1, BLOCK // len(planes))
    return sum(_in_planes(planes, lines[:, at : at + step]) for at in range(0, lines.shape[1], step))


def _pixels_in_plane_hull(own: NDArray[np.int_]) -> int:
    """Pixels in the hull of rows (y, first column, last column); of each row, from its left chain to the right one."""
    y, first, last = own.T.astype(np.float64)
    high = np.stack([y - 0.5, y, y + 0.5], axis=1).ravel().tolist()
    left = _chain(high, np.stack([first, first - 0.5, first], axis=1).ravel().tolist())
    right = _chain(high, np.stack([-last, -last - 0.5, -last], axis=1).ravel().tolist())
    rows = np.arange(int(y[-1]) + 1)
    begins, ends = np.interp(rows, *left), -np.interp(rows, *right)
    return int((np.floor(ends + ON_BORDER) - np.ceil(begins - ON_BORDER) + 1).sum())


def _chain(high: list[float], along: list[float]) -> tuple[list[float], list[float]]:
    """The chain of the hull on the side of small values, of points in the order of their heights (Andrew 1979)."""
    heights: list[float] = []
    values: list[float] = []
    for h, v in zip(high, along, strict=True):
        if heights and heights[-1] == h:  # the tips of two pixels meet
            if v >= values[-1]:
                continue
            heights.pop()
            values.pop()
        while len(heights) > 1 and (values[-1] - values[-2]) * (h - heights[-2]) >= (v - values[-2]) * (
            heights[-1] - heights[-2]
        ):
            heights.pop()
            values.pop()
        heights.append(h)
        values.append(v)
    return heights, values


def _in_planes(planes: Array, lines: NDArray[np.int_]) -> int:
    """Points with whole columns on some lines, that lie on the inner side of all planes (a_y, a_x, c): a·p + c ≤ 0."""
    slope = planes[:, -2, None]
    level = planes[:, :-2] @ lines + planes[:, -1:]
    with np.errstate(divide="ignore", invalid="ignore"):
        end = -level / slope
    high = np.where(slope > ON_BORDER, end, np.inf).min(0)
    low = np.where(slope < -ON_BORDER, end, -np.inf).max(0)
    crossed = (np.where(np.abs(slope) <= ON_BORDER, level, -1) <= ON_BORDER).all(0)
    inside = np.floor(high + ON_BORDER) - np.ceil(low - ON_BORDER) + 1
    return int(np.maximum(inside[crossed], 0).sum())
