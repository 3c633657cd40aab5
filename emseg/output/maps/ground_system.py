"""The coordinate system of polygons on the ground: its name, and the way from it to longitude and latitude."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emseg.errors import DataError, UsageError, option
from emseg.image.place.coordinate_systems import is_understood, system_name
from emseg.image.place.ground import ground

Points = NDArray[np.float64]
WGS84 = "EPSG:4326"
#: Longitude before latitude, as GeoTIFF and GeoJSON have them; the EPSG code alone means the other order.
LONGITUDE_FIRST = "urn:ogc:def:crs:OGC:1.3:CRS84"
DIGITS = 9  # after the decimal point of degrees: a tenth of a millimetre


def crs_member(tags: Mapping[int, Any]) -> dict[str, Any]:
    """What GeoJSON of 2008 says of a coordinate system: a name, if the tags give one.

    It is a URN of the EPSG code; without a code, WKT or a PROJ string, which GDAL reads; else what the file calls it.
    """
    name = system_name(tags)
    if name == WGS84:
        name = LONGITUDE_FIRST
    elif name.startswith("EPSG:"):
        name = f"urn:ogc:def:crs:EPSG::{name[5:]}"
    return {"crs": {"type": "name", "properties": {"name": name}}} if name else {}


def to_longitude_latitude(tags: Mapping[int, Any], name: str) -> Callable[[Points], Points]:
    """The map from places on the ground, (N, 2) or (N, 3), to degrees; further coordinates stay.

    Parameters
    ----------
    tags : mapping
        GeoTIFF tags.
    name : str
        What messages call the image.

    Raises
    ------
    DataError
        If the tags tell no place, or their system is not understood.
    UsageError
        If pyproj is not installed.
    """
    remedy = f"use {option('save', 'geojson')}"
    system = system_name(tags)
    if ground(tags) is None:
        raise DataError(f"{name}: tells no place on the ground, which longitude and latitude need; {remedy}")
    if not is_understood(system):
        what = f"called {system!r}" if system else "not named"
        raise DataError(f"{name}: its coordinate system is {what}, which pyproj does not know; {remedy}")
    try:
        import pyproj
    except ImportError as error:
        raise UsageError(f"{option('save', 'geojson-wgs84')}: needs pyproj; pip install pyproj") from error
    try:
        transformer = pyproj.Transformer.from_crs(system, WGS84, always_xy=True)
    except pyproj.exceptions.ProjError as error:
        raise DataError(f"{name}: pyproj does not understand its coordinate system; {remedy}") from error

    def transformed(points: Points) -> Points:
        longitude, latitude = transformer.transform(points[:, 0], points[:, 1])
        found: Points = np.column_stack([longitude, latitude, points[:, 2:]])
        if not np.isfinite(found).all():
            raise DataError(f"{name}: parts of it have no longitude and latitude; {remedy}")
        return found.round(DIGITS)

    return transformed
