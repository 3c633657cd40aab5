"""TIFF: everyday 8-bit files through Pillow, everything else strip by strip."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emseg.image.axes import FEW, require_channels_last
from emseg.image.formats import pillow
from emseg.image.formats.geotiff_tags import NODATA, TYPES
from emseg.image.formats.tiff_masks import mask_after, without_tagged
from emseg.image.limits import Reading
from emseg.image.missing.nodata import without_data
from emseg.image.model import Image
from emseg.image.place.ground import size_on_ground, turned
from emseg.image.place.microscope import size_by_description, software
from emseg.image.series.channel_names import gdal_names
from emseg.image.series.tiff_series import guessed_colours, is_alone
from emseg.image.strips.directory import Directory, directory_at, page_offsets
from emseg.image.strips.layout import is_whole, layout_of
from emseg.image.strips.libtiff import quiet
from emseg.image.strips.page import decode_page

for _library in ("PIL", "tifffile"):  # they raise what they log; without a handler it would be printed too
    logging.getLogger(_library).addHandler(logging.NullHandler())

# Tags, values of `_PHOTOMETRIC` and of `_EXTRA` (TIFF 6.0, appendix A).
_BITS, _PHOTOMETRIC, _SAMPLES, _EXTRA, _FORMAT = 258, 262, 277, 338, 339
_WHITE_IS_ZERO, _GREY, _RGB, _PALETTE, _CMYK, _YCBCR = 0, 1, 2, 3, 5, 6
_WIDTH, _HEIGHT, _DESCRIPTION, _ORIENTATION, _RESOLUTION, _UNIT, _ICC = 256, 257, 270, 274, 282, 296, 34675
_ALPHA = (1, 2)  # associated, unassociated
_PLANAR, _METADATA = 284, 42112
SAMPLES = "samples"  # key in `Image.taken`: how many there are, opacity included
_COMPRESSION, _PREDICTOR, _PACKBITS = 259, 317, 32773
_BYTEWISE = (1, 5, 8, 32946, _PACKBITS, 34925, 50000)  # raw, LZW, deflate, PackBits, LZMA, Zstandard
_RED_GREEN_BLUE = (None, _RGB, _PALETTE, _CMYK, _YCBCR)  # or become that


def decode(data: bytes, name: str, how: Reading) -> Image:
    """Decode one image: a page, or the planes that belong together by the file's own words or the axes of `how`."""
    first = directory_at(data, next(page_offsets(data), 0))

    def page(directory: Directory, is_first: bool, shift: int = 0) -> Image:
        return _page(directory, is_first, name, how._replace(page=0), shift)

    if not is_alone(first) or how.axes:
        from emseg.image.series.tiff_image import tiff_image  # most files hold one image

        return tiff_image(data, page, name, how)
    how.require_page(1, name)
    image = page(first, True)
    height, width, channels = image.pixels.shape
    if channels > FEW and first.number(_PLANAR, 1) == 1 and not first.entries.keys() & {*TYPES}:
        require_channels_last((height, width, channels), name, declared=True)
    return image.with_notices(*guessed_colours(first, how.fourth.has_features)) if image.colour == "rgb" else image


def count(data: bytes, name: str, how: Reading) -> int:
    """Number of images of full size."""
    if not how.axes and is_alone(directory_at(data, next(page_offsets(data), 0))):
        return 1
    from emseg.image.series.tiff_image import tiff_images

    return tiff_images(data, name, how)


def _page(page: Directory, is_first: bool, name: str, how: Reading, shift: int = 0) -> Image:
    """The image of one page, or of a plane behind it."""
    image = None
    if is_first and not how.channels and _everyday(page.values) and _is_whole(page):
        with contextlib.suppress(*pillow.DECODER_ERRORS):  # limits and layouts that are Pillow's own
            image = _by_pillow(page, name, how)
    image = image or _by_strips(page, name, how, shift)
    if _METADATA in page.entries:
        names = gdal_names(page.values[_METADATA], page.number(_SAMPLES, 1))
        image = replace(image, channel_names=names[: image.pixels.shape[2]] if image.colour != "rgb" else ())
    image = _masked(image, mask_after(page) if page.following else None)
    if image.alpha is not None:
        return replace(image, taken={**image.taken, SAMPLES: image.pixels.shape[2] + 1})
    if image.pixels.shape[2] in (1, 3):
        return image
    from emseg.image.missing.fourth_channel import with_fourth  # most images have fewer, or more

    return with_fourth(image, how, page.number(_PHOTOMETRIC, _GREY) == _RGB)


def _by_pillow(directory: Directory, name: str, how: Reading) -> Image:
    with quiet():
        image = pillow.decode_whole(pillow.open_page(directory.data, "TIFF", name, how), name)
    tags = directory.values
    return without_tagged(replace(image, metadata={**image.metadata, **place_of_page(tags)}), tags)


def _masked(image: Image, mask: NDArray[np.bool_] | None) -> Image:
    """The image without what its mask leaves out."""
    return image if mask is None else without_data(image, ~mask[:, :, None])


def _everyday(tags: Mapping[int, Any]) -> bool:
    """Whether Pillow reads this as it is meant, and stored values that are no data can be told from its pixels."""
    samples, extra = tags.get(_SAMPLES, 1), tuple(np.atleast_1d(tags.get(_EXTRA, ())))
    if {*np.atleast_1d(tags.get(_FORMAT, 1))} != {1}:
        return False
    if tags.get(_COMPRESSION, 1) not in _BYTEWISE:
        return False  # what ends early must be told: streams of JPEG and of faxes do not tell
    if tags.get(_COMPRESSION) == _PACKBITS and tags.get(_PREDICTOR, 1) != 1:
        return False  # libtiff, and so Pillow, leaves it as it is; tifffile writes such files
    bits, photometric = {*np.atleast_1d(tags.get(_BITS, 1))}, tags.get(_PHOTOMETRIC)
    if samples == 1:
        exact = photometric == _GREY and bits == {8}
        return exact or (NODATA not in tags and photometric in (_WHITE_IS_ZERO, _GREY) and bits <= {1, 2, 4, 8})
    layout = photometric, samples, extra
    return bits == {8} and layout in ((_RGB, 3, ()), (_RGB, 4, (2,)), (_CMYK, 4, ()))


def _is_whole(directory: Directory) -> bool:
    """Whether all strips and tiles are there; Pillow fills up with zeros, or with what lies behind."""
    try:
        return is_whole(layout_of(directory))
    except NotImplementedError:
        return False


def _by_strips(directory: Directory, name: str, how: Reading, shift: int = 0) -> Image:
    page = decode_page(directory, name, how, shift)
    pixels, stored, valid = page.samples, page.stored, page.there
    tags = directory.values
    dpi, photometric = _dots_per_inch(tags), tags.get(_PHOTOMETRIC)
    extra = np.atleast_1d(tags.get(_EXTRA, ())).tolist()
    opacity = None
    alpha = next((i for i, value in enumerate(extra) if value in _ALPHA), None)
    if str(pixels.shape[2]) in map(str, how.channels):  # the last one is asked for as a channel
        alpha = None
    if alpha is not None and len(extra) < pixels.shape[2]:
        band = pixels.shape[2] - len(extra) + alpha
        opacity, pixels = pixels[..., band].copy(), np.delete(pixels, band, axis=2)
        stored = np.delete(stored, stored.shape[2] - len(extra) + alpha, axis=2)
        valid = opacity != 0 if valid is None else valid & (opacity != 0)
    turn = tags.get(_ORIENTATION)
    if isinstance(turn, int) and 2 <= turn <= 8:
        pixels, stored = pillow.upright(pixels, turn), pillow.upright(stored, turn)
        opacity, valid = (array if array is None else pillow.upright(array, turn) for array in (opacity, valid))
        dpi = dpi[::-1] if dpi and turn > 4 else dpi
    image = Image.from_array(np.ascontiguousarray(pixels), valid, name)
    if image.colour == "rgb" and photometric not in _RED_GREEN_BLUE:  # CIE L*a*b*, for one
        image = replace(image, colour="bands")
    metadata = {**pillow.resolution(dpi), **place_of_page(tags), **pillow.profile(tags.get(_ICC))}
    return without_tagged(replace(image, metadata=metadata, alpha=opacity), tags, stored)


def _dots_per_inch(tags: Mapping[int, Any]) -> tuple[float, float] | None:
    """Along x and y; None where the file tells no unit."""
    per_inch = {2: 1.0, 3: 2.54}.get(tags.get(_UNIT, 2))
    try:
        (x, below_x), (y, below_y) = tags[_RESOLUTION], tags[_RESOLUTION + 1]
        return None if per_inch is None else (x / below_x * per_inch, y / below_y * per_inch)
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return None


def place_of_page(tags: Mapping[int, Any], upright: bool = True) -> dict[str, Any]:
    """Metadata of an `Image`, upright or as stored: what the tags say of place, size of pixels and nodata."""
    found: dict[str, Any] = {"geotiff": {code: tags[code] for code in TYPES if code in tags}}
    turn = tags.get(_ORIENTATION)
    if upright and found["geotiff"] and isinstance(turn, int) and 2 <= turn <= 8:
        found["geotiff"] = turned(found["geotiff"], turn, tags[_WIDTH], tags[_HEIGHT])
    if NODATA in tags:
        found["nodata"] = str(tags[NODATA]).strip("\0 ")
    found["pixel_size"] = size_on_ground(found["geotiff"]) or size_by_description(tags.get(_DESCRIPTION), tags)
    found["software"] = software(tags.get(_DESCRIPTION)) if found["pixel_size"] else ""
    return {name: value for name, value in found.items() if value or name == "nodata"}
