"""Places for the names of lines: near the ends of the lines, never on one another, and off other lines if possible."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from emseg.records import record

Array = NDArray[np.float64]
# Chosen by eye on charts of up to 19 lines, as the comparison of all algorithms has.
CELL = 2  # pixels of the raster on which free space is looked for
HEIGHT = 15  # pixels of a line of text
WIDE, NARROW = "mwMW", "fijlrt1 .:-"
CLOSE = 7  # nearest that a name comes to the end of its line
SIDEWAYS = 1.0  # how much worse right is than up and down, for names that are not level with the end
ON_LINE, ON_LEADER, ON_LABEL = 3.0, 50.0, 1e4  # what covering a cell costs, in pixels of distance


@record(frozen=True)
class Label:
    """Where a name's text begins (its baseline), and where a line that leads to it ends, if it needs one."""

    x: float
    y: float
    leader_end: tuple[float, float]
    needs_leader: bool
    box: tuple[float, float, float, float]


def place(names: Sequence[str], curves: Sequence[Array], room: tuple[float, float, float, float]) -> list[Label]:
    """A label for each curve, (P, 2) pixels, that ends where the curve does.

    Parameters
    ----------
    names : sequence of str
    curves : sequence of ndarray, shape (P, 2)
    room : left, top, right, bottom
        Where labels may be.
    """
    left, top, right, bottom = room
    taken = np.zeros((int(bottom - top) // CELL + 1, int(right - left) // CELL + 1))
    for curve in curves:
        _draw(taken, curve - (left, top), ON_LINE)
    labels: dict[int, Label] = {}
    for i in sorted(range(len(names)), key=lambda i: (-curves[i][-1, 0], curves[i][-1, 1], i)):
        end = curves[i][-1]
        labels[i] = _place(names[i], end, taken, left, top)
        _draw(taken, np.array([end, labels[i].leader_end]) - (left, top), ON_LEADER)
    return [labels[i] for i in range(len(names))]


def _place(name: str, end: Array, taken: Array, left: float, top: float) -> Label:
    """The cheapest place for a name; it then counts as taken."""
    height, width = -(-HEIGHT // CELL), -(-_width(name) // CELL)
    covered = np.zeros((taken.shape[0] + 1, taken.shape[1] + 1))
    covered[1:, 1:] = taken.cumsum(0).cumsum(1)
    cost = covered[height:, width:] - covered[:-height, width:] - covered[height:, :-width] + covered[:-height, :-width]
    x = left + CELL * np.arange(cost.shape[1])
    y = top + CELL * np.arange(cost.shape[0])[:, None]
    # From the end of the line to the nearest point of the box: best a little to the right, else straight up or down.
    right, left_of = np.maximum(x - end[0], 0), np.maximum(end[0] - x - width * CELL, 0)
    away_y = np.maximum(np.maximum(y - end[1], end[1] - y - HEIGHT), 0)
    distance = np.hypot(right + 2 * left_of, away_y)
    level = np.abs(y + HEIGHT / 2 - end[1])
    cost = (
        cost
        + distance
        + 0.3 * level
        + SIDEWAYS * right * (level > HEIGHT)
        + 20 * (left_of > 0)
        + 40 * (distance < CLOSE)
    )
    row, column = np.unravel_index(int(cost.argmin()), cost.shape)
    taken[row : row + height, column : column + width] = ON_LABEL
    bx, by = float(x[column]), float(y[row, 0])
    at = (float(np.clip(end[0], bx, bx + width * CELL)), float(np.clip(end[1], by + 3, by + HEIGHT - 3)))
    far = float(distance[row, column]) > 2 * CLOSE
    return Label(bx, by + 0.78 * HEIGHT, at, far, (bx, by, bx + width * CELL, by + HEIGHT))


def _width(name: str) -> int:
    """Width in pixels of a name as bold text of 12 pixels in a wide font, with some room around it."""
    return 6 + sum(13 if c in WIDE else 6 if c in NARROW else 9 for c in name)


def _draw(taken: Array, curve: Array, cost: float) -> None:
    """Mark the cells along a curve."""
    steps = np.abs(np.diff(curve, axis=0)).max(1, initial=0) / CELL
    t = np.concatenate([[0.0], *(i + np.arange(1, n + 1) / n for i, n in enumerate(np.ceil(steps)) if n)])
    points = np.stack([np.interp(t, np.arange(len(curve)), curve[:, c]) for c in (1, 0)]) // CELL
    inside = ((points.T >= 0) & (np.array(taken.shape) > points.T)).all(1)
    row, column = points[:, inside].astype(int)
    taken[row, column] = np.maximum(taken[row, column], cost)
