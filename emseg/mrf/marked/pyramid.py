"""An image at half the size, again and again: an object is found in a small copy, and its border in larger ones."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Real = NDArray[np.floating[Any]]
Mask = NDArray[np.bool_]


class Level(NamedTuple):
    """What is known of the pixels at one size.

    Attributes
    ----------
    planes : ndarray of float32, shape (D, ...)
    valid : ndarray of bool, the grid's shape
    marks : ndarray of uint8, the grid's shape
        1…K; 0 elsewhere.
    log_prior : ndarray of float32, shape (K, ...), or None
    """

    planes: Real
    valid: Mask
    marks: NDArray[np.uint8]
    log_prior: Real | None = None

    def halved(self) -> Level:
        """Means over two pixels along each axis longer than one; the largest mark of those counts."""
        count = _sum(self.valid[None].astype(np.float32))
        share = np.where(count > 0, 1 / np.maximum(count, 1), 0)
        planes = _sum(self.planes * self.valid) * share
        prior = None if self.log_prior is None else _sum(self.log_prior * self.valid) * share
        marks = np.zeros(count.shape[1:], np.uint8)
        for part in _parts(self.marks[None], 0):
            np.maximum(marks, part[0], out=marks)
        return Level(planes, count[0] > 0, marks, prior)


def doubled(planes: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    """Each pixel of the last axes repeated to a grid of that shape, twice as large."""
    first = planes.ndim - len(shape)
    for axis, length in enumerate(shape):
        if planes.shape[first + axis] != length:
            planes = np.repeat(planes, 2, axis=first + axis)
            planes = np.take(planes, np.arange(length), axis=first + axis)
    return planes


def _sum(planes: Real) -> Real:
    total: Any = 0
    for part in _parts(planes, 0):
        total = total + part
    return np.asarray(total)


def _parts(planes: NDArray[Any], fill: float) -> Iterator[NDArray[Any]]:
    """The first and the second pixel of each pair along each axis, with `fill` where there is no second."""
    shape = planes.shape[1:]
    padded = np.pad(planes, [(0, 0), *((0, n % 2 if n > 1 else 0) for n in shape)], constant_values=fill)
    for corner in product(*((0, 1) if n > 1 else (0,) for n in shape)):
        yield padded[(slice(None), *(slice(c, None, 2 if n > 1 else 1) for c, n in zip(corner, shape, strict=True)))]
