"""A volume as a picture: its slices side by side in a grid."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emseg.image.model import Image
from emseg.records import replace

Labels = NDArray[np.unsignedinteger[Any]]


def montage(stack: NDArray[Any], volume: tuple[int, int, int]) -> NDArray[Any]:
    """Lay slices out in a grid that is about as wide as it is high; places without a slice are 0.

    Parameters
    ----------
    stack : ndarray, shape (Z · Y, X, ...) or (Z, Y, X, ...)
        Slices below one another, or one after another.
    volume : tuple of int
        Z, Y, X.
    """
    z, y, x = volume
    columns = min(z, math.ceil((z * y / x) ** 0.5))
    rows = -(-z // columns)
    channels = stack.shape[3:] if stack.shape[:3] == volume else stack.shape[2:]
    out = np.zeros((rows * columns, y, x, *channels), stack.dtype)
    out[:z] = stack.reshape(z, y, x, *channels)
    grid = out.reshape(rows, columns, y, x, *channels).swapaxes(1, 2)
    return grid.reshape(rows * y, columns * x, *channels)


def as_plane(image: Image, labels: Labels) -> tuple[Image, Labels]:
    """An image and its labels (H, W) as they are; of a volume, the montages of both, (Z, H, W) in the case of labels.

    Places of the grid without a slice count as "no data".
    """
    volume = image.metadata.get("volume")
    if volume is None:
        return image, labels
    valid = labels > 0 if image.valid is None else image.valid
    flat = replace(image, pixels=montage(image.pixels, volume), packed=None, valid=montage(valid, volume))
    return flat, montage(labels, volume)
