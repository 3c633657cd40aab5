"""The name of the coordinate system that GeoTIFF tags describe: an EPSG code, WKT, a PROJ string, or what they call it.

Numbers of keys and methods are those of OGC GeoTIFF 1.1, annexes B and C; names and parameters are PROJ's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from emseg.image.formats.geotiff_tags import DOUBLES, KEYS, TEXTS
from emseg.image.place.ground import epsg

CITATION, GEO_CITATION, PROJECTED_CITATION = 1026, 2049, 3073
ESRI = "ESRI PE String = "  # what WKT begins with in a citation
_MODEL, _GEOGRAPHIC_MODEL = 1024, 2
_GEOGRAPHIC, _DATUM, _ANGULAR, _ELLIPSOID, _MAJOR, _MINOR, _FLATTENING = 2048, 2050, 2054, 2056, 2057, 2058, 2059
_MERIDIAN, _MERIDIAN_LONGITUDE, _GREENWICH, _DEGREE = 2051, 2061, 8901, 9102
_PROJECTION, _METHOD, _LINEAR, _LINEAR_SIZE = 3074, 3075, 3076, 3077
#: Parameters of PROJ, each with the keys that give it; the first that is there counts.
_PARAMETERS = {
    "lat_1": (3078,),
    "lat_2": (3079,),
    "lon_0": (3080, 3088, 3084, 3095),
    "lat_0": (3081, 3089, 3085),
    "x_0": (3082, 3090, 3086),
    "y_0": (3083, 3091, 3087),
    "k": (3092, 3093),
}
#: Methods of GeoTIFF: PROJ's name, and the parameters that it takes besides lon_0, x_0 and y_0.
_METHODS = {
    1: ("tmerc", ("lat_0", "k")),
    7: ("merc", ("k",)),
    8: ("lcc", ("lat_0", "lat_1", "lat_2")),
    9: ("lcc", ("lat_0", "k")),
    10: ("laea", ("lat_0",)),
    11: ("aea", ("lat_0", "lat_1", "lat_2")),
    12: ("aeqd", ("lat_0",)),
    13: ("eqdc", ("lat_0", "lat_1", "lat_2")),
    14: ("stere", ("lat_0", "k")),
    15: ("stere", ("lat_0", "k")),
    16: ("sterea", ("lat_0", "k")),
    17: ("eqc", ("lat_0", "lat_1")),
    18: ("cass", ("lat_0",)),
    19: ("gnom", ("lat_0",)),
    20: ("mill", ()),
    21: ("ortho", ("lat_0",)),
    22: ("poly", ("lat_0",)),
    23: ("robin", ()),
    24: ("sinu", ()),
    25: ("vandg", ()),
    28: ("cea", ("lat_1",)),
}
_MERCATOR, _CONIC_OF_ONE, _POLAR, _EQUIRECTANGULAR, _CYLINDER = 7, 9, 15, 17, 28
_ELLIPSOIDS = {
    **dict.fromkeys((4326, 6326), "+datum=WGS84"),
    **dict.fromkeys((4269, 6269), "+datum=NAD83"),
    **dict.fromkeys((4267, 6267), "+datum=NAD27"),
    **dict.fromkeys((4258, 6258, 7019), "+ellps=GRS80"),
    **dict.fromkeys((4322, 6322, 7043), "+ellps=WGS72"),
    7001: "+ellps=airy",
    7004: "+ellps=bessel",
    7008: "+ellps=clrk66",
    7011: "+ellps=clrk80ign",
    7012: "+ellps=clrk80",
    7022: "+ellps=intl",
    7024: "+ellps=krass",
    7030: "+ellps=WGS84",
}
_NO_NAMES = ("", "unknown", "unnamed")
_UNITS = {9001: "m", 9002: "ft", 9003: "us-ft", 9036: "km"}
_METRES = {9001: 1.0, 9002: 0.3048, 9003: 1200 / 3937, 9036: 1000.0}


def system_name(tags: Mapping[int, Any]) -> str:
    """What others understand as the name of the tags' coordinate system.

    Returns
    -------
    str
        "EPSG:32633", or WKT, or a PROJ string; else what a citation says, which only people understand; "" if nothing.
    """
    code = epsg(tags)
    if code:
        return f"EPSG:{code}"
    keys = all_keys(tags)
    citations = [text for key in (PROJECTED_CITATION, CITATION, GEO_CITATION) if isinstance(text := keys.get(key), str)]
    wkt = next((text.partition(ESRI)[2] for text in citations if ESRI in text), "")
    plain = (text for text in citations if "|" not in text and text.lower() not in _NO_NAMES)
    return wkt or proj_string(keys) or next(plain, "")


def is_understood(name: str) -> bool:
    """Whether a name from `system_name` is more than a citation."""
    return re.match(r"EPSG:\d|\+proj=|(PROJCS|GEOGCS|PROJCRS|GEOGCRS|GEODCRS|BOUNDCRS|COMPD_CS)\[", name) is not None


def all_keys(tags: Mapping[int, Any]) -> dict[int, int | float | str]:
    """GeoKeys of all three types by their number; those that point beyond the values are left out."""
    try:
        numbers = [int(value) for value in tags[KEYS]]
    except (KeyError, TypeError, ValueError):
        return {}
    doubles, texts = tags.get(DOUBLES, ()), tags.get(TEXTS, "")
    doubles = doubles if isinstance(doubles, tuple | list) else (doubles,)
    found: dict[int, int | float | str] = {}
    for at in range(4, len(numbers) - 3, 4):
        key, where, count, value = numbers[at : at + 4]
        if where == 0:
            found[key] = value
        elif where == DOUBLES and value < len(doubles) and isinstance(doubles[value], int | float):
            found[key] = float(doubles[value])
        elif where == TEXTS and isinstance(texts, str):
            found[key] = texts[value : value + count].strip("|\0 ")
    return found


def proj_string(keys: Mapping[int, Any]) -> str:
    """The system of keys without an EPSG code as a PROJ string; "" where a part of it has no name there."""
    shape = _ellipsoid(keys)
    if not shape or keys.get(_ANGULAR, _DEGREE) != _DEGREE:
        return ""
    if keys.get(_MODEL) == _GEOGRAPHIC_MODEL:
        return f"+proj=longlat {shape} +no_defs"
    unit = keys.get(_LINEAR, 9001)
    metres = _METRES.get(unit, keys.get(_LINEAR_SIZE))
    code = keys.get(_PROJECTION, 0)
    if 16001 <= code <= 16060 or 16101 <= code <= 16160:
        projection = f"+proj=utm +zone={code % 100}{' +south' * (code > 16100)}"
    else:
        projection = _projection(keys, metres)
    if not projection or not metres:
        return ""
    return f"{projection} {shape} {f'+units={_UNITS[unit]}' if unit in _UNITS else f'+to_meter={metres!r}'} +no_defs"


def _projection(keys: Mapping[int, Any], metres: float | None) -> str:
    method = keys.get(_METHOD)
    if method not in _METHODS or not metres:
        return ""
    name, wanted = _METHODS[method]
    given = {part: next((keys[key] for key in places if key in keys), None) for part, places in _PARAMETERS.items()}
    found = {part: given[part] for part in ("lon_0", *wanted) if given[part] is not None}
    if method == _MERCATOR and "lat_1" in given and given["lat_1"] is not None:
        found = {"lon_0": found.get("lon_0", 0.0), "lat_ts": given["lat_1"]}
    if method == _CONIC_OF_ONE:
        found["lat_1"] = found.get("lat_0", 0.0)
    if method in (_EQUIRECTANGULAR, _CYLINDER) and "lat_1" in found:
        found["lat_ts"] = found.pop("lat_1")
    if method == _POLAR:  # the latitude is that of true scale, or the pole itself
        true, scale = given["lat_0"] or 90.0, found.pop("k", None)
        found["lat_0"] = 90.0 if true > 0 else -90.0
        found |= {"lat_ts": true} if abs(true) < 90 else {"k": 1.0 if scale is None else scale}
    for part in ("x_0", "y_0"):  # PROJ has these in metres
        found[part] = (given[part] or 0.0) * metres
    return " ".join([f"+proj={name}", *(f"+{part}={value!r}" for part, value in found.items())])


def _ellipsoid(keys: Mapping[int, Any]) -> str:
    """Datum or ellipsoid, and the prime meridian."""
    known = next(
        (_ELLIPSOIDS[keys[key]] for key in (_GEOGRAPHIC, _DATUM, _ELLIPSOID) if keys.get(key) in _ELLIPSOIDS), ""
    )
    major, minor, flattening = (keys.get(key) for key in (_MAJOR, _MINOR, _FLATTENING))
    if not known and major:
        known = f"+a={major!r} " + (f"+rf={flattening!r}" if flattening else f"+b={minor or major!r}")
    longitude = keys.get(_MERIDIAN_LONGITUDE)
    if longitude is None and keys.get(_MERIDIAN, _GREENWICH) != _GREENWICH:
        return ""
    if longitude and known:
        return f"{known} +pm={longitude!r}"
    return known
