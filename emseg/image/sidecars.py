"""GDAL's files beside an image that say where it holds no data: a mask, and values in an auxiliary file.

The mask of photo.jpg is photo.jpg.msk, a TIFF that is 0 where there is no data. The values of photo.jpg.aux.xml count
band by band (GDAL, Persistent Auxiliary Metadata).
"""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np

from emseg.errors import ImageError
from emseg.image.missing.nodata import without_data, without_declared
from emseg.image.model import Image

LARGEST = 1 << 24  # bytes of an auxiliary file
_BAND = re.compile(rb'<PAMRasterBand\s+band="(\d{1,6})"\s*>(.*?)</PAMRasterBand>', re.DOTALL)
_VALUE = re.compile(rb"<NoDataValue\b[^>]*>([^<]*)</NoDataValue>")


def without_beside(
    image: Image, mask: bytes | None, facts: bytes | None, decode: Callable[[bytes, str], Image]
) -> Image:
    """The image without what the files beside it leave out; a notice if one does not fit it.

    Parameters
    ----------
    image : Image
    mask : bytes, optional
        A TIFF.
    facts : bytes, optional
        XML, of which only the values for "no data" are looked at.
    decode : callable
        Makes an image of the bytes of a file and its name.
    """
    if facts is not None:
        image = _without_values(image, facts)
    return image if mask is None else _without_masked(image, mask, decode)


def _without_values(image: Image, facts: bytes) -> Image:
    """The image without the values that are no data, each in its own band."""
    found: dict[int, str] = {}
    for number, text in _BAND.findall(facts[:LARGEST]):
        value = _VALUE.search(text)
        if value:
            found[int(number)] = value[1].decode("ascii", "replace")
    bands = image.channels or range(1, image.pixels.shape[2] + 1)
    if image.colour == "rgb" and max(found, default=0) < 2:  # the one band is one of indices, which have become colours
        line = 'the value for "no data" in the .aux.xml file beside it is of a single band, and is ignored'
        return image.with_notices(line) if found else image
    return without_declared(image, [found.get(band) for band in bands])


def _without_masked(image: Image, mask: bytes, decode: Callable[[bytes, str], Image]) -> Image:
    """The image without the pixels that are 0 in the mask."""
    try:
        inside = decode(mask, f"{image.name}.msk").pixels != 0
    except ImageError as error:
        return image.with_notices(f"the mask beside it is ignored: {error.message}")
    if inside.shape[:2] != image.shape:
        size = " × ".join(map(str, inside.shape[1::-1]))
        return image.with_notices(f"the mask beside it, {image.name}.msk, has another size, {size}, and is ignored")
    each = inside if inside.shape[2] == image.pixels.shape[2] else np.asarray(inside.any(axis=2))[:, :, None]
    return without_data(image, ~each)
