"""Masks, labels and priors on the grid of their image: by their places in the world, or by index if one has none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from emseg.errors import ImageError
from emseg.image.model import Image
from emseg.image.place.grid import Grid, Reorientation, reorientation, unit
from emseg.image.place.grids import grid_of

Values = NDArray[Any]
PRIOR = "prior map"  # what messages call values that may be interpolated


class Beyond(NamedTuple):
    """What holds where a file that covers a part of an image says nothing.

    Attributes
    ----------
    value : int
        The value there.
    means : str
        What that means, as the predicate of a sentence about the rest of the image.
    """

    value: int
    means: str


OUTSIDE = Beyond(0, "is outside of the mask")
UNLABELLED = Beyond(0, "has no label")
SILENT = Beyond(0, "has no prior")


def aligned(
    values: Values, metadata: Mapping[str, Any], name: str, photo: Image, what: str, beyond: Beyond | None = None
) -> tuple[Values, tuple[str, ...]]:
    """What a file says of the pixels of an image, on the grid of the image.

    If both files tell their place, an array is turned and cut to the image where that needs no interpolation. If one of
    them does, pixels are matched by index, and a line says so.

    Parameters
    ----------
    values : ndarray, shape (h, w, C)
        Slices of volumes lie below one another, as in `Image.pixels`. For the image of a volume, this may also be an
        array (X, Y, Z), as nibabel gives it, or (Z, Y, X).
    metadata : mapping
        That of the file, see `Image`.
    name : str
        What messages call the file.
    photo : Image
    what : str
        What messages call the values: ``"mask"``.
    beyond : Beyond, optional
        What holds where the file says nothing, if it may cover a part of the image: as a crop does.

    Returns
    -------
    values : ndarray, shape (H, W, C)
    notices : tuple of str
        Lines that the user should read.

    Raises
    ------
    ImageError
        If the file lies elsewhere than the image or not on its grid, or if sizes differ.
    """
    own, wanted = grid_of(metadata, values.shape[:2]), grid_of(photo.metadata, photo.shape)
    if own and wanted:
        found = reorientation(own, wanted, photo.name, may_be_part=beyond is not None)
        if isinstance(found, str):
            how = "" if what == PRIOR else ", by nearest neighbours"
            raise ImageError(f"{name}: {found}; resample the {what} to that grid{how}")
        value = beyond.value if beyond else 0
        turned = _turned(values, found, metadata.get("volume"), value)
        return turned, _of_a_part(found, own, name, photo.name, beyond)
    values, order = _by_index(values, metadata, photo)
    _require_size(values, metadata, name, photo, what)
    if own or wanted:
        one, other = (photo.name, f"the {what} {name}") if own else (f"the {what} {name}", photo.name)
        return values, (f"{one} tells no place in the world, {other} does: pixels are matched by index{order}",)
    return values, ()


def _of_a_part(how: Reorientation, stored: Grid, name: str, other: str, beyond: Beyond | None) -> tuple[str, ...]:
    """A line for a file that covers a part of an image."""
    lengths = [there.stop - there.start for there in how.covered(stored.lengths)]
    if beyond is None or tuple(lengths) == how.lengths:
        return ()
    sizes = [" × ".join(map(str, size)) for size in (lengths, how.lengths)]
    return (f"{name} covers {sizes[0]} of {sizes[1]} {unit(stored)} of {other}; the rest {beyond.means}",)


def _turned(values: Values, how: Reorientation, volume: tuple[int, int, int] | None, beyond: int) -> Values:
    """Values (h, w, C), or slices below one another, on another grid."""
    if volume is None:
        return how.apply(values.swapaxes(0, 1), beyond).swapaxes(0, 1)
    z, y, x = volume
    cube = how.apply(values.reshape(z, y, x, -1).transpose(2, 1, 0, 3), beyond).transpose(2, 1, 0, 3)
    depth, height, width, bands = cube.shape
    return np.ascontiguousarray(cube).reshape(depth * height, width, bands)


def _by_index(values: Values, metadata: Mapping[str, Any], photo: Image) -> tuple[Values, str]:
    """Values with the axes of the image, and what to say of their order."""
    volume = photo.metadata.get("volume")
    if volume is None or "volume" in metadata or values.shape[:2] == photo.shape:
        return values, ""
    if values.shape == volume[::-1]:
        return values.transpose(2, 1, 0).reshape(*photo.shape, 1), ", axes are taken as x, y, z"
    if values.shape == volume:
        return values.reshape(*photo.shape, 1), ", axes are taken as z, y, x"
    return values, ""


def _require_size(values: Values, metadata: Mapping[str, Any], name: str, photo: Image, what: str) -> None:
    """Raise ImageError unless the values are as many as the image has along each axis."""
    own = tuple(metadata.get("volume", values.shape[:2]))
    wanted = tuple(photo.metadata.get("volume", photo.shape))
    if own == wanted or (values.shape[:2] == photo.shape and "volume" not in metadata):
        return
    if values.shape[:2] == photo.shape and "volume" not in photo.metadata and own[0] == 1:
        return  # a volume of one slice
    sizes = [" × ".join(map(str, lengths[::-1])) for lengths in (own, wanted)]
    article = "labels" if what == "label map" else what
    raise ImageError(
        f"{name}: {article} of {sizes[0]} pixels for an image of {sizes[1]}; give a {what} of the image's size"
    )
