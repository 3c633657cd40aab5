"""TIFF: everyday 8-bit files through Pillow, everything else through tifffile."""

from __future__ import annotations

import io
import logging
import math
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import PIL.Image
from numpy.typing import NDArray
from PIL.TiffImagePlugin import TiffImageFile

from emseg.errors import ImageError
from emseg.image.formats import pillow
from emseg.image.formats.geotiff_tags import NODATA, TYPES
from emseg.image.limits import Reading
from emseg.image.model import Image
from emseg.image.place.ground import size_on_ground
from emseg.image.place.microscope import size_by_description

LARGEST_TILE = 1 << 24
"""Pixels that a tile of any image may have: 4096 × 4096, sixteen times what writers make by default."""

for _library in ("PIL", "tifffile"):  # they raise what they log; without a handler it would be printed too
    logging.getLogger(_library).addHandler(logging.NullHandler())

# Tags, values of `_PHOTOMETRIC` and of `_EXTRA` (TIFF 6.0, appendix A).
_BITS, _PHOTOMETRIC, _SAMPLES, _EXTRA, _FORMAT = 258, 262, 277, 338, 339
_WHITE_IS_ZERO, _GREY, _RGB, _CMYK, _YCBCR = 0, 1, 2, 5, 6
_DESCRIPTION, _ORIENTATION, _RESOLUTION, _UNIT, _ICC = 270, 274, 282, 296, 34675
_ALPHA = (1, 2)  # associated, unassociated
_WIDTH, _HEIGHT, _ROWS, _TILE_WIDTH, _TILE_HEIGHT, _STRIPS, _TILES, _PLANAR = 256, 257, 278, 322, 323, 273, 324, 284


def decode(data: bytes, name: str, how: Reading) -> Image:
    """Decode one page."""
    try:
        im = pillow.open_page(data, "TIFF", name, how)
    except pillow.DECODER_ERRORS:  # a layout without a Pillow mode, such as seven bands
        im = None
    if isinstance(im, TiffImageFile) and _everyday(im.tag_v2):
        try:
            return _by_pillow(data, im, name, how)
        except PIL.Image.DecompressionBombError:  # Pillow's limit is lower than ours
            im = None
    try:
        return _by_tifffile(data, name, how)
    except ValueError as error:
        if "imagecodecs" not in str(error):
            raise
        if not isinstance(im, TiffImageFile) or _lossy(im):
            raise ImageError(f"{name}: this TIFF compression needs a codec; pip install 'emseg[codecs]'") from error
    return _by_pillow(data, im, name, how)


def _check_segments(tags: Mapping[int, Any]) -> None:
    """Refuse a page whose parts do not fit its size.

    Decoders fill missing strips and tiles with zeros, and make room for tiles of any size. A page must also say how
    many bits each sample has.
    """
    tile = np.prod([int(tags.get(code, 0)) for code in (_TILE_WIDTH, _TILE_HEIGHT)], dtype=float)
    if tile > max(4 * tags[_WIDTH] * tags[_HEIGHT], LARGEST_TILE):
        raise ValueError("tiles are larger than the image")
    if np.size(tags.get(_BITS, 1)) not in (1, tags.get(_SAMPLES, 1)):
        raise ValueError("bits are not given for all samples")
    across = -(-tags[_WIDTH] // tags.get(_TILE_WIDTH, tags[_WIDTH]))
    down = -(-tags[_HEIGHT] // tags.get(_TILE_HEIGHT, tags.get(_ROWS, tags[_HEIGHT])))
    planes = tags.get(_SAMPLES, 1) if tags.get(_PLANAR, 1) == 2 else 1
    if np.size(tags.get(_TILES, tags.get(_STRIPS, ()))) < across * down * planes:
        raise ValueError("strips or tiles are missing")


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence libtiff, which writes straight to file descriptor 2 what it reports as errors too."""
    saved, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(nowhere)


def _by_pillow(data: bytes, im: TiffImageFile, name: str, how: Reading) -> Image:
    _check_segments(im.tag_v2)
    geo = place_of_page(im.tag_v2)
    with _quiet():
        image = (
            pillow.decode_halves(data, "TIFF", name, how)
            if pillow.raw_mode(im) in pillow.DEEP
            else pillow.decode_whole(im, name)
        )
    valid = _valid(image.pixels, image.valid, im.tag_v2.get(NODATA))
    return replace(image, valid=valid, metadata={**image.metadata, **geo})


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
    """Whether Pillow would drop a band, or bits that decoding by halves does not bring back."""
    raw = pillow.raw_mode(im)
    return "X" in raw or ("16" in raw and len(im.getbands()) > 1 and raw not in pillow.DEEP)


def _by_tifffile(data: bytes, name: str, how: Reading) -> Image:
    import tifffile

    try:
        with tifffile.TiffFile(io.BytesIO(data)) as file:
            if how.page > 1:
                how.require_page(len(file.pages), name)
            page: Any = file.pages[how.page - 1]
            page = page if isinstance(page, tifffile.TiffPage) else page.aspage()
            tags = {tag.code: tag.value for tag in page.tags}
            pixels = _page_pixels(page, tags, len(data), name, how)
            dpi = page.get_resolution(unit=2) if _RESOLUTION in tags and tags.get(_UNIT, 2) in (2, 3) else None
    except tifffile.TiffFileError as error:  # a ValueError only since 2025
        raise ValueError(str(error)) from error

    if page.photometric == _WHITE_IS_ZERO and pixels.dtype.kind == "u":
        pixels = np.iinfo(pixels.dtype).max - pixels
    valid = opacity = None
    alpha = next((i for i, value in enumerate(page.extrasamples) if value in _ALPHA), None)
    if alpha is not None:
        band = pixels.shape[2] - len(page.extrasamples) + alpha
        opacity, pixels = pixels[..., band].copy(), np.delete(pixels, band, axis=2)
        valid = opacity != 0
    turn = tags.get(_ORIENTATION)
    if isinstance(turn, int) and 2 <= turn <= 8:
        pixels = pillow.upright(pixels, turn)
        if opacity is not None:
            opacity = pillow.upright(opacity, turn)
            valid = opacity != 0
        dpi = dpi[::-1] if dpi and turn > 4 else dpi
    valid = _valid(pixels, valid, tags.get(NODATA))
    image = Image.from_array(np.ascontiguousarray(pixels), valid, name)
    if image.colour == "rgb" and page.photometric not in (_GREY, _RGB):  # CIE L*a*b*, for one
        image = replace(image, colour="bands")
    metadata = {**pillow.resolution(dpi), **place_of_page(tags), **pillow.profile(tags.get(_ICC))}
    return replace(image, metadata=metadata, alpha=opacity)


def _page_pixels(page: Any, tags: Mapping[int, Any], length: int, name: str, how: Reading) -> NDArray[Any]:
    """Decode a page that is whole and of an allowed size, shape (H, W, C)."""
    size = page.dtype.itemsize if page.dtype is not None else 1
    how.require(page.imagewidth, page.imagelength, name, page.samplesperpixel, size)
    if page.imagedepth > 1:
        raise ImageError(f"{name}: holds a volume; export its slices as single images")
    _check_segments(tags)
    if any(offset + size > length for offset, size in zip(page.dataoffsets, page.databytecounts, strict=True)):
        raise ValueError("the file is cut short")  # tifffile would fill up with zeros
    pixels = np.atleast_3d(page.asarray())
    return np.moveaxis(pixels, 0, -1) if page.axes.startswith("S") else pixels


def count(data: bytes) -> int:
    """Number of pages."""
    import tifffile

    with tifffile.TiffFile(io.BytesIO(data)) as file:
        return len(file.pages)


def _valid(pixels: NDArray[Any], valid: NDArray[np.bool_] | None, nodata: Any) -> NDArray[np.bool_] | None:
    """Where there is data, (H, W): False where every band has the value of GDAL's tag for "no data"."""
    try:
        value = float(str(nodata).strip("\0 ")) if nodata is not None else math.nan
    except ValueError:
        return valid
    dtype = pixels.dtype
    if dtype.kind != "f" and not (value.is_integer() and np.iinfo(dtype).min <= value <= np.iinfo(dtype).max):
        return valid  # no sample can be that; NaN is no data anyway
    with np.errstate(over="ignore"):
        stored = pixels != np.asarray(value).astype(dtype)
    there: NDArray[np.bool_] = np.any(stored, axis=2)
    there = there if valid is None else there & valid
    return None if there.all() else there


def place_of_page(tags: Mapping[int, Any]) -> dict[str, Any]:
    """What the tags of a page say of place, size of pixels and nodata, as metadata of an `Image`."""
    found = {code: tags[code] for code in TYPES if code in tags}
    nodata = {"nodata": str(tags[NODATA]).strip("\0 ")} if NODATA in tags else {}
    size = size_on_ground(found) or size_by_description(tags.get(_DESCRIPTION), tags)
    return ({"geotiff": found} if found else {}) | nodata | ({"pixel_size": size} if size else {})
