"""Stored values of regions by band: mean, least and largest."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emseg.image.model import Image
from emseg.regions.measures.runs import Runs

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


def intensities(runs: Runs, photo: Image) -> Columns:
    """Columns of R values: `mean_`, `min_` and `max_` of each band; NaN where no value is known.

    Parameters
    ----------
    runs : Runs
        Of the regions.
    photo : Image
        Slices of a volume are below one another.
    """
    found: Columns = {}
    for band, name in enumerate(band_names(photo)):
        values = photo.pixels[:, :, band].ravel()
        if photo.known is None:
            seen, total, (least, largest) = runs.areas.astype(np.float64), runs.total(values), runs.ends(values)
        else:
            known = photo.known[:, :, band].ravel()
            values = values.astype(np.float64)
            seen, total = runs.total(known), runs.total(np.where(known, values, 0))
            least, largest = (
                runs.ends(np.where(known, values, np.inf))[0],
                runs.ends(np.where(known, values, -np.inf))[1],
            )
        columns = zip(("mean", "min", "max"), (total / np.maximum(seen, 1), least, largest), strict=True)
        found |= {f"{what}_{name}": np.where(seen > 0, column, np.nan) for what, column in columns}
    return found
