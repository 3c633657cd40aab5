"""What GeoJSON says of its coordinate system, and coordinates in longitude and latitude."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from emseg.errors import DataError, UsageError
from emseg.image.place.ground_tags import ground_tags
from emseg.output.maps.geojson import geojson_file, wgs84_file
from emseg.output.registry import KINDS, written_besides

from ..segmented import Result, plane

MATRIX = np.array([[10.0, 0, 5e5], [0, -10, 4.6e6]])
WKT = 'PROJCS["Local",GEOGCS["GCS_WGS_1984",DATUM["D_WGS_1984",SPHEROID["WGS_1984",6378137.0,298.257223563]],'
WKT += 'PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]],PROJECTION["Transverse_Mercator"],'
WKT += 'PARAMETER["Central_Meridian",15.0],PARAMETER["Scale_Factor",0.9996],PARAMETER["False_Easting",500000.0],'
WKT += 'PARAMETER["False_Northing",0.0],PARAMETER["Latitude_Of_Origin",0.0],UNIT["Meter",1.0]]'


def placed(tags: dict[int, Any]) -> Result:
    result = plane()
    return replace(result, image=replace(result.image, metadata={"geotiff": tags}), regions=None)


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ({"code": 32633}, "urn:ogc:def:crs:EPSG::32633"),
        ({"code": 4326, "geographic": True}, "urn:ogc:def:crs:OGC:1.3:CRS84"),
        ({"wkt": WKT}, WKT),
        ({"wkt": "Field grid of 2019"}, "Field grid of 2019"),
        ({}, None),
    ],
)
def test_the_name_of_the_system(given: dict[str, Any], name: str | None) -> None:
    facts = json.loads(geojson_file(placed(ground_tags(MATRIX, **given))))
    assert (facts["crs"]["properties"]["name"] if "crs" in facts else None) == name


@pytest.mark.parametrize("given", [{"code": 32633}, {"wkt": WKT}])
def test_longitude_and_latitude(given: dict[str, Any]) -> None:
    pyproj = pytest.importorskip("pyproj", reason="needs pyproj")
    result = placed(ground_tags(MATRIX, **given))
    metres, degrees = json.loads(geojson_file(result)), json.loads(wgs84_file(result))
    assert "crs" not in degrees  # RFC 7946, section 4
    to_degrees = pyproj.Transformer.from_crs("EPSG:32633", "EPSG:4326", always_xy=True)

    def points(facts: dict[str, Any]) -> np.ndarray:
        shapes = [feature["geometry"]["coordinates"] for feature in facts["features"]]
        return np.array([point for shape in shapes for polygon in shape for ring in polygon for point in ring])

    expected = np.column_stack(to_degrees.transform(*points(metres).T))
    np.testing.assert_allclose(points(degrees), expected, atol=2e-9)
    assert (np.abs(points(degrees)) < (180, 90)).all()
    for feature in degrees["features"]:
        for outer, *holes in feature["geometry"]["coordinates"]:
            for ring, sign in ((outer, 1), *((hole, -1) for hole in holes)):
                x, y = np.array(ring).T - np.array(ring[0])[:, None]
                assert sign * (x[:-1] @ y[1:] - x[1:] @ y[:-1]) > 0


def test_what_has_no_longitude_and_latitude() -> None:
    with pytest.raises(DataError, match=r"photo\.png: tells no place on the ground"):
        wgs84_file(plane())
    with pytest.raises(DataError, match="its coordinate system is called 'Field grid', which pyproj does not know"):
        wgs84_file(placed(ground_tags(MATRIX, wkt="Field grid")))
    with pytest.raises(DataError, match="its coordinate system is not named"):
        wgs84_file(placed(ground_tags(MATRIX)))


def test_without_pyproj_the_refusal_comes_before_any_work(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "geojson-wgs84" not in written_besides(["all"], {})
    monkeypatch.setitem(sys.modules, "pyproj", None)
    with pytest.raises(UsageError, match="save='geojson-wgs84': needs pyproj; pip install pyproj"):
        written_besides(["geojson-wgs84"], {})
    with pytest.raises(UsageError, match="pip install pyproj"):
        KINDS["geojson-wgs84"].write(placed(ground_tags(MATRIX, code=32633)))
