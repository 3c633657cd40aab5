"""What vector files and integer maps hold: the regions of a segmentation if they were looked for, else its classes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emseg.output.segmented import Segmented
from emseg.records import NamedRecord


class MapParts(NamedRecord):
    """A map of numbered parts.

    Attributes
    ----------
    numbers : ndarray of int, shape (H, W), or (Z, H, W) of a volume
        The part of each pixel, 1…P; 0 where there is none.
    classes : ndarray of int, shape (P,)
        The class of each part.
    word : str
        What a part is: ``"region"`` or ``"class"``.
    """

    numbers: NDArray[np.integer[Any]]
    classes: NDArray[np.integer[Any]]
    word: str

    @property
    def slices(self) -> Iterator[tuple[int, NDArray[np.integer[Any]]]]:
        """The planes (H, W) of a volume with their numbers from 0; the only one of an image."""
        return enumerate(self.numbers.reshape(-1, *self.numbers.shape[-2:]))

    @property
    def pixels(self) -> NDArray[np.int_]:
        """How many pixels each part has, shape (P,)."""
        return np.bincount(self.numbers.ravel(), minlength=len(self.classes) + 1)[1:]


def map_parts(result: Segmented) -> MapParts:
    """The regions of a segmentation, or its classes without them."""
    if result.regions is not None:
        return MapParts(result.regions.ids, result.regions.classes, "region")
    labels = result.image.in_space(result.labels) if result.labels.ndim == 2 else result.labels
    return MapParts(labels, np.arange(1, result.mixture.k + 1), "class")
