"""Pictures of a segmentation in flat colours: its label map, its mean colours and its regions."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from emseg.errors import DataError, option
from emseg.output.pictures.palette import palette
from emseg.output.pictures.png_encoder import label_png, mean_png
from emseg.output.pictures.slices import as_plane, montage
from emseg.output.segmented import Segmented

MOST_IDS = (1 << 16) - 1  # what 16 bits hold


def labels_file(result: Segmented) -> bytes:
    """The label map as a PNG whose stored values are the labels."""
    image, plane = as_plane(result.image, result.labels)
    return label_png(plane, palette(result.mixture.k), image.metadata.get("resolution"))


def means_file(result: Segmented) -> bytes:
    """Each class in its mean colour, or in that of the label map where an image has no colours."""
    _, plane = as_plane(result.image, result.labels)
    return mean_png(plane, palette(result.mixture.k)[1:] if result.colours is None else result.colours)


def regions_file(result: Segmented) -> bytes:
    """The map of connected regions as a PNG whose stored values are their numbers."""
    ids = region_ids(result)
    return label_png(ids, palette(int(ids.max())), result.image.metadata.get("resolution"))


def region_ids(result: Segmented) -> NDArray[np.unsignedinteger[Any]]:
    """The number of each pixel's region in 16 bits; of a volume, as a montage of its slices.

    Raises
    ------
    DataError
        If there are more regions than 16 bits can tell apart.
    ValueError
        If no regions were looked for.
    """
    if result.regions is None:
        raise ValueError("no regions were looked for")
    if result.regions.count > MOST_IDS:
        raise DataError(
            f"{result.image.name}: {result.regions.count} regions do not fit a PNG; use larger {option('regions')}"
        )
    ids, volume = result.regions.ids, result.image.metadata.get("volume")
    return (ids if volume is None else montage(ids, volume)).astype(np.uint16)
