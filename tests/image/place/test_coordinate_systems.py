"""Names of coordinate systems: against GDAL (through rasterio) and PROJ (through pyproj)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from emseg.image.place.coordinate_systems import all_keys, is_understood, proj_string, system_name
from emseg.image.read import read_image

SYSTEMS = [
    *("EPSG:32633", "EPSG:4326", "EPSG:2056", "ESRI:54009", "ESRI:102039"),
    "+proj=laea +lat_0=52 +lon_0=10 +x_0=1000 +y_0=-20 +ellps=GRS80 +units=m",
    "+proj=aea +lat_0=23 +lon_0=-96 +lat_1=29.5 +lat_2=45.5 +datum=NAD83",
    "+proj=lcc +lat_0=46.5 +lon_0=3 +lat_1=49 +lat_2=44 +x_0=700000 +y_0=6600000 +ellps=GRS80",
    "+proj=lcc +lat_1=46.8 +lat_0=46.8 +lon_0=2.33 +k_0=0.99987 +x_0=600000 +y_0=2200000 +a=6378249.2 +b=6356515",
    "+proj=tmerc +lat_0=0 +lon_0=13 +k=0.9996 +x_0=2500000 +y_0=0 +ellps=bessel",
    "+proj=tmerc +lat_0=0 +lon_0=13 +k=0.9996 +x_0=2500000 +y_0=0 +ellps=bessel +pm=paris",
    "+proj=tmerc +lat_0=38 +lon_0=-75 +k=0.9999 +x_0=200000 +units=us-ft +datum=NAD83",
    "+proj=tmerc +lat_0=38 +lon_0=-75 +k=0.9999 +x_0=200000 +to_meter=2 +ellps=GRS80",
    *("+proj=utm +zone=33 +datum=WGS84 +units=us-ft", "+proj=utm +zone=33 +south +ellps=intl"),
    *("+proj=merc +lon_0=10 +k=0.9 +ellps=WGS84", "+proj=merc +lat_ts=30 +lon_0=10 +ellps=WGS84"),
    *(
        "+proj=stere +lat_0=90 +lat_ts=70 +lon_0=-45 +datum=WGS84",
        "+proj=stere +lat_0=50 +lon_0=10 +k=0.9 +ellps=GRS80",
    ),
    "+proj=stere +lat_0=90 +lon_0=10 +k=0.994 +x_0=2000000 +y_0=2000000 +ellps=intl",
    "+proj=stere +lat_0=-90 +lat_ts=-71 +lon_0=0 +ellps=GRS80",
    "+proj=sterea +lat_0=52.15616 +lon_0=5.38764 +k=0.9999079 +x_0=155000 +y_0=463000 +ellps=bessel",
    *("+proj=eqc +lat_ts=40 +lon_0=10 +datum=WGS84", "+proj=eqc +lon_0=0 +a=3396190 +b=3396190"),
    "+proj=cass +lat_0=31.7 +lon_0=35.2 +x_0=170251 +y_0=126867 +ellps=clrk80",
    *("+proj=aeqd +lat_0=40 +lon_0=-100 +datum=WGS84", "+proj=sinu +lon_0=0 +R=6371007.181"),
    "+proj=eqdc +lat_0=40 +lon_0=-96 +lat_1=20 +lat_2=60 +datum=NAD83",
    *("+proj=gnom +lat_0=40 +lon_0=5 +R=6371000", "+proj=ortho +lat_0=40 +lon_0=5 +R=6371000"),
    *("+proj=robin +lon_0=0 +datum=WGS84", "+proj=mill +lon_0=0 +R=6371000", "+proj=vandg +lon_0=0 +R=6371000"),
    "+proj=poly +lat_0=0 +lon_0=-54 +x_0=5000000 +y_0=10000000 +ellps=GRS80",
    *("+proj=cea +lat_ts=30 +lon_0=0 +datum=WGS84", "+proj=geos +h=35786023 +lon_0=-75 +sweep=x +ellps=GRS80"),
    *("+proj=longlat +ellps=bessel", "+proj=longlat +a=3396190 +b=3376200"),
]


@pytest.mark.parametrize("system", SYSTEMS)
def test_what_gdal_writes_has_a_name_that_means_the_same(system: str, tmp_path: Path) -> None:
    rasterio = pytest.importorskip("rasterio", reason="needs rasterio")
    pyproj = pytest.importorskip("pyproj", reason="needs pyproj")
    shape: dict[str, Any] = {"width": 2, "height": 2, "count": 1, "dtype": "uint8"}
    with rasterio.open(
        tmp_path / "x.tif", "w", "GTiff", crs=system, transform=(10, 0, 5e5, 0, -10, 4.6e6), **shape
    ) as file:
        file.write(np.ones((1, 2, 2), np.uint8))
    with rasterio.open(tmp_path / "x.tif") as file:
        wanted = pyproj.CRS.from_wkt(file.crs.to_wkt())
    name = system_name(read_image(tmp_path / "x.tif").metadata["geotiff"])
    assert is_understood(name)
    found = pyproj.CRS.from_user_input(name)
    middle = float(system.partition("lon_0=")[2].split()[0]) if "lon_0" in system else 12.0
    sign = -1 if "lat_0=-90" in system else 1
    on_ellipsoid = pyproj.Transformer.from_crs(wanted.geodetic_crs, wanted, always_xy=True)
    places = on_ellipsoid.transform(middle + np.array([0.0, 1.0, 3.0]), sign * np.array([40.0, 45.0, 50.0]))
    there = pyproj.Transformer.from_crs(wanted, found, always_xy=True).transform(*places)
    np.testing.assert_allclose(there, places, rtol=1e-12, atol=1e-5)  # of metres, or degrees


def keys(*rows: tuple[int, int, int, int], doubles: tuple[float, ...] = (), text: str = "") -> dict[int, Any]:
    return {34735: (1, 1, 0, len(rows), *(number for row in rows for number in row)), 34736: doubles, 34737: text}


def test_a_code_comes_first_then_wkt_then_keys_then_a_citation() -> None:
    wkt = 'PROJCS["x",GEOGCS["y"]]'
    text = f"ESRI PE String = {wkt}|Local grid|unknown|"
    start = len(text) - len("Local grid|unknown|")
    cited = (1026, 34737, 11, start)
    by_wkt = (3073, 34737, start, 0)
    assert system_name(keys((3072, 0, 1, 32633), by_wkt, text=text)) == "EPSG:32633"
    assert system_name(keys((3072, 0, 1, 32767), by_wkt, cited, text=text)) == wkt
    assert system_name(keys((1024, 0, 1, 2), (2048, 0, 1, 32767), (2050, 0, 1, 6326), cited, text=text)).startswith(
        "+proj=longlat +datum=WGS84"
    )
    assert system_name(keys((3072, 0, 1, 32767), cited, text=text)) == "Local grid"
    assert not is_understood("Local grid")
    assert system_name(keys((3072, 0, 1, 32767), (1026, 34737, 8, start + 11), text=text)) == ""
    assert system_name({}) == ""


@pytest.mark.parametrize(
    "tags",
    [
        {34735: "text"},
        {34735: (1, 1, 0, 1, 3075)},
        keys((3080, 34736, 1, 5), doubles=(1.0,)),
        keys((3080, 34736, 1, 0), doubles=("a",)),  # type: ignore[arg-type]
    ],
)
def test_damaged_keys_are_left_out(tags: dict[int, Any]) -> None:
    assert all_keys(tags) == {}


def test_what_proj_has_no_name_for() -> None:
    known = {1024: 1, 2048: 4326}
    assert proj_string(known | {3075: 1}).startswith("+proj=tmerc")
    for other in ({3075: 2}, {3075: 1, 3076: 9999}, {3075: 1, 2054: 9101}, {}):
        assert proj_string(known | other) == ""
    assert proj_string({1024: 1, 2048: 4289, 3075: 1}) == ""  # an ellipsoid that only a database of codes knows
