"""Several files as one image: the channels of each are further features of the same pixels."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emseg.errors import ImageError
from emseg.image.file_bytes import digest_of_stack
from emseg.image.limits import PlainFit, Working
from emseg.image.model import Image
from emseg.image.place.alignment import aligned
from emseg.image.place.grid import reorientation
from emseg.image.place.grids import grid_of
from emseg.image.series.assembled import with_known
from emseg.image.series.sorted_slices import SliceOfVolume, are_slices, require_one_place, volume_of
from emseg.records import NamedRecord


class PartOfStack(NamedRecord):
    """What is to be done with a file that is one of several: its memory is that of all that are known of by then.

    Attributes
    ----------
    working : Working or None
        What is to be done with all of them; None is a plain fit.
    before : int
        Channels of the files before it.
    stored : int
        Bytes a pixel that they hold.
    after : int
        Files after it, of which each has a channel at least.
    """

    working: Working | None
    before: int
    stored: int
    after: int

    def bytes_per_pixel(self, pixels: int, channels: int, itemsize: int) -> int:
        """Bytes a pixel besides the stored values of this file: those of the others, a copy of all, and the work."""
        whole = self.before + channels + self.after
        work = (self.working or PlainFit()).bytes_per_pixel(pixels, whole, itemsize)
        return work + self.stored + self.after * itemsize + whole * itemsize


def read_stack(count: int, read: Callable[[int, Working], Image], working: Working | None) -> Image:
    """Read files one by one, and put them together.

    Parameters
    ----------
    count : int
        How many there are.
    read : callable
        Reads the file of a number, from 0, for what is to be done with it.
    working : Working or None
        What is to be done with all of them.

    Raises
    ------
    ImageError
        As `read`, and as `stacked`.
    """
    images: list[Image] = []
    for at in range(count):
        channels = sum(image.pixels.shape[2] for image in images)
        size = sum(image.pixels.shape[2] * image.pixels.itemsize for image in images)
        if images and are_slices(images):
            images.append(read(at, SliceOfVolume(working, count)))
        else:
            images.append(read(at, PartOfStack(working, channels, size, count - 1 - at)))
    return stacked(images)


def stacked(images: Sequence[Image]) -> Image:
    """One image of the channels of several. It has the name, the grid and the metadata of the first.

    Slices of one series in DICOM files become a volume.

    Raises
    ------
    ImageError
        If an image has another size than the first, or lies elsewhere. Those that can be turned and cut to the grid of
        the first without interpolation are.
    """
    first = images[0]
    if len(images) == 1:
        return first
    if are_slices(images):
        return volume_of(images)
    require_one_place(images)
    parts = [first, *(_on_grid_of(first, image) for image in images[1:])]
    pixels = np.concatenate([part.pixels for part in parts], axis=2)
    notices = [*first.notices, *(_of(part, line) for part in parts[1:] for line in part.notices)]
    digests = [part.sha256 for part in parts]
    found = Image(
        pixels,
        "bands",
        name=first.name,
        sha256=None if None in digests else digest_of_stack([digest or "" for digest in digests]),
        metadata=first.metadata,
        notices=tuple(notices),
        channel_names=_names(parts),
        taken={"files": [part.source for part in parts]},
    )
    if all(part.valid is None for part in parts):
        return found
    return with_known(found, np.concatenate([_known(part) for part in parts], axis=2))


def _of(image: Image, line: str) -> str:
    """A line that names the image, since the terminal names the first one alone."""
    return line if image.name in line else f"{image.name}: {line}"


def _known(image: Image) -> NDArray[np.bool_]:
    """Which values are known, (H, W, C)."""
    if image.known is not None:
        return image.known
    valid = np.ones((1, 1), np.bool_) if image.valid is None else image.valid
    return np.broadcast_to(valid[:, :, None], image.pixels.shape)


def _on_grid_of(first: Image, image: Image) -> Image:
    """An image on the grid of the first one."""
    wanted, own = grid_of(first.metadata, first.shape), grid_of(image.metadata, image.shape)
    if own and wanted:
        found = reorientation(own, wanted, first.name)
        if isinstance(found, str):
            raise ImageError(f"{image.name}: {found}; files of a stack need one grid, so resample this one to it")
    elif image.grid != first.grid:
        sizes = [" × ".join(map(str, part.extent)) for part in (image, first)]
        remedy = "files of a stack need one grid, so crop or resample one"
        raise ImageError(f"{image.name}: has {sizes[0]} pixels, {first.name} {sizes[1]}; {remedy}")

    def moved(values: NDArray[Any]) -> tuple[NDArray[Any], tuple[str, ...]]:
        return aligned(values, image.metadata, image.name, first, "file")

    pixels, lines = moved(image.pixels)
    if image.grid != first.grid:
        lines = (*lines, f"it is cut to the grid of {first.name}")
    valid = image.valid if image.valid is None else moved(image.valid[:, :, None])[0][:, :, 0]
    known = image.known if image.known is None else moved(image.known)[0]
    return replace(image, pixels=pixels, valid=valid, known=known, packed=None, alpha=None).with_notices(*lines)


def _names(parts: Sequence[Image]) -> tuple[str, ...]:
    """Names of all channels: of a file with one channel that of the file, else that and the channel's own."""
    stems = [_stem(part.name) for part in parts]
    if len({*stems}) < len(stems):
        stems = [f"{stem} {number}" for number, stem in enumerate(stems, 1)]
    names = []
    for part, stem in zip(parts, stems, strict=True):
        count = part.pixels.shape[2]
        own = part.channel_names or tuple(map(str, range(1, count + 1)))
        names += [stem] if count == 1 else [f"{stem} {name}" for name in own]
    return tuple(names)


def _stem(name: str) -> str:
    base = os.path.basename(name)
    return os.path.splitext(base.removesuffix(".gz"))[0] or base
