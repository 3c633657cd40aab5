"""What GeoTIFF tags say: the map from pixels to the ground, its coordinate system, and how large a pixel is there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emseg.image.formats.geotiff_tags import KEYS, PIXEL_SCALE, TIE_POINTS, TRANSFORMATION
from emseg.image.place.pixel_size import PixelSize, pixel_size

# GeoKeys, the raster type whose tie points are centres of pixels, and the code of a system without EPSG code (OGC
# GeoTIFF 1.1, section 7 and annex B).
MODEL, RASTER_TYPE, GEOGRAPHIC, PROJECTED, LINEAR_UNITS = 1024, 1025, 2048, 3072, 3076
GEOGRAPHIC_MODEL, CENTRES, USER_DEFINED = 2, 2, 32767
FLATTEST = 1e-300  # area of a pixel on the ground, below which it is none
#: EPSG codes of units.
UNITS = {9001: "m", 9002: "foot", 9003: "US survey foot", 9036: "km"}
#: EPSG codes of projected systems that are in metres, for files that do not name the unit: UTM on WGS 84 and ETRS89,
#: web Mercator, and the European equal-area and conformal systems.
IN_METRES = {*range(32601, 32661), *range(32701, 32761), *range(25828, 25839), 3857, 3034, 3035}


def ground(tags: Mapping[int, Any]) -> NDArray[np.float64] | None:
    """The map (2, 3) from pixel corners to the ground that GeoTIFF tags give; None if there is no affine one.

    OGC GeoTIFF 1.1, section B.6: a transformation, or one tie point and the size of a pixel.
    """
    try:
        if TRANSFORMATION in tags:
            matrix = np.array(tags[TRANSFORMATION], np.float64).reshape(4, 4)[:2][:, [0, 1, 3]]
        else:
            (i, j, _, x, y, _), (sx, sy) = (
                (float(v) for v in tags[TIE_POINTS]),
                (float(v) for v in tags[PIXEL_SCALE][:2]),
            )
            matrix = np.array([[sx, 0, x - i * sx], [0, -sy, y + j * sy]])
    except (KeyError, TypeError, ValueError):
        return None
    if not np.isfinite(matrix).all() or abs(np.linalg.det(matrix[:, :2])) < FLATTEST:
        return None
    if geo_keys(tags).get(RASTER_TYPE) == CENTRES:  # tie points are centres of pixels, not corners
        matrix[:, 2] -= matrix[:, :2] @ (0.5, 0.5)
    return matrix


def epsg(tags: Mapping[int, Any]) -> int | None:
    """The EPSG code of the coordinate system that the tags name."""
    keys = geo_keys(tags)
    code = keys.get(PROJECTED) or keys.get(GEOGRAPHIC)
    return code if code and code != USER_DEFINED else None


def geo_keys(tags: Mapping[int, Any]) -> dict[int, int]:
    """GeoKeys that are numbers: rows of id, location 0, count 1, value, after a row of versions."""
    try:
        numbers = [int(value) for value in tags[KEYS]]
    except (KeyError, TypeError, ValueError):
        return {}
    rows = [numbers[at : at + 4] for at in range(4, len(numbers) - 3, 4)]
    return {row[0]: row[3] for row in rows if row[1] == 0}


def turned(tags: Mapping[int, Any], orientation: int, width: int, height: int) -> dict[int, Any]:
    """Tags of a stored raster for the same raster made upright by its TIFF orientation, 2 to 8.

    Tags of place count along the stored rows, whatever the orientation (as GDAL has it).
    """
    matrix = ground(tags)
    if matrix is None:
        return dict(tags)
    rows = height if orientation < 5 else width
    columns = width if orientation < 5 else height
    back = np.array([[1.0, 0, 0], [0, 1, 0], [0, 0, 1]])  # from upright corners to stored ones
    if orientation in (2, 3, 6, 7):
        back[0] = -1, 0, columns
    if orientation in (3, 4, 7, 8):
        back[1] = 0, -1, rows
    if orientation > 4:
        back = back[[1, 0, 2]]
    new = np.column_stack([matrix[:, :2] @ back[:2, :2], matrix[:, :2] @ back[:2, 2] + matrix[:, 2]])
    if geo_keys(tags).get(RASTER_TYPE) == CENTRES:
        new[:, 2] += new[:, :2] @ (0.5, 0.5)
    (a, b, c), (d, e, f) = new.tolist()
    kept = {code: value for code, value in tags.items() if code not in (PIXEL_SCALE, TIE_POINTS)}
    return kept | {TRANSFORMATION: (a, b, 0.0, c, d, e, 0.0, f, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0)}


def size_on_ground(tags: Mapping[int, Any]) -> PixelSize | None:
    """The lengths of a pixel along y and x on the ground, if the tags tell them and their unit."""
    matrix = ground(tags)
    if matrix is None:
        return None
    keys = geo_keys(tags)
    unit = UNITS.get(keys.get(LINEAR_UNITS, 0), "m" if keys.get(PROJECTED) in IN_METRES else "")
    unit = "degree" if keys.get(MODEL) == GEOGRAPHIC_MODEL else unit
    across, down = np.hypot(matrix[0, :2], matrix[1, :2])
    return pixel_size((down, across), unit)


def on_ground(tags: Mapping[int, Any]) -> dict[str, Any]:
    """Metadata of an `Image` for GeoTIFF tags that its file does not have, but whose place it tells otherwise."""
    size = size_on_ground(tags)
    return {name: value for name, value in (("geotiff", dict(tags)), ("pixel_size", size)) if value}
