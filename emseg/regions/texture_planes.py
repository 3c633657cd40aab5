"""Texture for comparing regions: beside colour, with less weight, and at the scale of a screen."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emseg.features.kinds.gray import gray
from emseg.features.kinds.texture import texture
from emseg.image.model import Image

Planes = NDArray[np.float32]
#: Standard deviation of a measure of texture, beside features of standard deviation 1. Without texture, covering of
#: photographs is .03 lower.
WEIGHT = 0.3
MOST_PIXELS = 1 << 20  # larger images are reduced to as many: the size of a screen
#: Pixels of the shorter side. In smaller images, objects are smaller than the 73 pixels that a window of texture spans.
SMALLEST_SIDE = 192
KNOWN_SHARE = 0.99  # of a block's pixels, from which on its mean counts as known


def texture_planes(photo: Image, inside: NDArray[np.bool_] | None) -> Planes | None:
    """The measures of texture of every pixel, of mean 0 and variance WEIGHT²; NaN where they are unknown.

    Parameters
    ----------
    photo : Image
    inside : ndarray of bool, shape (H, W), optional
        False where pixels are left out.

    Returns
    -------
    ndarray of float32, shape (3, H, W), or None
        None for volumes, bands, and images too small to have texture.
    """
    if "volume" in photo.metadata or photo.colour == "bands" or min(photo.shape) < SMALLEST_SIDE:
        return None
    luma = gray(np.moveaxis(photo.pixels, -1, 0))[0]
    valid = np.isfinite(luma)
    for known in (inside, photo.valid, None if photo.known is None else photo.known.all(2)):
        valid = valid if known is None else valid & known
    if not valid.any():
        return None
    step = int(np.ceil((luma.size / MOST_PIXELS) ** 0.5))
    small, seen = block_means(np.where(valid, luma, 0), step), block_means(valid.astype(np.float32), step) > KNOWN_SHARE
    if not seen.any():
        return None
    planes = texture(small.astype(np.float64), None if seen.all() else seen)
    means, spread = (planes[:, seen].mean(1), planes[:, seen].std(1))
    planes = np.where(
        seen, (planes - means[:, None, None]) * (WEIGHT / np.maximum(spread, 1e-9))[:, None, None], np.nan
    )
    whole = np.repeat(np.repeat(planes.astype(np.float32), step, axis=1), step, axis=2)
    return np.ascontiguousarray(whole[:, : luma.shape[0], : luma.shape[1]])


def block_means(plane: NDArray[np.floating], step: int) -> NDArray[np.floating]:
    """Means of square blocks with sides of `step` pixels; the last row and column are repeated to fill blocks."""
    if step == 1:
        return plane
    height, width = plane.shape
    plane = np.pad(plane, ((0, -height % step), (0, -width % step)), mode="edge")
    return np.asarray(plane.reshape(plane.shape[0] // step, step, -1, step).mean((1, 3)))
