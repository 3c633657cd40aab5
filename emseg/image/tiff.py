"""TIFF: everyday 8-bit files through Pillow, everything else through tifffile."""

from __future__ import annotations

import io
import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import PIL.ImageFile

from emseg.errors import ImageError
from emseg.image import raster
from emseg.image.model import Image

GEOTIFF = (33550, 33922, 34264, 34735, 34736, 34737)
"""Pixel scale, tie points, transformation, and the three GeoKey tags (OGC GeoTIFF 1.1, section 7)."""

for _library in ("PIL", "tifffile"):  # what they log, they also raise; without a handler it would be printed
    logging.getLogger(_library).addHandler(logging.NullHandler())

_BITS, _PHOTOMETRIC, _SAMPLES, _EXTRA, _FORMAT = 258, 262, 277, 338, 339
_WHITE_IS_ZERO, _GREY, _RGB, _CMYK, _YCBCR = 0, 1, 2, 5, 6
_ALPHA = (1, 2)  # associated, unassociated


def decode(data: bytes, name: str) -> Image:
    """Decode the first page."""
    try:
        im = raster.opened(data, "TIFF", name)
    except raster.DECODER_ERRORS:  # a layout without a Pillow mode, such as seven bands
        return _by_tifffile(data, name)
    tags = dict(im.tag_v2)
    if _everyday(tags):
        image = raster.shallow(im, name)
    else:
        image = _by_either(data, im, name)
    return replace(image, metadata={**image.metadata, **_geo(tags)})


def _everyday(tags: Mapping[int, Any]) -> bool:
    """Whether Pillow reads this without losing bits or bands."""
    samples, extra = tags.get(_SAMPLES, 1), tuple(tags.get(_EXTRA, ()))
    if set(tags.get(_FORMAT, (1,))) != {1}:
        return False
    bits = set(tags.get(_BITS, (1,)))
    if samples == 1:
        return bits <= {1, 2, 4, 8}
    layout = tags.get(_PHOTOMETRIC), samples, extra
    return bits == {8} and layout in ((_RGB, 3, ()), (_YCBCR, 3, ()), (_RGB, 4, (2,)), (_CMYK, 4, ()))


def _by_either(data: bytes, im: PIL.ImageFile.ImageFile, name: str) -> Image:
    """By tifffile, or where that lacks the codec (LZW without imagecodecs), by Pillow if it keeps every bit."""
    try:
        return _by_tifffile(data, name)
    except ValueError as error:
        if "imagecodecs" not in str(error):
            raise
        raw = raster.raw_mode(im)
        if raw in ("RGB;16N", "RGBA;16N"):
            return raster.deep(data, "TIFF", name)
        if "X" in raw or (len(im.getbands()) > 1 and "16" in raw):
            raise ImageError(f"{name}: this TIFF compression needs a codec; pip install 'emseg[codecs]'") from error
        return raster.shallow(im, name)


def _by_tifffile(data: bytes, name: str) -> Image:
    import tifffile

    with tifffile.TiffFile(io.BytesIO(data)) as file:
        page = file.pages.first
        raster.check_size(page.imagewidth, page.imagelength, name)
        if page.imagedepth > 1:
            raise ImageError(f"{name}: holds a volume; export its slices as single images")
        if any(offset + size > len(data) for offset, size in zip(page.dataoffsets, page.databytecounts, strict=True)):
            raise ValueError("truncated")  # else tifffile would fill the missing part with zeros
        pixels = np.atleast_3d(page.asarray())
        tags = {tag.code: tag.value for tag in page.tags}
        dpi = page.get_resolution(unit=2) if tags.get(296, 2) in (2, 3) and 282 in tags else None
        if page.axes.startswith("S"):
            pixels = np.moveaxis(pixels, 0, -1)
        extra = [int(value) for value in page.extrasamples]
        photometric = int(page.photometric)
    if photometric == _WHITE_IS_ZERO and pixels.dtype.kind == "u":
        pixels = np.iinfo(pixels.dtype).max - pixels
    alpha = next((i for i, value in enumerate(extra) if value in _ALPHA), None)
    valid = None
    if alpha is not None:
        band = pixels.shape[2] - len(extra) + alpha
        valid, pixels = pixels[..., band] != 0, np.delete(pixels, band, axis=2)
    turn = tags.get(274)
    turn = turn if isinstance(turn, int) and 1 <= turn <= 8 else 1
    pixels, valid = raster.upright(pixels, turn), None if valid is None else raster.upright(valid, turn)
    image = Image.from_array(np.ascontiguousarray(pixels), valid, name)
    colour = "bands" if image.colour == "rgb" and photometric not in (_GREY, _RGB) else image.colour
    return replace(image, colour=colour, metadata={**raster.resolution(dpi, turn > 4), **_geo(tags)})


def _geo(tags: Mapping[int, Any]) -> dict[str, Any]:
    found = {code: tags[code] for code in GEOTIFF if code in tags}
    return {"geotiff": found} if found else {}
