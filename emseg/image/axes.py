"""What the axes of an array mean, by one letter each: which are the image, its channels, its slices, and other images.

Letters are those of OME-TIFF and of tifffile. Y and X are the image; C (channels), S (samples) and E (wavelengths) are
features of a pixel; Z are the slices of a volume. All others (T for time, and whatever else there is) tell images
apart, of which one is read at a time: they are pages, counted from 1 with the last axis running fastest.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emseg.errors import ImageError, option
from emseg.image.limits import Reading
from emseg.image.model import Image
from emseg.records import NamedRecord

Shape = tuple[int, ...]
FEATURES = "CSE"
PLANE = "YX"
SLICES = "Z"
#: The axes of an array in the order of most programs.
EXAMPLE = "TZCYX"
#: Lengths of a last axis that are channels without a word. Cameras have up to 13 (Sentinel-2) and 16 (mosaic filters);
#: narrower images than that are hardly ever stored.
FEW = 16
#: Rows of an image that are more likely its channels: red, green, blue and alpha.
HARDLY_ANY = 4


class Arrangement(NamedRecord):
    """How an array becomes images.

    Attributes
    ----------
    axes : str
        A letter an axis, as stored.
    shape : tuple of int
        Lengths of the axes.
    """

    axes: str
    shape: Shape

    @property
    def pages(self) -> int:
        """How many images there are."""
        return math.prod(self._lengths(self.paging))

    @property
    def paging(self) -> str:
        """The axes along which images differ, as stored."""
        return "".join(axis for axis in self.axes if axis not in FEATURES + SLICES + PLANE)

    @property
    def channels(self) -> int:
        """Channels of an image."""
        return math.prod(self._lengths(FEATURES))

    @property
    def slices(self) -> int:
        """Slices of an image; 1 of a plane one."""
        return math.prod(self._lengths(SLICES))

    @property
    def plane(self) -> tuple[int, int]:
        """Height and width of a slice."""
        height, width = self._lengths(PLANE)
        return height, width

    def require(self, name: str, how: Reading, itemsize: int) -> None:
        """Raise ImageError for a page that there is not, or an image that is too large."""
        how.require_page(self.pages, name)
        height, width = self.plane
        how.require(width, height * self.slices, name, self.channels, itemsize)

    def part(self, array: NDArray[Any], page: int) -> NDArray[Any]:
        """The array of a page, with axes as `letters` says. It is a view, unless axes change places."""
        paging = self.paging
        at = dict(zip(paging, np.unravel_index(page - 1, self._lengths(paging)), strict=True)) if paging else {}
        part = array[tuple(at.get(axis, slice(None)) for axis in self.axes)]
        if self._in_place:
            return part
        left = [axis for axis in self.axes if axis not in at]
        part = part.transpose([left.index(axis) for axis in SLICES + PLANE + FEATURES if axis in left])
        places = sum(axis not in FEATURES for axis in left)
        return part.reshape(*part.shape[:places], *[self.channels] * (len(left) > places))

    def ordered(self, array: NDArray[Any], page: int) -> NDArray[Any]:
        """The array of a page with all axes, in the order (Z, Y, X, C)."""
        part, letters = self.part(array, page), self.letters
        part = np.moveaxis(part, letters.index("C"), -1) if "C" in letters else part[..., None]
        return part if part.ndim == 4 else part[None]

    @property
    def letters(self) -> str:
        """The axes of `part`: P for places, which are in the order Z, Y, X, and C for channels."""
        left = "".join(axis for axis in self.axes if axis not in self.paging)
        places = sum(axis not in FEATURES for axis in left)
        if not self._in_place:
            return "P" * places + "C" * (len(left) > places)
        return "".join("C" if axis in FEATURES else "P" for axis in left)

    @property
    def _in_place(self) -> bool:
        """Whether the axes of places are in order, and there is no more than one of channels."""
        places = "".join(axis for axis in self.axes if axis in SLICES + PLANE)
        return places in (PLANE, SLICES + PLANE) and sum(axis in FEATURES for axis in self.axes) < 2

    def _lengths(self, axes: str) -> Shape:
        return tuple(self.shape[self.axes.index(axis)] for axis in axes if axis in self.axes)


def arrangement(shape: Shape, axes: str, name: str) -> Arrangement:
    """How an array of a shape becomes images; without axes, (H, W) and (H, W, C) are what they seem.

    Parameters
    ----------
    shape : tuple of int
    axes : str
        A letter an axis; empty if nobody says.
    name : str
        What messages call it.

    Raises
    ------
    ImageError
        If there are more or fewer letters than axes, or nobody says what axes mean that may be this or that.
    """
    if axes:
        if len(axes) != len(shape):
            raise ImageError(
                f"{name}: an array of shape {shape} has {len(shape)} axes, {option('axes', axes)} names {len(axes)}; "
                "give a letter for each"
            )
        return Arrangement(axes, shape)
    if len(shape) not in (2, 3):
        remedy = f", or say what its axes are with {option('axes')}, as {EXAMPLE[-len(shape) :]}"
        remedy = remedy if 4 <= len(shape) <= len(EXAMPLE) else ""
        raise ImageError(f"{name}: has the shape {shape}; give one image of shape (H, W) or (H, W, C){remedy}")
    if len(shape) == 3:
        require_channels_last(shape, name)
    return Arrangement("YXC"[: len(shape)], shape)


def of_pages(image: Image, how: Reading, pages: int, what: str = "page", along: str = "", more: str = "") -> Image:
    """The image with the number of its page, and a line about the others unless somebody chose it.

    Parameters
    ----------
    image : Image
    how : Reading
    pages : int
        How many there are.
    what : str
        What messages call one of them.
    along : str
        The axes along which they lie, if that is known.
    more : str
        What else can be done, for the end of the line.
    """
    if pages < 2:
        return image
    image = replace(image, taken={**image.taken, "page": how.number, "pages": pages})
    if how.page:
        return image
    if how.goes_with:  # a mask: the pages that an option chooses are those of the image
        return image.with_notices(f"{what} 1 of {pages} is used; save the one that is meant by itself")
    place = f" along {along}" if along else ""
    return image.with_notices(f"{what} 1 of {pages}{place} is used; {option('page')} chooses another{more}")


def require_channels_last(shape: Shape, name: str, declared: bool = False) -> None:
    """Raise ImageError if the first axis of (H, W, C) may be the channels or slices, and the last a part of the image.

    The channels are where an image is narrowest, or they are few. Square images are told by their equal sides. Where a
    file declares which axis has the channels, only images of hardly any rows are in doubt.
    """
    first, middle, last = shape
    square = first == middle != last
    if last <= FEW or last < min(first, middle) or square or (declared and (first > HARDLY_ANY or middle <= FEW)):
        return
    remedy = f"{option('axes', 'CYX')} (channels first), {option('axes', 'ZYX')} (a volume) or {option('axes', 'YXC')}"
    raise ImageError(f"{name}: {shape} may be channels, slices or rows first; say which: {remedy}")
