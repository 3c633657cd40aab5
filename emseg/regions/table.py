"""Regions of a segmentation: which pixels hang together, and a table of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emseg.features.model import Features
from emseg.regions.described_image import DescribedImage, describe_image, renumbered, whitened_graph
from emseg.regions.graph import absorb_small, components, merge_alike

Array = NDArray[np.float64]
#: Cost at which neighbours become one with `merge=1`, see `emseg.regions.graph.merge_alike`: squared distances in units
#: of the classes' covariance, times √3000 for large regions, so regions at most 2.7 standard deviations apart.
ALIKE = 400.0


@dataclass(frozen=True, eq=False)
class Regions:
    """Connected parts of an image.

    Attributes
    ----------
    ids : ndarray of int32, shape (H, W)
        1…R in raster order of their first pixels; 0 where there is no data.
    table : dict of str to ndarray, shape (R,)
        region, label (of most of its pixels), area, left, top, width, height, x and y (the centre of mass), confidence
        (mean probability of that label), and the mean of each feature in its own units.
    """

    ids: NDArray[np.int32]
    table: dict[str, NDArray[np.generic]]

    @property
    def count(self) -> int:
        """R."""
        return int(self.table["region"].size)


def find_regions(
    labels: NDArray[np.unsignedinteger],
    posterior: NDArray[np.float32],
    features: Features,
    smallest: int | str,
    alike: float | str,
    volume: tuple[int, ...] | None = None,
    area: float | None = None,
    image: DescribedImage | None = None,
) -> tuple[Regions, dict[str, object]]:
    """Connected components of labels, with small and similar ones merged.

    Parameters
    ----------
    labels : ndarray, shape (H, W)
    posterior : ndarray, shape (K, H, W)
    features : Features
    smallest : int or "auto"
        Smaller components join the neighbour that they resemble most; auto: see `DescribedImage.smallest`.
    alike : float or "auto"
        Then neighbours merge whose cost is below this times ALIKE; 0 for none. auto: neighbours merge where that
        shortens the description of the image, see `emseg.regions.description_length`.
    volume : tuple of int, optional
        The shape in space, if the rows of the grid are those of several slices.
    area : float, optional
        Pixels that one independent sample takes, where that is known; else it is measured.
    image : DescribedImage, optional
        What regions are compared by; the features, unless given.

    Returns
    -------
    regions : Regions
    facts : dict
        `regions` of the report.
    """
    shape = volume or labels.shape
    x = features.x[:, features.on_grid(np.arange(features.x.shape[1]))].reshape(len(features.x), -1)
    facts: dict[str, object] = {}
    if "auto" in (smallest, alike):
        image, classes = image or describe_image(features, volume), labels.reshape(shape)
        area = area or image.independent_area(classes)
        smallest = image.smallest(area) if isinstance(smallest, str) else smallest
        facts = {"independent_area": area, "price": image.prices(area)[0]}
        if isinstance(alike, str):
            found = image.merged(classes, int(smallest), area)
    if not isinstance(alike, str):
        ids = components(labels.reshape(shape))
        known = np.where(np.isfinite(x), x, 0)  # the mean, where a value is unknown
        parts = whitened_graph(ids, known.reshape(-1, *shape), labels.reshape(shape))
        names = absorb_small(parts, int(smallest))
        found = renumbered(ids, merge_alike(parts.merged(names), alike * ALIKE)[names] if alike else names)
    found = found.reshape(labels.shape)
    regions = Regions(found, _table(found, labels, posterior, features, x))
    return regions, {"count": regions.count, "least": smallest, "merge": alike} | facts


def _table(
    ids: NDArray[np.int32],
    labels: NDArray[np.unsignedinteger],
    posterior: NDArray[np.float32],
    features: Features,
    x: Array,
) -> dict[str, NDArray[np.generic]]:
    flat, k = ids.ravel(), len(posterior)
    count = int(flat.max(initial=0))

    def total(values: NDArray[np.generic]) -> Array:
        return np.bincount(flat, values, count + 1)[1:].astype(np.float64)

    area = np.bincount(flat, minlength=count + 1)[1:]
    votes = np.bincount(flat.astype(np.int64) * (k + 1) + labels.ravel(), minlength=(count + 1) * (k + 1))
    label = votes.reshape(count + 1, k + 1)[1:, 1:].argmax(1) + 1
    own = np.concatenate([[0], label - 1])[flat]
    sure = np.take_along_axis(posterior.reshape(k, -1), own[None], 0)[0]
    y, x_at = (plane.ravel() for plane in np.indices(ids.shape))
    columns: dict[str, NDArray[np.generic]] = {"region": np.arange(1, count + 1), "label": label, "area": area}
    box = _boxes(ids, count)
    columns |= {"left": box[2], "top": box[0], "width": box[3] - box[2], "height": box[1] - box[0]}
    columns |= {"x": total(x_at) / area, "y": total(y) / area, "confidence": total(sure) / area}
    for name, plane, shift, scale in zip(features.names, x, features.shift, features.scale, strict=True):
        known = np.isfinite(plane)
        seen = area if known.all() else np.maximum(total(known), 1)
        columns[name] = shift + scale * total(plane if known.all() else np.where(known, plane, 0)) / seen
    return columns


def _boxes(ids: NDArray[np.int32], count: int) -> NDArray[np.int_]:
    """First row, row after the last, first column, column after the last; shape (4, R)."""
    from scipy.ndimage import find_objects

    found = find_objects(ids, count)
    return np.array([[r.start, r.stop, c.start, c.stop] for r, c in found], np.int_).reshape(-1, 4).T
