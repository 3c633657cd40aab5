"""Reading label maps and stacks of planes: the stored numbers, not the colours they are shown in."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emseg.errors import ImageError, UsageError, option, shown
from emseg.image.arrays.array_like import whole_numbers
from emseg.image.file_bytes import read_bytes, read_image_bytes
from emseg.image.formats.registry import FORMATS, HEAD, Format, format_of
from emseg.image.limits import Reading
from emseg.image.model import Image
from emseg.image.place.alignment import PRIOR, SILENT, UNLABELLED, aligned
from emseg.image.read import DEFAULT, decode_image, placed_by_file_beside, read_image
from emseg.image.stored_array import is_array, stored_array
from emseg.records import NamedRecord

Path = str | os.PathLike[str]
REMEDY = "give a palette or grey PNG, a TIFF of integers, or NIfTI"


class Placed(NamedRecord):
    """What a file holds, on the grid of an image, and lines that the user should read."""

    values: NDArray[Any]
    notices: tuple[str, ...] = ()


def stored_values(path: Path, photo: Image) -> Placed:
    """What a file stores, (H, W, C), on the grid of an image: of a palette the indices, else what `read_image` reads.

    Raises
    ------
    ImageError
        If the file cannot be read, or does not fit the image: see `aligned`.
    """
    stored = _stored(path, _kind(photo))[1]
    values, notices = aligned(stored.pixels, stored.metadata, stored.name, photo, "mask")
    return Placed(values, _page_of(stored) + notices)


def read_labels(path: Path, photo: Image) -> Placed:
    """Read a label map (H, W) of an image: palette indices, or the values of a one-channel image of whole numbers.

    Values that the file declares to be no data become 0.

    Raises
    ------
    ImageError
        If the file cannot be read, does not fit the image, or holds colours, fractions or numbers below 0.
    """
    stored = read_label_image(path, _kind(photo))
    found, notices = aligned(stored.pixels, stored.metadata, stored.name, photo, "label map", UNLABELLED)
    if found.shape[2] > 1:
        raise ImageError(f"{stored.name}: not a label map; {REMEDY}")
    labels = _without_nodata(found[:, :, 0], stored.metadata.get("nodata"))
    if labels.dtype.kind == "i":
        if labels.min() < 0:
            raise ImageError(f"{stored.name}: holds label {labels.min()}; labels are 1 and more, 0 is none")
        labels = labels.astype(labels.dtype.str.replace("i", "u"))
    return Placed(labels, _page_of(stored) + notices)


def _page_of(image: Image) -> tuple[str, ...]:
    """A line for a file that holds more pages than the one that is used."""
    pages = image.taken.get("pages", 1)
    return (f"{image.name}: page 1 of {pages} is used; save the one that is meant by itself",) if pages > 1 else ()


def _kind(photo: Image) -> str:
    return "volume" if "volume" in photo.metadata else "plane"


def read_label_image(path: Path, goes_with: str = "volume") -> Image:
    """Read label maps as an image of integers, (H, W, C), with the place that its file tells.

    Raises
    ------
    ImageError
        If the file cannot be read, or holds fractions.
    """
    if is_array(path):
        array = stored_array(os.fspath(path), shown(path))
        pixels = whole_numbers(array[:, :, None] if array.ndim == 2 else array)
        stored, holds_labels = Image(pixels, "bands", name=shown(path)), pixels.ndim == 3 and pixels.size > 0
    else:
        found, stored = _stored(path, goes_with)
        pixels = whole_numbers(stored.pixels) if found.holds_volumes else stored.pixels
        holds_labels = found.holds_labels
    if not holds_labels or pixels.dtype.kind not in "ui":
        raise ImageError(f"{stored.name}: not a label map; {REMEDY}")
    return replace(stored, pixels=pixels, packed=None)


def _without_nodata(labels: NDArray[Any], nodata: str | None) -> NDArray[Any]:
    """Labels with 0 where the file declares that there is no data."""
    try:
        value = float(nodata or 0)
    except ValueError:
        return labels
    return np.where(labels == value, 0, labels).astype(labels.dtype) if value else labels


def _stored(path: Path, goes_with: str) -> tuple[Format, Image]:
    """The format of a file, and its stored values (H, W, C)."""
    name = shown(path)
    data, samples = read_image_bytes(path)
    found = format_of(data[:HEAD], name)
    image = decode_image(data, name, Reading(goes_with=goes_with), samples)  # refuses whatever is damaged or too large
    image = placed_by_file_beside(image, path)
    indices = found.palette_indices(data)
    return found, image if indices is None else replace(image, pixels=indices[:, :, None], packed=None)


def read_planes(path: Path, photo: Image, count: int) -> Placed:
    """Read planes (K, H, W) of an image: pages or bands of a TIFF, the last axis of a NIfTI volume, or a NumPy array.

    Raises
    ------
    ImageError
        If the file cannot be read, or lies elsewhere than the image.
    UsageError
        If it has another size or not `count` planes.
    """
    name = shown(path)
    metadata: Mapping[str, Any] = {}
    if is_array(path):
        values = np.moveaxis(_planes_of(stored_array(os.fspath(path), name), photo, count), 0, -1)
    else:
        data = read_bytes(path)
        if not any(entry.matches(data[:HEAD], name) for entry in FORMATS if entry.name != "TIFF"):
            values, metadata = _pages(data, name, photo, count)
        else:
            image = read_image(path)
            values, metadata = image.pixels, image.metadata
    may_be_cut = bool(metadata.keys() & {"nifti", "affine", "geotiff"})
    if values.ndim != 3 or values.shape[2] != count or not (may_be_cut or values.shape[:2] == photo.shape):
        (height, width), got = photo.shape, " × ".join(map(str, np.moveaxis(values, -1, 0).shape))
        wanted = f"give a page of {width} × {height} pixels for each of {option('k', count)}"
        raise UsageError(f"{option('prior_map', name)}: {got} values; {wanted}")
    placed, notices = aligned(values, metadata, name, photo, PRIOR, SILENT)
    return Placed(np.ascontiguousarray(np.moveaxis(placed, 2, 0)), notices)


def _pages(data: bytes, name: str, photo: Image, count: int) -> tuple[NDArray[Any], dict[str, Any]]:
    """Planes (H, W, K) of a TIFF, and what its first page tells of their place."""
    from emseg.image.formats.pillow import DECODER_ERRORS
    from emseg.image.formats.tiff import place_of_page
    from emseg.image.strips.directory import directory_at, page_offsets
    from emseg.image.strips.page import decode_page

    try:
        found = [directory_at(data, offset) for offset in page_offsets(data)]
        pages = [decode_page(directory, name, DEFAULT).stored for directory in found]
        metadata = place_of_page(found[0].values, upright=False)
    except DECODER_ERRORS as error:
        raise ImageError(f"{name}: cannot be read as planes; give a TIFF with a page for each, or .npy") from error
    if len(pages) == 1 and pages[0].shape[2] > 1:
        return pages[0], metadata
    if len({page.shape for page in pages}) > 1 or pages[0].shape[2] > 1:
        raise ImageError(f"{name}: pages of several sizes or of colours; give one TIFF page of a band for each plane")
    planes = np.stack([page[:, :, 0] for page in pages])
    return np.moveaxis(_planes_of(planes, photo, count), 0, -1), metadata


def _planes_of(array: NDArray[Any], photo: Image, count: int) -> NDArray[Any]:
    """Planes (K, H, W) from an array of them; of a volume, K volumes in any of the usual orders of axes."""
    z, y, x = photo.metadata.get("volume", (1, *photo.shape))
    if array.ndim == 2:
        return array[None]
    if array.shape == (x, y, z, count) and "volume" in photo.metadata:
        return array.transpose(3, 2, 1, 0).reshape(count, z * y, x)
    if array.ndim > 2 and array.shape[-2:] == (y, x) and math.prod(array.shape) == count * z * y * x:
        return array.reshape(count, z * y, x)
    return array
