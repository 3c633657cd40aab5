"""From what a caller gives to what is fitted: image, mask, and the problem that features and options pose."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emseg.em.problem import Problem
from emseg.errors import DataError
from emseg.features.model import Features
from emseg.image.model import Image
from emseg.image.read import read_image, read_mask
from emseg.mixture.covariance import COVARIANCES
from emseg.mixture.samples import Rows
from emseg.pipeline.options import SegmentOptions


def pose(features: Features, asked: SegmentOptions) -> Problem:
    """The problem of fitting a mixture to features, its likelihood in the features' own units."""
    model = COVARIANCES[asked.covariance]
    rows = Rows(features.x, features.weight, model.needs_products)
    return Problem(rows, model, asked.floor, -float(np.log(features.scale).sum()), features.unit)


def as_image(image: Image | NDArray[Any] | str | os.PathLike[str]) -> Image:
    """Read a path, wrap an array, or pass an image on."""
    if isinstance(image, Image):
        return image
    return Image.from_array(image) if isinstance(image, np.ndarray) else read_image(image)


def as_mask(mask: NDArray[Any] | str | os.PathLike[str], photo: Image) -> NDArray[np.bool_]:
    """The mask (H, W), True inside; raise DataError if an array has another number of axes."""
    if not isinstance(mask, np.ndarray):
        return read_mask(mask, photo.shape)
    if mask.ndim != 2:
        raise DataError(f"{photo.name}: the mask has shape {mask.shape}; give one of shape (H, W)")
    return np.asarray(mask != 0, np.bool_)


def require_distinct(features: Features, photo: Image, k: int) -> None:
    """Raise DataError unless there are at least K distinct samples, and two."""
    found = features.n_distinct(max(k, 2))
    if found == 1:
        raise DataError(f"{photo.name}: all pixels are equal, there is nothing to segment; check the image or the mask")
    if found < k:
        raise DataError(f"{photo.name}: {found} distinct values cannot make {k} components; use -k {found} or smaller")
