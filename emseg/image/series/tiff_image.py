"""From a TIFF file of several planes, or one whose axes a user names, to an image."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emseg.errors import ImageError, option
from emseg.image.arrays.array_like import Given
from emseg.image.arrays.from_memory import arranged_image
from emseg.image.axes import arrangement
from emseg.image.limits import Reading
from emseg.image.model import Image
from emseg.image.place.microscope import size_by_description, software
from emseg.image.series.assembled import Decode, page_of
from emseg.image.series.stored import Holdings, Plane, Series
from emseg.image.series.tiff_series import (
    axes_of_samples,
    fits,
    guessed_colours,
    holdings_of,
    names_samples,
    renamed,
)
from emseg.image.strips.directory import Directory, directory_at, page_offsets
from emseg.image.strips.page import require_size

_WIDTH, _HEIGHT, _DESCRIPTION, _SAMPLES = 256, 257, 270, 277
#: Decodes a page, or the plane so many bytes behind it. The second argument says whether it is the first of the file.
DecodePage = Callable[[Directory, bool, int], Image]


def tiff_image(data: bytes, decode: DecodePage, name: str, how: Reading) -> Image:
    """The image of a page, of which the planes belong together by the file's words, or by the axes of `how`.

    Raises
    ------
    ImageError, UsageError
        As `page_of`, and if axes do not fit.
    """
    holdings = _holdings(data, name, how)
    try:
        return _image_of(holdings, data, decode, name, how)
    finally:
        holdings.release()


def _image_of(holdings: Holdings, data: bytes, decode: DecodePage, name: str, how: Reading) -> Image:
    start = next(page_offsets(data))
    first = directory_at(data, start)

    def plane_image(plane: Plane) -> Image:
        page = directory_at(data, plane.directory)
        image = decode(page, plane == Plane(start), plane.shift)
        return image if plane.directory == start else _with_size(image, first, page)

    def require(plane: Plane, slices: int, channels: int) -> None:
        require_size(directory_at(data, plane.directory), name, how, slices, channels)

    told = how.axes or axes_of_samples(first, holdings)
    if told and not fits(holdings.series[0], told):  # samples that are no channels
        image = _rearranged(holdings.series[0], plane_image, require, name, how._replace(axes=told))
        return image if how.axes else image.with_notices(_two_meanings(told, holdings.series[0]))
    image = page_of(holdings, plane_image, require, name, how)
    if image.colour == "rgb" and not how.axes:
        image = image.with_notices(*guessed_colours(first, how.fourth.has_features))
    return _with_size(image, first, first) if "volume" in image.metadata else image


def tiff_images(data: bytes, name: str, how: Reading) -> int:
    """How many images of full size a file holds."""
    holdings = _holdings(data, name, how)
    holdings.release()
    page = directory_at(data, holdings.series[0].planes[0].directory)  # type: ignore[union-attr]
    told = how.axes or axes_of_samples(page, holdings)
    if told and not fits(holdings.series[0], told):  # a plain page, which needs no looking up
        return arrangement(_shape(holdings.series[0], page), told, name).pages
    return holdings.images


def _holdings(data: bytes, name: str, how: Reading) -> Holdings:
    """The images of a file, by the axes that the user names if there are some."""
    found = holdings_of(data)
    if how.goes_with == "volume":
        slices = (s if s.told or len(s.axes) != 1 else s._replace(axes="Z", told=True) for s in found.series)
        found = found._replace(series=tuple(slices))
    if not how.axes or (len(found.series) == 1 and not found.series[0].axes):
        return found
    if len(found.series) == 1 and names_samples(found.series[0], how.axes) and not fits(found.series[0], how.axes):
        return found
    if len(found.series) > 1 and not any(series.told for series in found.series):
        several = (
            f"its {found.images} pages have several sizes or types, so {option('axes', how.axes)} takes none together"
        )
        raise ImageError(f"{name}: {several}; save those that belong together in one file")
    return found._replace(series=tuple(map(partial(renamed, axes=how.axes, name=name), found.series)))


def _with_size(image: Image, first: Directory, page: Directory) -> Image:
    """The image with the size of a pixel that the description of the first page tells for all."""
    text = first.values.get(_DESCRIPTION)
    size = size_by_description(text, page.values, volume="volume" in image.metadata)
    if size is None:
        return image
    return replace(image, metadata={**image.metadata, "pixel_size": size, "software": software(text)})


def _shape(series: Series, page: Directory) -> tuple[int, ...]:
    lengths = {"Y": page.number(_HEIGHT, 0), "X": page.number(_WIDTH, 0), "S": page.number(_SAMPLES, 1)}
    return (*series.lengths, *(lengths[axis] for axis in series.page))


def _rearranged(
    series: Series, decode: Decode, require: Callable[[Plane, int, int], None], name: str, how: Reading
) -> Image:
    """The image in the samples of planes, whose axes a user or the file names."""
    planes = [plane for plane in series.planes if plane is not None]
    require(planes[0], len(planes), 1)
    image = decode(planes[0])
    parts = [_as_stored(image if plane == planes[0] else decode(plane), series.page) for plane in planes]
    array = np.stack(parts).reshape(*series.lengths, *parts[0].shape)
    arrangement(array.shape, how.axes, name).require(name, how, array.itemsize)
    found = arranged_image(Given(array), name, how)
    kept = {key: value for key, value in image.metadata.items() if key not in ("geotiff", "pixel_size", "software")}
    return replace(found, metadata={**kept, **found.metadata}, form=None)


def _two_meanings(axes: str, series: Series) -> str:
    colours = option("axes", axes[: len(series.axes)] + series.page)
    return f"{axes} in its description does not fit its colours, and is what counts; {colours} takes the colours"


def _as_stored(image: Image, page: str) -> NDArray[Any]:
    """The samples of a plane, opacity included, with the axes as they are stored."""
    samples = image.pixels if image.alpha is None else np.dstack([image.pixels, image.alpha])
    array = samples if page == "YXS" else np.moveaxis(samples, -1, 0)
    return array[0] if page == "YX" else array
