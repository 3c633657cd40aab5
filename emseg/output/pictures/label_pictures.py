"""Pictures of a segmentation in flat colours: its label map, its mean colours and its regions."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from emseg.output.pictures.palette import palette
from emseg.output.pictures.png_encoder import label_png, mean_png
from emseg.output.pictures.slices import as_plane, montage
from emseg.output.registry import MOST_IDS
from emseg.output.segmented import Segmented


def labels_file(result: Segmented) -> bytes:
    """The label map as a PNG whose stored values are the labels."""
    image, plane = as_plane(result.image, result.labels)
    return label_png(plane, palette(result.mixture.k), image.metadata.get("resolution"))


def means_file(result: Segmented) -> bytes:
    """Each class in its mean colour, or in that of the label map where an image has no colours."""
    _, plane = as_plane(result.image, result.labels)
    return mean_png(plane, palette(result.mixture.k)[1:] if result.colours is None else result.colours)


def regions_file(result: Segmented) -> bytes:
    """The map of connected regions as a PNG whose stored values are their numbers; a TIFF where 16 bits are too few."""
    if result.regions is not None and result.regions.count > MOST_IDS:
        from emseg.output.maps.tiff_writer import labels_tiff  # hardly any image has so many

        return labels_tiff(result.regions.ids.astype(np.uint32), result.image.metadata)
    ids = region_ids(result)
    return label_png(ids, palette(int(ids.max())), result.image.metadata.get("resolution"))


def region_ids(result: Segmented) -> NDArray[np.unsignedinteger[Any]]:
    """The number of each pixel's region in 16 bits; of a volume, as a montage of its slices.

    Of more regions than 16 bits can number, some have the same: those have the same colour, far apart from each other.

    Raises
    ------
    ValueError
        If no regions were looked for.
    """
    if result.regions is None:
        raise ValueError("no regions were looked for")
    ids, volume = result.regions.ids, result.image.metadata.get("volume")
    if result.regions.count > MOST_IDS:
        ids = np.where(ids > 0, (ids - 1) % MOST_IDS + 1, 0)
    return (ids if volume is None else montage(ids, volume)).astype(np.uint16)
