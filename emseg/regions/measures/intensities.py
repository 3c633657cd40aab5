"""Stored values of regions by band: mean, least and largest."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emseg.image.model import Image

Columns = dict[str, NDArray[np.generic]]
COLOURS = {"gray": ("gray",), "rgb": ("red", "green", "blue")}


def band_names(photo: Image) -> tuple[str, ...]:
    """What the bands of an image are called: by the file, by their colours, or by their numbers in the file."""
    count = photo.pixels.shape[2]
    numbers = photo.channels if len(photo.channels) == count else range(1, count + 1)
    plain = COLOURS.get(photo.colour, ()) if not photo.channel_names else photo.channel_names
    if len(plain) != count or len(set(plain)) < count:
        plain = tuple(f"band_{number}" for number in numbers)
    return tuple("_".join(name.split()) for name in plain)


def intensities(ids: NDArray[np.int32], count: int, photo: Image) -> Columns:
    """Columns of `count` values: `mean_`, `min_` and `max_` of each band; NaN where no value is known.

    Parameters
    ----------
    ids : ndarray, shape (H, W) or (Z, H, W)
        1…R; 0 is none.
    count : int
        R.
    photo : Image
        Of the shape of the ids, slices of a volume below one another.
    """
    places = np.flatnonzero(ids)
    owners = ids.ravel()[places]
    found: Columns = {}
    for band, name in enumerate(band_names(photo)):
        values, own = photo.pixels[:, :, band].ravel()[places], owners
        if photo.known is not None:
            known = photo.known[:, :, band].ravel()[places]
            values, own = values[known], own[known]
        seen = np.bincount(own, minlength=count + 1)[1:]
        values = values.astype(np.float64)
        ends = np.full((2, count + 1), [[np.inf], [-np.inf]])
        np.minimum.at(ends[0], own, values)
        np.maximum.at(ends[1], own, values)
        mean = np.bincount(own, values, count + 1)[1:] / np.maximum(seen, 1)
        columns = zip(("mean", "min", "max"), (mean, *ends[:, 1:]), strict=True)
        found |= {f"{what}_{name}": np.where(seen > 0, column, np.nan) for what, column in columns}
    return found
