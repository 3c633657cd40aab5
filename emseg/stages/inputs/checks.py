"""Refusals that need pixels. All of them come before the first E-step, so that nobody waits for one."""

from __future__ import annotations

import numpy as np

from emseg.errors import DataError, option
from emseg.features.model import Features
from emseg.features.specification import parse_spec
from emseg.image.model import Image


def check_image(photo: Image, *, features: str, mrf: str, neighbours: str) -> None:
    """Hold options against what kind of image this is.

    Parameters
    ----------
    photo : Image
    features : str
        Specification of the features.
    mrf : str
        Whether there is a field, and which.
    neighbours : str
        Number of neighbours, or ``"auto"``.

    Raises
    ------
    UsageError
        If a feature does not fit the image's channels, or a neighbourhood its dimensions.
    """
    parse_spec(features, photo.colour)
    if mrf != "none":
        from emseg.stages.labels.field import neighbour_count

        neighbour_count(neighbours, len(photo.metadata.get("volume", photo.shape)))


def check_samples(photo: Image, features: Features, k: int) -> None:
    """Hold the number of components against the samples.

    Raises
    ------
    DataError
        If there are fewer than K distinct samples, or fewer than two.
    """
    found = features.n_distinct(max(k, 2))
    if found == 1:
        remedy = "check the image or the mask"
        where = ""
        if features.spec not in ("gray", "lab", "rgb", "bands") and np.ptp(photo.pixels) > 0:
            where, remedy = (
                f" in {option('features', features.spec)}",
                f"{remedy}, or compare pixels by another feature",
            )
        raise DataError(f"{photo.name}: all pixels are equal{where}, there is nothing to segment; {remedy}")
    if found < k:
        remedy = f"use {option('k', found)} or smaller"
        raise DataError(f"{photo.name}: {found} distinct values cannot make {k} components; {remedy}")


def check_field(photo: Image, features: Features, k: int) -> None:
    """Hold a field of at least K classes against the samples.

    Raises
    ------
    DataError
        If there are no neighbours, pixels that are known in part, or more classes than a field can hold.
    """
    without = option("mrf", "none")
    if features.n_pixels < 2:
        raise DataError(f"{photo.name}: a field needs two pixels or more; use {without}")
    if not np.isfinite(features.x).all():
        remedy = f"use {option('missing', 'drop')}, or {without}"
        raise DataError(f"{photo.name}: a field needs all channels of a pixel; {remedy}")
    from emseg.stages.labels.field import require_classes

    require_classes(photo, k)
