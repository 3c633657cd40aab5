"""What a TIFF says of its data besides the pixels: GDAL's values for "no data", and masks that are pages of the file.

A page of bits whose NewSubfileType has bit 2 is the transparency mask of the image before it (TIFF 6.0, page 36). GDAL
writes such pages for COGs in JPEG, and with `GDAL_TIFF_INTERNAL_MASK`.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emseg.image.formats import pillow
from emseg.image.formats.geotiff_tags import NODATA
from emseg.image.model import Image
from emseg.image.nodata import Mask, as_stored, without_data, without_declared

_SUBFILE, _METADATA, _ORIENTATION = 254, 42112, 274
REDUCED, MASK = 1, 4  # bits of NewSubfileType
_VALUES = re.compile(r'<Item name="NODATA_VALUES"(?![^>]*sample=)[^>]*>([^<]*)</Item>')


def without_tagged(image: Image, tags: Mapping[int, Any], stored: NDArray[Any] | None = None) -> Image:
    """The image without the values that GDAL's tags declare to be "no data".

    Parameters
    ----------
    image : Image
    tags : mapping of int to object
    stored : ndarray, shape (H, W, C), or (H, W, 1) for all bands, optional
        See `without_declared`.
    """
    declared = str(tags.get(NODATA, "")).strip("\0 ")
    image = without_declared(image, [declared or None], stored)
    found = _VALUES.search(str(tags.get(_METADATA, "")))
    if found is None:
        return image
    stored = image.pixels if stored is None else stored
    values = [as_stored(text, stored.dtype) for text in found[1].split()]
    if len(values) != stored.shape[2] or any(value is None for value in values):
        return image
    colour = np.ones(image.shape, np.bool_)  # only a pixel that has all the values is no data, says GDAL
    for band, value in enumerate(values):
        colour &= stored[:, :, band] == value
    return without_data(image, colour[:, :, None])


def mask_in(data: bytes, page: int) -> Mask | None:
    """`mask_after` for the bytes of a file that more than one page is known of."""
    import tifffile

    with tifffile.TiffFile(io.BytesIO(data)) as file:
        return mask_after(file, page)


def mask_after(file: Any, page: int) -> Mask | None:
    """Where a page of a `tifffile.TiffFile` holds data by its mask, (H, W) and upright; None without a mask.

    Parameters
    ----------
    file : tifffile.TiffFile
    page : int
        From 0, all pages counted.

    Raises
    ------
    ValueError and others
        As tifffile does for a damaged mask.
    """
    first = _page(file, page)
    number = page + 1
    while first is not None and (found := _page(file, number)) is not None:
        kind = int(found.subfiletype)
        if not kind & (REDUCED | MASK):
            return None  # the next image
        if kind & MASK and not kind & REDUCED and found.shape[:2] == (first.imagelength, first.imagewidth):
            inside = np.asarray(np.atleast_3d(found.asarray() != 0).any(axis=2))
            turn = first.tags.get(_ORIENTATION)
            turned = turn is not None and isinstance(turn.value, int) and 2 <= turn.value <= 8
            return pillow.upright(inside, turn.value) if turned else inside
        number += 1
    return None


def _page(file: Any, number: int) -> Any:
    """A page of the file; None if there is none, or none that can be read: the image itself may be sound."""
    try:
        page = file.pages[number]
        return page.aspage() if hasattr(page, "aspage") else page
    except pillow.DECODER_ERRORS:
        return None
