"""Regions, or classes, as GeoJSON (RFC 7946), in coordinates of the ground if they are known."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emseg.image.place.ground import ground
from emseg.output.maps.ground_system import Points, crs_member, to_longitude_latitude
from emseg.output.maps.map_parts import MapParts, map_parts
from emseg.output.maps.polygons import Ring, polygons
from emseg.output.segmented import Segmented

PIXELS = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])


def geojson_file(result: Segmented) -> bytes:
    """The regions of a segmentation, or its classes, as polygons."""
    return parts_geojson(map_parts(result), result.image.metadata, result.colours)


def wgs84_file(result: Segmented) -> bytes:
    """The same in longitude and latitude on WGS 84, which is what RFC 7946 asks for.

    Raises
    ------
    DataError
        If the image does not tell its place, or its coordinate system is not known.
    """
    image = result.image
    to_degrees = to_longitude_latitude(image.metadata.get("geotiff", {}), image.name)
    return parts_geojson(map_parts(result), image.metadata, result.colours, to_degrees)


def parts_geojson(
    parts: MapParts,
    metadata: Mapping[str, Any],
    colours: NDArray[np.uint8] | None,
    to_degrees: Callable[[Points], Points] | None = None,
) -> bytes:
    """Encode parts as a FeatureCollection: a feature for each, with its class, its pixels and the class's mean colour.

    Coordinates are pixels, x to the right and y down; the corner of the picture is (0, 0). In a volume, z is the number
    of the slice, from 0. If the input tells its place, they are those of the ground, and `crs` names their system; or
    they are degrees, if a function makes them of places on the ground.
    """
    affine = ground(metadata.get("geotiff", {}))
    matrix = PIXELS if affine is None else affine
    clockwise = np.linalg.det(matrix[:, :2]) > 0  # with y down, which is against the clock with y up
    shapes: list[list[list[Any]]] = [[] for _ in range(len(parts.classes) + 1)]
    for z, plane in parts.slices:
        slice_number = [z] * (parts.numbers.ndim == 3)
        for polygon in polygons(plane):
            rings = [_placed(ring, matrix, clockwise, slice_number) for ring in (polygon.outer, *polygon.inner)]
            if to_degrees:
                rings = [to_degrees(np.array(ring)).tolist() for ring in rings]
            shapes[polygon.label].append(rings)
    features = []
    for number, (label, pixels) in enumerate(zip(parts.classes.tolist(), parts.pixels.tolist(), strict=True), 1):
        facts: dict[str, Any] = {parts.word: number, "class": label, "label": label, "pixels": pixels}
        if colours is not None:
            facts["colour"] = "#" + bytes(colours[label - 1]).hex()
        single = parts.word == "region" and len(shapes[number]) == 1
        geometry = {
            "type": "Polygon" if single else "MultiPolygon",
            "coordinates": shapes[number][0] if single else shapes[number],
        }
        features.append({"type": "Feature", "id": number, "properties": facts, "geometry": geometry})
    collection: dict[str, Any] = {"type": "FeatureCollection", "features": features}
    if affine is not None and not to_degrees:
        collection |= crs_member(metadata["geotiff"])
    return json.dumps(collection, separators=(",", ":"), allow_nan=False).encode()


def _placed(ring: Ring, matrix: NDArray[np.float64], keep: bool, slice_number: list[int]) -> list[list[float]]:
    """A closed ring in the coordinates of the ground; in a volume, with the number of its slice."""
    points = [*ring, ring[0]] if keep else [ring[0], *reversed(ring)]
    if matrix is PIXELS:
        return [[*point, *slice_number] for point in points]
    placed: list[list[float]] = (np.array(points) @ matrix[:, :2].T + matrix[:, 2]).tolist()
    return placed
