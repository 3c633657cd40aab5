"""Regions, or classes, as GeoJSON (RFC 7946), in coordinates of the ground if they are known."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emseg.image.place.ground import ground
from emseg.output.maps.ground_system import Points, crs_member, to_longitude_latitude
from emseg.output.maps.map_parts import MapParts, map_parts
from emseg.output.maps.polygons import Outlines, outlines
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
    keep = bool(np.linalg.det(matrix[:, :2]) > 0)  # clockwise with y down, which is against the clock with y up
    shapes: list[list[str]] = [[] for _ in range(len(parts.classes) + 1)]
    for z, plane in parts.slices:
        rings = outlines(plane)
        points, starts = _closed(rings, keep)
        places = points if matrix is PIXELS else _on_ground(points, matrix)
        if matrix is PIXELS and parts.numbers.ndim == 3:
            places = np.insert(places, 2, z, axis=1)
        if to_degrees:
            places = to_degrees(np.asarray(places, np.float64))
        texts = _texts(places, starts)
        ends = [*np.flatnonzero(rings.outer).tolist(), len(texts)]
        for first, last in itertools.pairwise(ends):
            shapes[rings.labels[first]].append("[" + ",".join(texts[first:last]) + "]")
    features = []
    for number, (label, pixels) in enumerate(zip(parts.classes.tolist(), parts.pixels.tolist(), strict=True), 1):
        facts: dict[str, Any] = {parts.word: number, "class": label, "label": label, "pixels": pixels}
        if colours is not None:
            facts["colour"] = "#" + bytes(colours[label - 1]).hex()
        single = parts.word == "region" and len(shapes[number]) == 1
        kind, inside = ("Polygon", shapes[number][0]) if single else ("MultiPolygon", f"[{','.join(shapes[number])}]")
        geometry = f'{{"type":"{kind}","coordinates":{inside}}}'
        features.append(f'{{"type":"Feature","id":{number},"properties":{_dumped(facts)},"geometry":{geometry}}}')
    crs = crs_member(metadata["geotiff"]) if affine is not None and not to_degrees else {}
    more = "," + _dumped(crs)[1:-1] if crs else ""
    return f'{{"type":"FeatureCollection","features":[{",".join(features)}]{more}}}'.encode()


def _dumped(facts: object) -> str:
    return json.dumps(facts, separators=(",", ":"), allow_nan=False)


def _closed(rings: Outlines, keep: bool) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The points of all rings, the first of each again at its end; backwards unless `keep`. And their starts."""
    lengths = np.diff(rings.starts)
    starts = np.concatenate([[0], np.cumsum(lengths + 1)])
    place = np.arange(starts[-1]) - np.repeat(starts[:-1], lengths + 1)
    each = np.repeat(lengths, lengths + 1)
    place = (place if keep else each - place) % each
    return rings.points[place + np.repeat(rings.starts[:-1], lengths + 1)], starts


def _on_ground(points: NDArray[np.int64], matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """Corners of pixels in the coordinates of the ground; sums are in one order, whatever the processor."""
    x, y = points.T.astype(np.float64)
    return np.stack([row[0] * x + row[1] * y + row[2] for row in matrix], axis=1)


def _texts(places: NDArray[Any], starts: NDArray[np.int64]) -> list[str]:
    """Each ring as JSON."""
    return [_dumped(places[first:last].tolist()) for first, last in itertools.pairwise(starts.tolist())]
