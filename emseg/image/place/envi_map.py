"""The place that an ENVI header tells: the fields `map info` and `coordinate system string` of ENVI's manual."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from emseg.image.place.ground_tags import LINEAR, ground_tags, utm_code
from emseg.image.place.pixel_size import pixel_size

#: How ENVI calls data, by the last two digits of their years.
_DATUMS = {
    **dict.fromkeys(("wgs-84", "wgs 84", "wgs84"), "84"),
    **dict.fromkeys(("north america 1983", "nad-83", "nad83"), "83"),
    **dict.fromkeys(("north america 1927", "nad-27", "nad27"), "27"),
    **dict.fromkeys(("etrs89", "etrs 1989", "etrs-89"), "89"),
}


def tags_of_header(fields: Mapping[str, str]) -> dict[int, Any]:
    """GeoTIFF tags for the fields of a header; none where it tells no place on the ground.

    Parameters
    ----------
    fields : mapping
        Texts by name in lower case; lists are in braces.
    """
    info = _listed(fields.get("map info", ""))
    name = info[0].lower() if info else ""
    named = dict(part.split("=", 1) for part in info if "=" in part)
    try:
        x, y, east, north, across, down = (float(part) for part in info[1:7])
        turn = math.radians(float(named.get("rotation", "0")))
    except ValueError:
        return {}
    if name.startswith(("arbitrary", "pixel")) or not all(map(math.isfinite, (x, y, east, north, across, down, turn))):
        return {}
    if across == 0 or down == 0:
        return {}
    # Anticlockwise turn of the image; x and y count from 1 at the corner of the first pixel.
    c, s = math.cos(turn), math.sin(turn)
    sides = np.array([[across * c, down * s], [across * s, -down * c]]) if turn else np.diag([across, -down])
    matrix = np.column_stack([sides, np.array([east, north]) - sides @ (x - 1, y - 1)])
    geographic = name.startswith(("geographic", "lat"))
    wkt = _unbraced(fields.get("coordinate system string", ""))
    code = 0
    if name.startswith("utm") and len(info) > 8 and info[7].isdigit():
        datum = next((_DATUMS[part.lower()] for part in info if part.lower() in _DATUMS), "")
        code = utm_code(datum, int(info[7]), not info[8].lower().startswith("s"))
    elif geographic and any(_DATUMS.get(part.lower()) == "84" for part in info):
        code = 4326
    unit = pixel_size((1.0,), named.get("units", "meters"))
    known = LINEAR.get(unit.unit, 0) if unit and not geographic else 0
    geographic = geographic or wkt.startswith("GEOGCS")
    return ground_tags(matrix, code, wkt or info[0], geographic, known)


def _listed(text: str) -> list[str]:
    return [part.strip() for part in _unbraced(text).split(",")] if text else []


def _unbraced(text: str) -> str:
    return text.strip().removeprefix("{").removesuffix("}").strip()
