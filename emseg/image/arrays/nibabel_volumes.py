"""Volumes that nibabel has loaded, as what they say of the pixels of an image."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from emseg.image.formats.nifti import image_of_nibabel
from emseg.image.limits import Reading
from emseg.image.mask_rule import MaskRule
from emseg.image.missing.masks import grown, inside_of
from emseg.image.model import Image
from emseg.image.place.alignment import OUTSIDE, UNLABELLED, aligned

FIRST = Reading()


def values_of_nibabel(data: Any, photo: Image, name: str) -> NDArray[Any]:
    """What a volume holds, on the grid of the image, (H, W, C).

    Raises
    ------
    ImageError
        If it lies elsewhere than the image, see `aligned`.
    """
    volume = image_of_nibabel(data, name, FIRST)
    return aligned(volume.pixels, volume.metadata, name, photo, "volume", UNLABELLED)[0]


def mask_of_nibabel(
    data: Any, photo: Image, channels: int, rule: MaskRule
) -> tuple[NDArray[np.bool_], tuple[str, ...]]:
    """The mask that a volume is, on the grid of the image, and lines that the user should read.

    Raises
    ------
    ImageError
        If it lies elsewhere than the image, see `aligned`.
    """
    mask = image_of_nibabel(data, "mask", FIRST)
    inside, lines = inside_of(mask, rule)
    inside, notices = aligned(inside, mask.metadata, "mask", photo, "mask", OUTSIDE)
    inside = inside if inside.shape[2] == channels > 1 else np.asarray(inside.any(axis=2))
    return grown(inside, rule.grow, photo.metadata.get("volume")), lines + notices
