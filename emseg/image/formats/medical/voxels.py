"""From the samples of a volume, and what its header says of them, to an image of slices below one another."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emseg.image.axes import Arrangement, of_pages
from emseg.image.limits import Reading
from emseg.image.model import Image
from emseg.image.place.pixel_size import pixel_size

FLIP = np.diag([-1.0, -1.0, 1.0, 1.0])  # from left, posterior, superior to right, anterior, superior, and back
_AT_ONCE = 1 << 16  # bytes given to zlib


def unpacked(data: bytes, size: int) -> bytes:
    """The first `size` bytes of data that zlib or gzip packed; no more is unpacked."""
    found, made, view = [], 0, memoryview(data)
    decoder = zlib.decompressobj(47)  # either of the two
    at = 0
    while made < size and at < len(data) and not decoder.eof:
        part = view[at : at + _AT_ONCE]
        found.append(decoder.decompress(part, size - made))
        made += len(found[-1])
        at += len(part) - len(decoder.unconsumed_tail)
    return b"".join(found)


def samples_at(data: bytes, dtype: np.dtype[Any], shape: Sequence[int], packed: bool) -> NDArray[Any]:
    """The samples of an array of a shape, first axis slowest; raise ValueError if there are too few."""
    count = int(np.prod(shape, dtype=np.int64))
    data = unpacked(data, count * dtype.itemsize) if packed else data
    if len(data) < count * dtype.itemsize:
        raise ValueError("the file is cut short")
    return np.frombuffer(data, dtype, count).reshape(shape)


def image_of_voxels(
    array: NDArray[Any],
    arranged: Arrangement,
    name: str,
    how: Reading,
    affine: NDArray[np.float64] | None = None,
    sides: Sequence[float] = (),
    colours: bool = False,
) -> Image:
    """The image of a page.

    Parameters
    ----------
    array : ndarray
        With the axes that `arranged` says.
    arranged : Arrangement
    name : str
        What messages call the file.
    how : Reading
    affine : ndarray, shape (4, 4), optional
        The map from indices x, y and z to millimetres to the right, the front and the top.
    sides : sequence of float
        Of a voxel in millimetres, along z, y and x, or y and x; empty where they are not told.
    colours : bool
        Whether three channels are red, green and blue.
    """
    cube = arranged.ordered(array, how.number)
    z, y, x, channels = cube.shape
    image = Image.from_array(np.ascontiguousarray(cube).reshape(z * y, x, channels), name=name)
    if image.colour == "rgb" and not colours:
        image = replace(image, colour="bands")
    metadata: dict[str, Any] = {"volume": (z, y, x)} if "Z" in arranged.axes else {}
    if affine is not None and metadata and np.isfinite(affine).all():
        metadata["affine"] = affine
    size = pixel_size(sides[-3 if metadata else -2 :], "mm") if sides else None
    metadata |= {"pixel_size": size} if size else {}
    image = replace(image, metadata=metadata)
    return of_pages(image, how, arranged.pages, "image", arranged.paging)
