"""GeoJSON: the same pixels in other words."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from emseg.image.place.ground import epsg, ground
from emseg.output.maps.geojson import geojson_file, parts_geojson
from emseg.output.maps.map_parts import MapParts
from emseg.regions.graph import components

from ..segmented import Regions, plane, volume

LABELS = np.random.default_rng(0).integers(0, 4, (12, 17)).astype(np.uint8)
KEYS = (1, 1, 0, 3, 1024, 0, 1, 1, 1025, 0, 1, 1, 3072, 0, 1, 32633)
TAGS: dict[int, Any] = {33550: (10.0, 20.0, 0.0), 33922: (0.0, 0.0, 0.0, 5e5, 4.6e6, 0.0), 34735: KEYS}


def classes(labels: np.ndarray, k: int) -> MapParts:
    return MapParts(labels, np.arange(1, k + 1), "class")


def area(ring: list[list[float]]) -> float:
    assert ring[0] == ring[-1]
    x, y = np.array(ring[:-1]).T
    return float(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2


@pytest.mark.parametrize(("metadata", "pixel"), [({}, 1.0), ({"geotiff": TAGS}, 200.0)])
def test_areas_and_directions(metadata: dict[str, Any], pixel: float) -> None:
    """Outlines run against the clock, holes with it (RFC 7946, 3.1.6), in the coordinates they are in."""
    facts = json.loads(parts_geojson(classes(LABELS, 4), metadata, None))
    assert facts["type"] == "FeatureCollection"
    assert [feature["properties"]["label"] for feature in facts["features"]] == [1, 2, 3, 4]
    for label, feature in enumerate(facts["features"], 1):
        rings = [ring for polygon in feature["geometry"]["coordinates"] for ring in polygon]
        count = np.count_nonzero(label == LABELS)
        assert feature["properties"]["pixels"] == count
        assert sum(map(area, rings)) == pytest.approx(count * pixel)
        for first, *holes in feature["geometry"]["coordinates"]:
            assert area(first) > 0
            assert all(area(hole) < 0 for hole in holes)
    assert facts["features"][3]["geometry"]["coordinates"] == []


def test_places_on_the_ground() -> None:
    labels = np.zeros((4, 5), np.uint8)
    labels[1, 2] = 1
    facts = json.loads(parts_geojson(classes(labels, 1), {"geotiff": TAGS}, np.array([[255, 0, 16]], np.uint8)))
    ((ring,),) = facts["features"][0]["geometry"]["coordinates"]
    corners = [[5e5 + 20, 4.6e6 - 20], [5e5 + 30, 4.6e6 - 20], [5e5 + 30, 4.6e6 - 40], [5e5 + 20, 4.6e6 - 40]]
    assert sorted(ring[:-1]) == sorted(corners)
    assert facts["crs"]["properties"]["name"] == "urn:ogc:def:crs:EPSG::32633"
    assert facts["features"][0]["properties"] == {"class": 1, "label": 1, "pixels": 1, "colour": "#ff0010"}


def test_maps_to_the_ground() -> None:
    expected = np.array([[10, 0, 5e5], [0, -20, 4.6e6]])
    np.testing.assert_allclose(ground(TAGS), expected)
    moved = TAGS | {33922: (3.0, 2.0, 0.0, 5e5 + 30, 4.6e6 - 40, 0.0)}
    np.testing.assert_allclose(ground(moved), expected)
    points = TAGS | {34735: (*KEYS[:11], 2, *KEYS[12:])}  # tie points are centres of pixels
    np.testing.assert_allclose(ground(points), expected - np.array([[0, 0, 5], [0, 0, -10]]))
    turned = np.arange(16.0).reshape(4, 4) ** 2
    np.testing.assert_allclose(ground({34264: turned.ravel()}), turned[:2][:, [0, 1, 3]])


@pytest.mark.parametrize(
    "tags",
    [
        {},
        {33550: (10.0, 20.0, 0.0)},
        {33550: (0.0, 20.0, 0.0), 33922: TAGS[33922]},
        {33550: "x", 33922: 3},
        {33550: (1.0, 1.0, 0.0), 33922: TAGS[33922] * 2},
        {33550: (np.inf, 1.0, 0.0), 33922: TAGS[33922]},
        {34264: (1.0,) * 15},
        {34264: (np.nan,) * 16},
    ],
)
def test_damaged_tags_leave_pixels(tags: dict[int, Any]) -> None:
    assert ground(tags) is None
    facts = json.loads(parts_geojson(classes(LABELS, 3), {"geotiff": tags | {34735: KEYS}}, None))
    assert "crs" not in facts


@pytest.mark.parametrize(
    ("keys", "code"),
    [
        (KEYS, 32633),
        ((1, 1, 0, 1, 2048, 0, 1, 4326), 4326),
        ((1, 1, 0, 1, 3072, 0, 1, 32767), None),
        ((1, 1), None),
        ("no numbers", None),
        (7, None),
    ],
)
def test_codes(keys: Any, code: int | None) -> None:
    assert epsg({34735: keys}) == code


def test_regions_are_polygons_with_their_class() -> None:
    result = plane(20, 30)
    assert result.regions is not None
    ids = components(result.labels)
    first = np.unique(ids, return_index=True)[1][1:]
    table = {"region": np.arange(1, first.size + 1), "label": result.labels.flat[first]}
    facts = json.loads(geojson_file(replace(result, regions=Regions(ids, table))))
    assert [feature["id"] for feature in facts["features"]] == table["region"].tolist()
    for feature in facts["features"]:
        own, geometry = feature["properties"], feature["geometry"]
        assert geometry["type"] == "Polygon"
        assert own["class"] == own["label"] == table["label"][own["region"] - 1]
        assert own["pixels"] == np.count_nonzero(ids == own["region"]) == sum(map(area, geometry["coordinates"]))
        assert own["colour"] == "#" + bytes(result.colours[own["class"] - 1]).hex()


def test_a_volume_has_the_numbers_of_its_slices_as_z() -> None:
    result = volume((5, 4, 6))
    labels = result.labels.reshape(5, 4, 6)
    facts = json.loads(geojson_file(result))
    for feature in facts["features"]:
        sizes = dict.fromkeys(range(5), 0.0)
        for polygon in feature["geometry"]["coordinates"]:
            for ring in polygon:
                (z,) = {point[2] for point in ring}
                sizes[z] += area([point[:2] for point in ring])
        assert list(sizes.values()) == [np.count_nonzero(plane == feature["id"]) for plane in labels]
