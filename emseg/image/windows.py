"""Large images by parts: windows with a halo, and what can be read by them. A small image is one window."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from emseg.errors import ImageError, shown
from emseg.records import record

Slices = tuple[slice, slice]


@record(frozen=True)
class Window:
    """A rectangle of an image, and the pixels around it that it depends on.

    Attributes
    ----------
    rows, columns : tuple of int
        First pixel of the rectangle, and one past the last, along each axis.
    halo : tuple of int
        Pixels above, below, left and right of the rectangle that are read too; fewer at the border of the image.
    """

    rows: tuple[int, int]
    columns: tuple[int, int]
    halo: tuple[int, int, int, int] = (0, 0, 0, 0)

    @property
    def interior(self) -> Slices:
        """The rectangle as slices of the image."""
        return slice(*self.rows), slice(*self.columns)

    @property
    def read(self) -> Slices:
        """The rectangle with its halo as slices of the image."""
        above, below, left, right = self.halo
        return (
            slice(self.rows[0] - above, self.rows[1] + below),
            slice(self.columns[0] - left, self.columns[1] + right),
        )

    @property
    def inside(self) -> Slices:
        """The rectangle as slices of what `read` gives."""
        above, _, left, _ = self.halo
        return (
            slice(above, above + self.rows[1] - self.rows[0]),
            slice(left, left + self.columns[1] - self.columns[0]),
        )

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of what `read` gives."""
        down, across = self.read
        return down.stop - down.start, across.stop - across.start


def windows(shape: Sequence[int], size: tuple[int, int], halo: int = 0) -> Iterator[Window]:
    """Cut an image into windows, in raster order, that cover each pixel once.

    Parameters
    ----------
    shape : sequence of int
        Height and width of the image, and any further axes.
    size : tuple of int
        Height and width of a window; those at the lower and the right border may be smaller.
    halo : int
        Pixels to read around each window, as far as the image has them.

    Raises
    ------
    ValueError
        If a length is not positive, or the halo is negative.
    """
    height, width = shape[:2]
    if min(height, width, *size) < 1 or halo < 0:
        raise ValueError(f"windows of {size} with a halo of {halo} cannot cut an image of {height, width}")
    for top in range(0, height, size[0]):
        bottom = min(top + size[0], height)
        for left in range(0, width, size[1]):
            right = min(left + size[1], width)
            around = (min(halo, top), min(halo, height - bottom), min(halo, left), min(halo, width - right))
            yield Window((top, bottom), (left, right), around)


class Raster(Protocol):
    """An image that is read by windows: an array, a memory map, a tiled file."""

    @property
    def shape(self) -> tuple[int, int, int]:
        """Height, width and number of channels."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the stored values."""

    def read(self, window: Window) -> NDArray[Any]:
        """The pixels of a window and its halo, shape (h, w, C). Treat them as read-only."""


@record(frozen=True, eq=False)
class ArrayRaster:
    """An array in memory, or a memory map of one, as a `Raster`.

    Attributes
    ----------
    pixels : ndarray, shape (H, W, C)
    """

    pixels: NDArray[Any]

    @property
    def shape(self) -> tuple[int, int, int]:
        """Height, width and number of channels."""
        height, width, channels = self.pixels.shape
        return height, width, channels

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the stored values."""
        return self.pixels.dtype

    def read(self, window: Window) -> NDArray[Any]:
        """A view of the pixels of a window and its halo."""
        return self.pixels[window.read]


def mapped(path: str | os.PathLike[str]) -> ArrayRaster:
    """The array (H, W) or (H, W, C) of real numbers in an `.npy` file, of which only what is read enters the memory.

    Raises
    ------
    ImageError
        If it cannot be read, or is no such array.
    """
    try:
        stored = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        reason = getattr(error, "strerror", None) or "no array of numbers"
        raise ImageError(f"{shown(path)}: cannot be mapped ({reason}); save it with numpy.save") from error
    if (
        not isinstance(stored, np.ndarray)
        or stored.ndim not in (2, 3)
        or stored.size == 0
        or stored.dtype.kind not in "uif"
    ):
        raise ImageError(f"{shown(path)}: not an array (H, W) or (H, W, C) of real numbers; save one with numpy.save")
    return ArrayRaster(stored[:, :, None] if stored.ndim == 2 else stored)
