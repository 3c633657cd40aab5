"""Slices in files of their own, as scanners write them, put together as a volume."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from emseg.errors import ImageError
from emseg.image.file_bytes import digest_of_stack
from emseg.image.limits import PlainFit, Working
from emseg.image.model import Image
from emseg.image.place.pixel_size import pixel_size
from emseg.image.series.assembled import with_known
from emseg.records import record

SLICE = "slice"  # of the metadata: what a file tells of its place in a series, see `medical.place.Slices.key`


@record(frozen=True)
class SliceOfVolume:
    """What is to be done with a file that is one slice of so many.

    Attributes
    ----------
    working : Working or None
        What is to be done with all of them; None is a plain fit.
    count : int
    """

    working: Working | None
    count: int

    def bytes_per_pixel(self, pixels: int, channels: int, itemsize: int) -> int:
        """Bytes a pixel of one slice: those of all slices, a copy of them, and the work."""
        work = (self.working or PlainFit()).bytes_per_pixel(pixels * self.count, channels, itemsize)
        return self.count * (2 * channels * itemsize + work)


def are_slices(images: Sequence[Image]) -> bool:
    """Whether images are slices of one series."""
    series = {image.metadata.get(SLICE, (None,))[0] for image in images}
    return len(series) == 1 and None not in series


def require_one_place(images: Sequence[Image]) -> None:
    """Raise ImageError for slices of several series, unless there is one of each, all at one place."""
    keys = [image.metadata[SLICE] for image in images if SLICE in image.metadata]
    series = {key[0] for key in keys}
    if len(series) < 2:
        return
    if len(keys) > len(series):
        what = f"its folder or list holds slices of {len(series)} DICOM series"
        raise ImageError(f"{images[0].name}: {what}; give the files of one series, or one volume of each as NIfTI")
    first, *others = keys
    for image, key in zip(images[1:], others, strict=False):
        if not all(np.allclose(own, one, atol=1e-3) for own, one in zip(key[1:4], first[1:4], strict=True)):
            raise ImageError(
                f"{image.name}: lies elsewhere than {images[0].name}, by its position; give slices of one place"
            )


def volume_of(images: Sequence[Image]) -> Image:
    """The volume of slices, in the order of their positions. It has the name of the first file.

    Raises
    ------
    ImageError
        If slices are of several sizes or directions, or two are at one place.
    """
    from emseg.image.formats.medical.place import ordered

    first = images[0]
    _, _, turn, spacing, thickness = first.metadata[SLICE]
    for image in images[1:]:
        own = image.metadata[SLICE]
        if image.pixels.shape != first.pixels.shape or not np.allclose(
            (*own[2], *own[3]), (*turn, *spacing), atol=1e-4
        ):
            raise ImageError(f"{image.name}: is no slice beside {first.name}: size or direction differ; leave it out")
    positions = [np.array(image.metadata[SLICE][1]) for image in images]
    found = ordered(positions, np.array(turn), spacing, thickness)
    if found is None:
        raise ImageError(f"{first.name}: two slices of its series are at one place; give those of one time or echo")
    parts = [images[at] for at in found.order]
    height, width = first.shape
    digests = [image.sha256 for image in images]
    metadata = {key: value for key, value in first.metadata.items() if key != SLICE}
    size = pixel_size(found.sides, "mm")
    metadata |= {"volume": (len(parts), height, width), "affine": found.affine} | ({"pixel_size": size} if size else {})
    volume = replace(
        first,
        pixels=np.concatenate([part.pixels for part in parts]),
        packed=None,
        alpha=None,
        valid=None,
        known=None,
        sha256=None if None in digests else digest_of_stack([digest or "" for digest in digests]),
        metadata=metadata,
        notices=tuple(dict.fromkeys(line for part in parts for line in part.notices)),
        taken={"files": [part.source for part in parts]},
    )
    if found.uneven:
        volume = volume.with_notices("distances of slices differ, as if some were missing; they are taken as even")
    if all(part.valid is None for part in parts):
        return volume
    known = [np.ones(part.shape, np.bool_) if part.valid is None else part.valid for part in parts]
    return with_known(volume, np.broadcast_to(np.concatenate(known)[:, :, None], volume.pixels.shape))
