"""What a file holds: series of planes, with a meaning for each axis along which they lie."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emseg.image.axes import FEATURES, SLICES, Arrangement
from emseg.records import NamedRecord


class Plane(NamedRecord):
    """Where a plane is.

    Attributes
    ----------
    directory : int
        Byte of the file where the tags of its page start.
    shift : int
        How many bytes its samples lie behind those of that page, as ImageJ writes them.
    """

    directory: int
    shift: int = 0


class Series(NamedRecord):
    """Planes of one size and type.

    Attributes
    ----------
    axes : str
        A letter for each axis along which planes lie; empty for a single plane.
    lengths : tuple of int
        Of these axes.
    planes : sequence of Plane or None
        In C order of the axes; None where a plane is not in this file. A file may have millions: they are looked up one
        by one.
    page : str
        The axes of a plane as stored: YX, YXS or SYX.
    told : bool
        Whether the file says what the axes mean.
    channel_names : tuple of str
        Of the channels along the axes; empty if there are none.
    """

    axes: str
    lengths: tuple[int, ...]
    planes: Sequence[Plane | None]
    page: str = "YX"
    told: bool = False
    channel_names: tuple[str, ...] = ()

    @property
    def arrangement(self) -> Arrangement:
        """How planes become images, as if each had one pixel."""
        return Arrangement(self.axes + "YX", (*self.lengths, 1, 1))

    @property
    def images(self) -> int:
        """How many images there are."""
        return self.arrangement.pages

    def grid(self, image: int) -> NDArray[Any]:
        """Which planes an image has, from 1 on; indices into `planes`, shape (Z, C)."""
        steps = {axis: math.prod(self.lengths[at + 1 :]) for at, axis in enumerate(self.axes)}
        length = dict(zip(self.axes, self.lengths, strict=True))
        paging = self.arrangement.paging
        at = np.unravel_index(image - 1, [length[axis] for axis in paging]) if paging else ()
        first = sum(int(index) * steps[axis] for axis, index in zip(paging, at, strict=True))
        slices, channels = (np.zeros(1, np.int64) for _ in range(2))
        if SLICES in length:
            slices = np.arange(length[SLICES]) * steps[SLICES]
        for axis in FEATURES:
            if axis in length:
                channels = (channels[:, None] + np.arange(length[axis]) * steps[axis]).ravel()
        return first + slices[:, None] + channels


class Holdings(NamedRecord):
    """All images of a file.

    Attributes
    ----------
    series : tuple of Series
        Images of full size.
    reduced : tuple of Series
        Smaller copies of them, as levels of a pyramid and previews.
    doubt : str
        What the user should know of words of the file that make no sense; empty if they do.
    release : callable
        Lets go of the file, once no plane is looked up any more.
    """

    series: tuple[Series, ...]
    reduced: tuple[Series, ...] = ()
    doubt: str = ""
    release: Callable[[], object] = tuple

    @property
    def images(self) -> int:
        """How many images of full size there are."""
        return sum(series.images for series in self.series)

    @property
    def copies(self) -> int:
        """How many reduced ones."""
        return sum(series.images for series in self.reduced)

    def find(self, page: int) -> tuple[Series, int]:
        """The series of a page, from 1, and the number of the image in it; reduced ones come last."""
        for series in (*self.series, *self.reduced):
            if page <= series.images:
                return series, page
            page -= series.images
        raise IndexError("no such page")
