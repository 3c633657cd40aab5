"""Connected regions of a label map, with small and similar ones merged."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from emseg.features.model import Features
from emseg.regions.described_image import DescribedImage, describe_image, renumbered, whitened_graph
from emseg.regions.graph import absorb_small, components, merge_alike

#: Cost at which neighbours become one with `merge=1`, see `emseg.regions.graph.merge_alike`: squared distances in units
#: of the classes' covariance, times √3000 for large regions, so regions at most 2.7 standard deviations apart.
ALIKE = 400.0


def connected_parts(
    labels: NDArray[np.unsignedinteger],
    features: Features,
    smallest: int | str,
    alike: float | str,
    area: float | None = None,
    image: DescribedImage | None = None,
) -> tuple[NDArray[np.int32], dict[str, Any]]:
    """Number 1…R the connected components of labels in raster order, after small and similar ones have merged.

    Parameters
    ----------
    labels : ndarray, shape (H, W) or (Z, H, W)
        0 where there is no data; that has no number either.
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
    ids : ndarray of int32, shape of the labels
    facts : dict
        What `regions` of the report says of them.
    """
    facts: dict[str, Any] = {}
    if "auto" in (smallest, alike):
        image = image or describe_image(features, labels.shape if labels.ndim == 3 else None)
        area = area or image.independent_area(labels)
        smallest = image.smallest(area) if isinstance(smallest, str) else smallest
        facts = {"independent_area": area, "price": image.prices(area)[0]}
        if isinstance(alike, str):
            found = image.merged(labels, int(smallest), area)
    if not isinstance(alike, str):
        ids = components(labels)
        parts = whitened_graph(ids, known_planes(features, labels.shape), labels)
        names = absorb_small(parts, int(smallest))
        found = renumbered(ids, merge_alike(parts.merged(names), alike * ALIKE)[names] if alike else names)
    return found, {"count": int(found.max(initial=0)), "least": smallest, "merge": alike} | facts


def known_planes(features: Features, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """The features of each pixel, (D, *shape); the mean, where a value is unknown."""
    x = features.x[:, features.on_grid(np.arange(features.x.shape[1]))]
    return np.where(np.isfinite(x), x, 0).reshape(-1, *shape)
