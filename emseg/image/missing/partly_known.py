"""Pixels of which some channels are known and others are not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emseg.image.model import Image

Mask = NDArray[np.bool_]


def partly_known(image: Image, channels: Mask | None = None) -> Image:
    """The image with each pixel as data of which at least one channel is known.

    Parameters
    ----------
    image : Image
    channels : ndarray of bool, shape (H, W, C), optional
        False where a channel is to count as unknown.

    Returns
    -------
    Image
        With `known` where some pixels are known in part.
    """
    known = image.known
    if channels is not None:
        given = np.ones((1, 1, 1), np.bool_) if image.valid is None else image.valid[:, :, None]
        known = channels & (given if known is None else known)
    if known is None:
        return image
    valid = np.asarray(known.any(axis=2))
    in_part = not np.array_equal(valid, known.all(axis=2))
    return replace(image, valid=None if valid.all() else valid, known=known if in_part else None)


def completed(image: Image, labels: NDArray[np.unsignedinteger[Any]]) -> Image:
    """The image for pictures: unknown values become the mean of the known ones with the same label.

    Parameters
    ----------
    image : Image
    labels : ndarray of unsigned int, shape (H, W)
    """
    if image.known is None:
        return image
    pixels, flat = image.pixels.copy(), labels.ravel()
    for c in range(pixels.shape[2]):
        plane, known = pixels[:, :, c].reshape(-1), image.known[:, :, c].ravel()
        counts = np.bincount(flat[known], minlength=int(flat.max(initial=0)) + 1)
        sums = np.bincount(flat[known], plane[known].astype(np.float64), counts.size)
        means = np.where(counts > 0, sums / np.maximum(counts, 1), sums.sum() / max(int(counts.sum()), 1))
        means = means if pixels.dtype.kind == "f" else means.round()
        plane[~known] = means[flat[~known]].astype(pixels.dtype)
        pixels[:, :, c] = plane.reshape(image.shape)
    return replace(image, pixels=pixels, packed=None, known=None)
