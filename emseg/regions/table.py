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
    ids : ndarray of int32, shape (H, W) or (Z, H, W)
        1…R in raster order of their first pixels; 0 where there is no data.
    table : dict of str to ndarray, shape (R,)
        region, label (the class of most of its pixels), area, left, top, width, height, x and y (the centre of mass),
        confidence (mean probability of that class), and the mean of each feature in its own units. In a volume, also
        front, depth and z, which count slices; area is the number of voxels.
    """

    ids: NDArray[np.int32]
    table: dict[str, NDArray[np.generic]]

    @property
    def classes(self) -> NDArray[np.int_]:
        """The class of each region, that of most of its pixels; shape (R,)."""
        return np.asarray(self.table["label"], np.int_)

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
    area: float | None = None,
    image: DescribedImage | None = None,
) -> tuple[Regions, dict[str, object]]:
    """Connected components of labels, with small and similar ones merged.

    Parameters
    ----------
    labels : ndarray, shape (H, W) or (Z, H, W)
    posterior : ndarray, shape (K, H, W) or (K, Z, H, W)
    features : Features
    smallest : int or "auto"
        Smaller components join the neighbour that they resemble most; auto: see `DescribedImage.smallest`.
    alike : float or "auto"
        Then neighbours merge whose cost is below this times ALIKE; 0 for none. auto: neighbours merge where that
        shortens the description of the image, see `emseg.regions.description_length`.
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
    shape = labels.shape
    x = features.x[:, features.on_grid(np.arange(features.x.shape[1]))].reshape(len(features.x), -1)
    facts: dict[str, object] = {}
    if "auto" in (smallest, alike):
        image = image or describe_image(features, shape if labels.ndim == 3 else None)
        area = area or image.independent_area(labels)
        smallest = image.smallest(area) if isinstance(smallest, str) else smallest
        facts = {"independent_area": area, "price": image.prices(area)[0]}
        if isinstance(alike, str):
            found = image.merged(labels, int(smallest), area)
    if not isinstance(alike, str):
        ids = components(labels)
        known = np.where(np.isfinite(x), x, 0)  # the mean, where a value is unknown
        parts = whitened_graph(ids, known.reshape(-1, *shape), labels)
        names = absorb_small(parts, int(smallest))
        found = renumbered(ids, merge_alike(parts.merged(names), alike * ALIKE)[names] if alike else names)
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
    columns: dict[str, NDArray[np.generic]] = {"region": np.arange(1, count + 1), "label": label, "area": area}
    first, sides = _boxes(ids, count)
    columns |= dict(zip(("left", "top", "front"), first[::-1], strict=False))
    columns |= dict(zip(("width", "height", "depth"), sides[::-1], strict=False))
    places: tuple[NDArray[np.int_], ...] = np.ogrid[tuple(slice(length) for length in ids.shape)]
    at = {
        name: total(np.broadcast_to(place, ids.shape).ravel()) / area
        for name, place in zip("xyz", reversed(places), strict=False)
    }
    columns |= {**at, "confidence": total(sure) / area}
    for name, plane, shift, scale in zip(features.names, x, features.shift, features.scale, strict=True):
        known = np.isfinite(plane)
        seen = area if known.all() else np.maximum(total(known), 1)
        columns[name] = shift + scale * total(plane if known.all() else np.where(known, plane, 0)) / seen
    return columns


def _boxes(ids: NDArray[np.int32], count: int) -> tuple[NDArray[np.int_], NDArray[np.int_]]:
    """Where regions begin along each axis, and how long they are, (2 or 3, R) each."""
    from scipy.ndimage import find_objects

    ends = np.array([[[side.start, side.stop] for side in box] for box in find_objects(ids, count)], np.int_)
    first, last = ends.reshape(-1, ids.ndim, 2).transpose(2, 1, 0)
    return first, last - first
