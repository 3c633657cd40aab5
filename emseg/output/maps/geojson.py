"""Classes as GeoJSON (RFC 7946): a MultiPolygon for each label, in coordinates of the ground if they are known."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emseg.image.place.ground import epsg, ground
from emseg.output.maps.polygons import Ring, polygons
from emseg.output.pictures.slices import as_plane
from emseg.output.segmented import Segmented

PIXELS = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])


def geojson_file(result: Segmented) -> bytes:
    """The classes of a segmentation as polygons; those of a volume in the montage of its slices."""
    image, labels = as_plane(result.image, result.labels)
    return classes_geojson(labels, result.mixture.k, image.metadata, result.colours)


def classes_geojson(
    labels: NDArray[np.unsignedinteger[Any]], k: int, metadata: Mapping[str, Any], colours: NDArray[np.uint8] | None
) -> bytes:
    """Encode labels (H, W) 1…K as a FeatureCollection of K features, with their pixels and mean colours (K, 3).

    Coordinates are pixels, x to the right and y down; the corner of the picture is (0, 0). If the input is a GeoTIFF
    with an affine map, they are those of the ground, and `crs` names their system by its EPSG code.
    """
    affine = ground(metadata.get("geotiff", {}))
    matrix = PIXELS if affine is None else affine
    clockwise = np.linalg.det(matrix[:, :2]) > 0  # with y down, which is against the clock with y up
    counts = np.bincount(labels.ravel(), minlength=k + 1)
    shapes: list[list[list[Any]]] = [[] for _ in range(k + 1)]
    for polygon in polygons(labels):
        shapes[polygon.label].append([_placed(ring, matrix, clockwise) for ring in (polygon.outer, *polygon.inner)])
    features = []
    for label in range(1, k + 1):
        facts: dict[str, Any] = {"label": label, "pixels": int(counts[label])}
        if colours is not None:
            facts["colour"] = "#" + bytes(colours[label - 1]).hex()
        geometry = {"type": "MultiPolygon", "coordinates": shapes[label]}
        features.append({"type": "Feature", "id": label, "properties": facts, "geometry": geometry})
    collection: dict[str, Any] = {"type": "FeatureCollection", "features": features}
    code = epsg(metadata.get("geotiff", {})) if affine is not None else None
    if code:
        collection["crs"] = {"type": "name", "properties": {"name": f"urn:ogc:def:crs:EPSG::{code}"}}
    return json.dumps(collection, separators=(",", ":"), allow_nan=False).encode()


def _placed(ring: Ring, matrix: NDArray[np.float64], keep: bool) -> list[list[float]]:
    """A closed ring in the coordinates of the ground."""
    points = [*ring, ring[0]] if keep else [ring[0], *reversed(ring)]
    if matrix is PIXELS:
        return [list(point) for point in points]
    placed: list[list[float]] = (np.array(points) @ matrix[:, :2].T + matrix[:, 2]).tolist()
    return placed
