"""From the planes of a page to its image: channels side by side, slices below one another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from emseg.errors import ImageError, option
from emseg.image.axes import of_pages
from emseg.image.channels import channel_indices
from emseg.image.limits import Reading
from emseg.image.model import Image
from emseg.image.series.stored import Holdings, Plane, Series

Decode = Callable[[Plane], Image]


def page_of(
    holdings: Holdings, decode: Decode, require: Callable[[Plane, int, int], None], name: str, how: Reading
) -> Image:
    """The image of a page.

    Parameters
    ----------
    holdings : Holdings
    decode : callable
        Gives the image of a plane.
    require : callable
        Raises ImageError if so many slices and so many channels of such planes are too large.
    name : str
        What messages call the file.
    how : Reading
        Its channels are chosen here, if they are planes.

    Raises
    ------
    ImageError
        If there is no such page, it is too large, or a plane is not in this file.
    UsageError
        If there is no such channel.
    """
    how.require_page(holdings.images + holdings.copies, name)
    series, number = holdings.find(how.number)
    grid = series.grid(number)
    chosen: tuple[int, ...] = ()
    names = series.channel_names
    if how.channels and grid.shape[1] > 1 and series.page == "YX":
        wanted = channel_indices(how.channels, grid.shape[1], names, name)
        grid, chosen = grid[:, wanted], tuple(index + 1 for index in wanted)
        names = tuple(names[index] for index in wanted) if names else ()
    planes = [[series.planes[at] for at in row] for row in grid]
    if any(plane is None for row in planes for plane in row):
        raise ImageError(f"{name}: some of its planes are in other files; save all of them in one")
    require(planes[0][0], *grid.shape)
    image = _joined([[plane for plane in row if plane] for row in planes], decode, name)
    more = {"axes": series.axes + series.page} if series.axes and series.told else {}
    names = names or (image.channel_names if grid.size == 1 else ())
    image = replace(image, channels=chosen, channel_names=names, taken={**image.taken, **more})
    return _with_lines(image, holdings, series, how)


def _joined(planes: list[list[Plane]], decode: Decode, name: str) -> Image:
    """The image of planes (Z, C), each with the same number of samples."""
    first = decode(planes[0][0])
    slices, channels = len(planes), len(planes[0])
    if slices == channels == 1:
        return first
    height, width, samples = first.pixels.shape
    pixels = np.empty((slices * height, width, channels * samples), first.pixels.dtype)
    alpha = np.empty(pixels.shape[:2], first.alpha.dtype) if first.alpha is not None and channels == 1 else None
    known: NDArray[np.bool_] | None = None
    notices: list[str] = []
    for z, row in enumerate(planes):
        for c, plane in enumerate(row):
            image = first if z == c == 0 else decode(plane)
            if image.pixels.shape != first.pixels.shape or image.pixels.dtype != first.pixels.dtype:
                raise ImageError(f"{name}: its planes have several sizes or types; save them as single images")
            place = slice(z * height, (z + 1) * height), slice(None), slice(c * samples, (c + 1) * samples)
            pixels[place] = image.pixels
            if alpha is not None and image.alpha is not None:
                alpha[place[0]] = image.alpha
            own = image.known if image.known is not None else None if image.valid is None else image.valid[..., None]
            if own is not None:
                known = np.ones(pixels.shape, np.bool_) if known is None else known
                known[place] = own
            notices += image.notices
    volume = {"volume": (slices, height, width)} if slices > 1 else {}
    colour = first.colour if channels == 1 else "bands"
    image = replace(first, pixels=pixels, colour=colour, packed=None, alpha=alpha, valid=None, known=None)
    image = replace(image, metadata={**first.metadata, **volume}).with_notices(*notices)
    return image if known is None else with_known(image, known)


def with_known(image: Image, known: NDArray[np.bool_]) -> Image:
    """The image of which these values (H, W, C) are known."""
    whole, some = np.asarray(known.all(axis=2)), np.asarray(known.any(axis=2))
    in_part = not np.array_equal(whole, some)
    return replace(image, valid=None if whole.all() else whole, known=known if in_part else None)


def _with_lines(image: Image, holdings: Holdings, series: Series, how: Reading) -> Image:
    """The image with a line for what else the file holds."""
    if holdings.doubt and not (series.told or how.axes):
        image = image.with_notices(f"{holdings.doubt}; {option('axes')} says what they are")
    what, along, more = "page", "", ""
    if series.told:
        what, along = "image", series.arrangement.paging if len(holdings.series) == 1 else ""
    elif series.axes:
        channels, slices = (option("axes", letter + series.page) for letter in "CZ")
        more = f", {channels} takes all as channels, {slices} as slices"
        more = more if len(series.axes) == 1 and len(holdings.series) == 1 and series.page == "YX" else ""
    copies, last = holdings.copies, holdings.images + holdings.copies
    if how.number <= holdings.images:
        image = of_pages(image, how, holdings.images, what, along, more)
    else:
        image = replace(image, taken={**image.taken, "page": how.number, "pages": holdings.images})
    if not copies or how.page:
        return image
    first = option("page", holdings.images + 1)
    takes = f"{first} takes it" if copies == 1 else f"{first} to {last} take them"
    return image.with_notices(f"smaller copies of the image ({copies}) are not used; {takes}")
