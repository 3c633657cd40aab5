"""How much each pixel counts in a fit."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emseg.errors import DataError, UsageError, option
from emseg.features.model import Features
from emseg.image.arrays.array_like import as_given
from emseg.image.model import Image
from emseg.options.declarations.segmentation import SegmentOptions

NAME = "sample_weight"


def weights_in_memory(given: Any, shape: tuple[int, ...], what: str) -> NDArray[np.float64]:
    """Weights of this shape: numbers of 0 or more, of which a masked one is 0.

    Parameters
    ----------
    given : array-like
    shape : tuple of int
    what : str
        What has a weight each, for messages.

    Raises
    ------
    DataError
        If it has another shape, or holds other numbers.
    """
    array, known = as_given(given, NAME)[:2]
    found = array.astype(np.float64) if known is None else np.where(known, array, 0).astype(np.float64)
    if found.shape not in (shape, (*shape, 1)):
        raise DataError(f"{NAME}: has the shape {found.shape}; give a number for each of {what}")
    if not (np.isfinite(found).all() and (found >= 0).all()):
        raise DataError(f"{NAME}: holds numbers below 0, or none; give 0 or more")
    return found.reshape(shape)


def weighted(features: Features, given: Any, photo: Image, settings: SegmentOptions) -> Features:
    """The features with as many samples as their pixels count for.

    Raises
    ------
    UsageError
        If the labels are to depend on neighbours, which do not count by their weights.
    DataError
        If a weight is no number of 0 or more, or no pixel that is used has one above 0.
    """
    for name in ("mrf", "scribbles", "box", "prior_map"):
        value = getattr(settings, name)
        if value not in ("none", "default", ""):
            raise UsageError(f"{NAME}: does not go with {option(name, str(value))}; leave one of them out")
    size = " × ".join(map(str, photo.grid))
    counted = counting(features, weights_in_memory(given, photo.grid, f"{size} pixels"))
    if not counted.weight.any():
        raise DataError(f"{NAME}: is 0 for every pixel that is used; check it")
    return counted


def counting(features: Features, weights: NDArray[Any]) -> Features:
    """The features with as many samples as the weights of their pixels, (H, W) or (Z, H, W), add up to."""
    n = features.x.shape[1]
    owner = features.on_grid(np.arange(1, n + 1)).ravel()
    return replace(features, weight=np.bincount(owner, weights.ravel(), n + 1)[1:].astype(np.float64))
