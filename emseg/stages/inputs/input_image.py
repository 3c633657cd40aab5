"""From what a caller gives to an image and a mask: paths are read, arrays are wrapped."""

from __future__ import annotations

import os

import numpy as np
from numpy.typing import NDArray

from emseg.errors import DataError, option
from emseg.image.limits import Reading, Working
from emseg.image.model import Image
from emseg.image.partly_known import partly_known
from emseg.image.read import Source, read_image, read_mask

#: What a caller may give for an image, and for a mask.
ImageLike = Image | Source | np.ndarray | str | os.PathLike[str]
MaskLike = np.ndarray | str | os.PathLike[str]


def as_image(image: ImageLike, working: Working | None = None) -> Image:
    """Read a path or a `Source`, wrap an array, or pass an image on.

    Parameters
    ----------
    image : Image, Source, ndarray or path
    working : Working, optional
        What is to be done with the image: a file that would take too much memory is not read.

    Raises
    ------
    ImageError
        If a file cannot be read or is too large, or an array is no image.
    """
    if isinstance(image, Image):
        return image
    if isinstance(image, Source):
        return (image._replace(how=image.how._replace(working=working)) if working else image).read()
    if isinstance(image, np.ndarray):
        return Image.from_array(image)
    return read_image(image, Reading(working=working))


def image_and_mask(
    image: ImageLike, mask: MaskLike | None, missing: str = "drop", working: Working | None = None
) -> tuple[Image, NDArray[np.bool_] | None]:
    """The image, and the mask of pixels to use, (H, W).

    Parameters
    ----------
    image : Image, Source, ndarray or path
    mask : ndarray or path, optional
    missing : {"drop", "em"}
        With ``"em"``, a mask may have as many channels as the image. What it says of single channels then becomes a
        part of the image (`Image.known`), and no mask is left.
    working : Working, optional
        What is to be done with the image, see `as_image`.

    Raises
    ------
    ImageError, DataError
        If a file cannot be read, or the mask has another size.
    """
    photo = as_image(image, working)
    channels = 1 if missing == "drop" else photo.pixels.shape[2]
    inside, notices = (None, ()) if mask is None else as_mask(mask, photo, channels)
    photo = photo.with_notices(*notices)
    if missing == "drop":
        return _noted(photo), inside
    if inside is None or inside.ndim == 2:
        return partly_known(photo), inside
    return partly_known(photo, inside), None


def _noted(photo: Image) -> Image:
    """The image, with a notice if pixels are left out of which something is known."""
    if photo.known is None:
        return photo
    lost = photo.known.any(axis=2)
    if photo.valid is not None:
        lost &= ~photo.valid
    count = int(np.count_nonzero(lost))
    line = f"{count} pixels lack data in some of their channels, and get label 0; {option('missing', 'em')} labels them"
    return photo.with_notices(f"{line} by the others") if count else photo


def as_mask(mask: MaskLike, photo: Image, channels: int = 1) -> tuple[NDArray[np.bool_], tuple[str, ...]]:
    """The mask (H, W), True inside, and lines that the user should read.

    With several channels, a mask of shape (H, W, C) is kept as it is.

    Raises
    ------
    DataError
        If an array has another number of axes.
    ImageError
        If a file cannot be read, lies elsewhere than the image, or has another size.
    """
    if not isinstance(mask, np.ndarray):
        return read_mask(mask, photo, channels)
    if mask.ndim != 2 and not (mask.shape == (*photo.shape, channels) and channels > 1):
        raise DataError(f"{photo.name}: the mask has shape {mask.shape}; give one of shape (H, W)")
    return np.asarray(mask != 0, np.bool_), ()


def mask_of_same_size(mask: MaskLike, photo: Image) -> tuple[NDArray[np.bool_], tuple[str, ...]]:
    """The mask (H, W), True where it is not zero, and lines that the user should read.

    Raises
    ------
    DataError
        If an array has another shape than the image.
    ImageError
        If a file cannot be read, lies elsewhere than the image, or has another size.
    """
    found, notices = as_mask(mask, photo)
    if found.shape != photo.shape:
        sizes = f"mask of shape {found.shape} for an image of shape {photo.shape}"
        raise DataError(f"{photo.name}: {sizes}; give a mask of the image's size")
    return found, notices
