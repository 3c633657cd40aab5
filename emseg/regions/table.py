"""Regions of a segmentation: which pixels hang together, and a table of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emseg.features.model import Features
from emseg.image.model import Image
from emseg.records import record
from emseg.regions.measures.intensities import intensities
from emseg.regions.measures.runs import runs_of
from emseg.regions.measures.shape_columns import shape_columns, touches_border

Array = NDArray[np.float64]


@record(frozen=True, eq=False)
class Regions:
    """Connected parts of an image.

    Attributes
    ----------
    ids : ndarray of int32, shape (H, W) or (Z, H, W)
        1…R in raster order of their first pixels; 0 where there is no data, and on the ground of objects.
    table : dict of str to ndarray, shape (R,)
        region; class (that of most of its pixels), which is label, too; area in pixels; left, top, width, height; x
        and y (the centre of mass); touches_border; confidence (mean probability of the class); the mean of each feature
        in its own units; mean, min and max of each band as stored; and the measures of `shape_columns`. In a volume,
        also front, depth and z, which count slices; area is the number of voxels.
    """

    ids: NDArray[np.int32]
    table: dict[str, NDArray[np.generic]]

    def __repr__(self) -> str:
        return f"{self.count} region{'s' * (self.count != 1)}, with the columns {', '.join(self.table)}"

    @property
    def classes(self) -> NDArray[np.int_]:
        """The class of each region, that of most of its pixels; shape (R,)."""
        return np.asarray(self.table["class"], np.int_)

    @property
    def count(self) -> int:
        """R."""
        return int(self.table["region"].size)


def region_table(
    ids: NDArray[np.int32],
    labels: NDArray[np.unsignedinteger],
    posterior: NDArray[np.float32],
    features: Features,
    photo: Image,
) -> dict[str, NDArray[np.generic]]:
    """The columns of `Regions.table`.

    Parameters
    ----------
    ids : ndarray, shape (H, W) or (Z, H, W)
    labels : ndarray, shape of the ids
    posterior : ndarray, K times that shape
    features : Features
    photo : Image
        With the stored values, and the size of a pixel.
    """
    flat, k = ids.ravel(), len(posterior)
    count = int(flat.max(initial=0))
    runs = runs_of(ids, count)
    area = runs.areas
    votes = np.bincount(flat.astype(np.int64) * (k + 1) + labels.ravel(), minlength=(count + 1) * (k + 1))
    label = votes.reshape(count + 1, k + 1)[1:, 1:].argmax(1) + 1
    own = np.concatenate([[0], label - 1])[flat]
    sure = np.where(flat > 0, np.take_along_axis(posterior.reshape(k, -1), own[None], 0)[0], 0)
    columns: dict[str, NDArray[np.generic]] = {"region": np.arange(1, count + 1), "class": label, "area": area}
    first, sides = _boxes(ids, count)
    columns |= dict(zip(("left", "top", "front"), first[::-1], strict=False))
    columns |= dict(zip(("width", "height", "depth"), sides[::-1], strict=False))
    columns |= dict(zip("xyz", runs.centres.T[::-1], strict=False))
    columns |= {
        "touches_border": touches_border(first, sides, ids.shape),
        "confidence": runs.total(sure.ravel()) / area,
    }
    x = features.x[:, features.on_grid(np.arange(features.x.shape[1]))].reshape(len(features.x), -1)
    rows = features.standard(x)
    for name, plane, shift, scale in zip(features.names, rows, features.shift, features.scale, strict=True):
        known = np.isfinite(plane)
        seen = area if known.all() else np.maximum(runs.total(known), 1)
        mean = shift + scale * runs.total(plane if known.all() else np.where(known, plane, 0)) / seen
        columns[name if name not in columns else f"feature_{name}"] = mean
    columns |= intensities(runs, photo)
    return columns | shape_columns(ids, runs, photo.pixel_size) | {"label": label}


def _boxes(ids: NDArray[np.int32], count: int) -> tuple[NDArray[np.int_], NDArray[np.int_]]:
    """Where regions begin along each axis, and how long they are, (2 or 3, R) each."""
    from scipy.ndimage import find_objects

    ends = np.array([[[side.start, side.stop] for side in box] for box in find_objects(ids, count)], np.int_)
    first, last = ends.reshape(-1, ids.ndim, 2).transpose(2, 1, 0)
    return first, last - first
