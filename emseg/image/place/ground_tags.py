"""GeoTIFF tags for images whose files tell their place otherwise: they are carried as if they had been in a GeoTIFF."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emseg.image.formats.geotiff_tags import KEYS, PIXEL_SCALE, TEXTS, TIE_POINTS, TRANSFORMATION
from emseg.image.place.coordinate_systems import ESRI
from emseg.image.place.ground import GEOGRAPHIC_MODEL, USER_DEFINED

_PROJECTED_MODEL, _AREAS, _DEGREE = 1, 1, 9102
_UTM = re.compile(r"(WGS|NAD|ETRS)[_ ]?(?:19)?(84|83|27|89)[_ /]+UTM[_ ]zone[_ ](\d{1,2})([NS])", re.IGNORECASE)
#: EPSG codes of UTM: what is added to the zone, in the north and in the south.
UTM = {"84": (32600, 32700), "83": (26900, 0), "27": (26700, 0), "89": (25800, 0)}
_ZONES = {"84": (1, 60), "83": (1, 23), "27": (1, 22), "89": (28, 38)}
_METRE = re.compile(r'UNIT\["(met(?:er|re)|US survey foot|foot_us|foot)"', re.IGNORECASE)
LINEAR = {"m": 9001, "foot": 9002, "US survey foot": 9003}
_LINEAR = {"meter": 9001, "metre": 9001, "foot": 9002, "foot_us": 9003, "us survey foot": 9003}


def ground_tags(
    matrix: NDArray[np.float64], code: int = 0, wkt: str = "", geographic: bool = False, unit: int = 0
) -> dict[int, Any]:
    """Tags that say where an image is.

    Parameters
    ----------
    matrix : ndarray, shape (2, 3)
        From corners of pixels to the ground.
    code : int
        EPSG code of the coordinate system; 0 if it has none.
    wkt : str
        The system as well-known text, or its name.
    geographic : bool
        Whether coordinates are degrees.
    unit : int
        EPSG code of the unit of length; 0 if that is not known.
    """
    (a, b, c), (d, e, f) = matrix.tolist()
    if b == d == 0 and a > 0 > e:
        place: dict[int, Any] = {PIXEL_SCALE: (a, -e, 0.0), TIE_POINTS: (0.0, 0.0, 0.0, c, f, 0.0)}
    else:
        place = {TRANSFORMATION: (a, b, 0.0, c, d, e, 0.0, f, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0)}
    if not (code or wkt):
        return place
    code = code or epsg_in(wkt)
    text = "" if code or not wkt else (f"{ESRI}{wkt}|" if "[" in wkt else f"{wkt}|").encode("ascii", "replace").decode()
    by_text = text.startswith(ESRI)  # GDAL reads WKT in a citation if the model is of no kind it knows
    model = USER_DEFINED if by_text else GEOGRAPHIC_MODEL if geographic else _PROJECTED_MODEL
    keys = [(1024, 0, 1, model), (1025, 0, 1, _AREAS)]
    if text:
        keys.append((1026, TEXTS, len(text), 0))
    if not by_text:
        keys.append((2048 if geographic else 3072, 0, 1, code or USER_DEFINED))
    elif not geographic:
        keys.append((3073, TEXTS, len(text), 0))
    if geographic:
        keys.append((2054, 0, 1, _DEGREE))
    elif unit or wkt:
        found = _METRE.findall(wkt)
        keys.append((3076, 0, 1, unit or (_LINEAR[found[-1].lower()] if found else 0)))
    keys = [key for key in keys if key[3] or key[1]]
    tags = {**place, KEYS: (1, 1, 0, len(keys), *(number for key in sorted(keys) for number in key))}
    return tags | ({TEXTS: text} if text else {})


def epsg_in(wkt: str) -> int:
    """The EPSG code that well-known text tells: by its last authority, or as a UTM zone or WGS 84 by name; else 0."""
    whole = re.search(r'(?:AUTHORITY|ID)\["EPSG",\s*"?(\d{4,5})"?\]\s*\]\s*$', wkt)
    if whole and int(whole[1]) < USER_DEFINED:
        return int(whole[1])
    zone = _UTM.search(wkt.partition(",")[0])
    if zone:
        return utm_code(zone[2], int(zone[3]), zone[4].upper() == "N")
    return 4326 if re.match(r'GEOGCS\["(GCS_WGS_1984|WGS[ _]84)"', wkt) else 0


def utm_code(datum: str, zone: int, north: bool) -> int:
    """The EPSG code of a UTM zone on WGS 84, NAD 83 or 27, or ETRS 89, by the last two digits; 0 if there is none."""
    first, last = _ZONES.get(datum, (1, 0))
    base = UTM.get(datum, (0, 0))[0 if north else 1]
    return base + zone if base and first <= zone <= last else 0
