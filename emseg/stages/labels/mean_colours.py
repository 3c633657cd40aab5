"""The mean colour of each class, for pictures and tables."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from emseg.features.model import Features
from emseg.features.pixel_index import CodeIndex
from emseg.image.model import Image

Labels = NDArray[np.unsignedinteger[Any]]
WHITE = 255  # of sRGB in 8 bits


def mean_colours(
    image: Image, features: Features, row_labels: Labels | None, labels: Labels, counts: NDArray[np.int_]
) -> NDArray[np.uint8] | None:
    """Mean sRGB colour of each class, (K, 3): grey for grey images, None for unnamed bands.

    Parameters
    ----------
    image : Image
    features : Features
    row_labels : ndarray of unsigned int, shape (N,), optional
        Labels of the samples. Where each pixel has the label of its sample, they give the same in less time.
    labels : ndarray of unsigned int, shape (H, W)
    counts : ndarray of int, shape (K,)
        Pixels of each class.
    """
    if image.colour == "bands":
        return None
    channels = image.pixels.shape[2]
    k = counts.size
    if row_labels is not None and isinstance(features.index, CodeIndex) and image.pixels.dtype == np.uint8:
        codes = features.index.distinct
        values = [(codes >> codes.dtype.type(8 * c)) & codes.dtype.type(255) for c in range(channels)]
        sums = [np.bincount(row_labels, value * features.weight, k + 1) for value in values]
    else:
        flat = labels.ravel()
        pixels = np.where(flat[:, None] > 0, image.pixels.reshape(-1, channels), 0)
        sums = [np.bincount(flat, pixels[:, c], k + 1) for c in range(channels)]
    means = np.stack(sums, axis=1)[1:] / np.maximum(counts, 1)[:, None]
    scaled = means * (WHITE / _white(image))
    return np.broadcast_to(np.clip(scaled.round(), 0, WHITE).astype(np.uint8), (k, 3)).copy()


def _white(image: Image) -> float:
    """The stored value that shows as white.

    For integers of more than 8 bits, it is the largest number of as many bits as are in use: sensors give 10, 12 or 14.
    """
    if image.pixels.dtype == np.uint8:
        return float(WHITE)
    valid = image.pixels if image.valid is None else image.pixels[image.valid]
    top = float(valid.max())
    return max(top, 1.0) if image.pixels.dtype.kind == "f" else 2.0 ** max(int(top).bit_length(), 1) - 1
