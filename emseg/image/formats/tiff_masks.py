"""What a TIFF says of its data besides the pixels: GDAL's values for "no data", and masks that are pages of the file.

A page of bits whose NewSubfileType has bit 2 is the transparency mask of the image before it (TIFF 6.0, page 36). GDAL
writes such pages for COGs in JPEG, and with `GDAL_TIFF_INTERNAL_MASK`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emseg.image.formats import pillow
from emseg.image.formats.geotiff_tags import MASK, NODATA
from emseg.image.missing.nodata import Mask, as_stored, without_data, without_declared
from emseg.image.model import Image
from emseg.image.strips.decode import stored_samples
from emseg.image.strips.directory import Directory, directory_at
from emseg.image.strips.layout import layout_of

_SUBFILE, _WIDTH, _HEIGHT, _ORIENTATION, _SAMPLES, _METADATA = 254, 256, 257, 274, 277, 42112
REDUCED = 1  # a bit of NewSubfileType
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


def mask_after(page: Directory) -> Mask | None:
    """Where a page holds data by its mask, (H, W) and upright; None without a mask.

    Raises
    ------
    ValueError and others
        As decoders do for a damaged mask.
    """
    size, following = (page.number(_WIDTH, 0), page.number(_HEIGHT, 0), 1), page.following
    seen = {0}
    while following not in seen:
        seen.add(following)
        try:
            found = directory_at(page.data, following)
        except ValueError:
            return None  # none that can be read: the image itself may be sound
        kind, following = found.number(_SUBFILE, 0), found.following
        if not kind & (REDUCED | MASK):
            return None  # the next image
        extent = found.number(_WIDTH, 0), found.number(_HEIGHT, 0), found.number(_SAMPLES, 1)
        if kind & MASK and not kind & REDUCED and extent == size:
            inside = np.asarray((stored_samples(found, layout_of(found)).samples != 0).any(axis=2))
            turn = found.number(_ORIENTATION, 1)
            return pillow.upright(inside, turn) if 2 <= turn <= 8 else inside
    return None
