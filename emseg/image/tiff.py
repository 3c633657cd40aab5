"""TIFF: everyday 8-bit files through Pillow, everything else through tifffile."""

from __future__ import annotations

import io
import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import PIL.Image
from PIL.TiffImagePlugin import TiffImageFile

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
_WIDTH, _HEIGHT, _ROWS, _TILE_WIDTH, _TILE_HEIGHT, _STRIPS, _TILES, _PLANAR = 256, 257, 278, 322, 323, 273, 324, 284


def decode(data: bytes, name: str) -> Image:
    """Decode the first page."""
    try:
        im = raster.opened(data, "TIFF", name)
    except raster.DECODER_ERRORS:  # a layout without a Pillow mode, such as seven bands
        im = None
    if isinstance(im, TiffImageFile) and _everyday(im.tag_v2):
        try:
            return _by_pillow(data, im, name)
        except PIL.Image.DecompressionBombError:  # Pillow's limit is lower than ours
            im = None
    try:
        return _by_tifffile(data, name)
    except ValueError as error:
        if "imagecodecs" not in str(error):
            raise
        if not isinstance(im, TiffImageFile) or _lossy(im):
            raise ImageError(f"{name}: this TIFF compression needs a codec; pip install 'emseg[codecs]'") from error
    return _by_pillow(data, im, name)


def _check_segments(tags: Mapping[int, Any]) -> None:
    """Refuse a page that lists fewer strips or tiles than its size asks for: decoders would fill up with zeros."""
    across = -(-tags[_WIDTH] // tags.get(_TILE_WIDTH, tags[_WIDTH]))
    down = -(-tags[_HEIGHT] // tags.get(_TILE_HEIGHT, tags.get(_ROWS, tags[_HEIGHT])))
    planes = tags.get(_SAMPLES, 1) if tags.get(_PLANAR, 1) == 2 else 1
    if np.size(tags.get(_TILES, tags.get(_STRIPS, ()))) < across * down * planes:
        raise ValueError("strips or tiles are missing")


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence libtiff, which writes what it also reports as an error straight to file descriptor 2."""
    saved, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(nowhere)


def _by_pillow(data: bytes, im: TiffImageFile, name: str) -> Image:
    _check_segments(im.tag_v2)
    geo = _geo(im.tag_v2)
    with _quiet():
        image = raster.deep(data, "TIFF", name) if raster.raw_mode(im) in raster.DEEP else raster.shallow(im, name)
    return replace(image, metadata={**image.metadata, **geo})


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


def _lossy(im: TiffImageFile) -> bool:
    """Whether Pillow would drop a band, or bits that its two halves do not bring back."""
    raw = raster.raw_mode(im)
    return "X" in raw or ("16" in raw and len(im.getbands()) > 1 and raw not in raster.DEEP)


def _by_tifffile(data: bytes, name: str) -> Image:
    import tifffile

    with tifffile.TiffFile(io.BytesIO(data)) as file:
        page = file.pages.first
        raster.check_size(page.imagewidth, page.imagelength, name)
        if page.imagedepth > 1:
            raise ImageError(f"{name}: holds a volume; export its slices as single images")
        if any(offset + size > len(data) for offset, size in zip(page.dataoffsets, page.databytecounts, strict=True)):
            raise ValueError("truncated")  # else tifffile would fill the missing part with zeros
        tags = {tag.code: tag.value for tag in page.tags}
        _check_segments(tags)
        pixels = np.atleast_3d(page.asarray())
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
