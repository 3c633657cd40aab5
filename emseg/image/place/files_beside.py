"""Files beside a picture that tell its place: world files, and what GDAL writes where a format has no room for it."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import numpy as np

from emseg.image.file_bytes import GDAL_END
from emseg.image.place.ground import ground
from emseg.image.place.ground_tags import ground_tags

LARGEST, LARGEST_XML = 1000, 1 << 16  # bytes that are looked at, of a world file and of GDAL's
_NUMBERS = re.compile(r"<GeoTransform>([^<>]*)</GeoTransform>")
_SYSTEM = re.compile(r"<SRS\b[^<>]*>([^<>]*)</SRS>")
GEOGRAPHIC = ("GEOGCS", "GEOGCRS", "GEODCRS")  # how well-known text of longitude and latitude begins


def tags_of_file(path: str) -> dict[int, Any]:
    """GeoTIFF tags for what a file beside a picture says; none if it makes no sense."""
    is_xml = path.endswith(GDAL_END)
    try:
        with open(path, "rb") as file:
            text = file.read(LARGEST_XML if is_xml else LARGEST).decode("utf-8", "replace")
        tags = _of_gdal(text) if is_xml else _of_world_file(text)
    except (OSError, ValueError):
        return {}
    return tags if ground(tags) is not None else {}


def _of_world_file(text: str) -> dict[int, Any]:
    """Six numbers: along x, how y changes along x and x along y, along y, and the place of the first pixel's centre."""
    a, d, b, e, c, f = (float(word.replace(",", ".")) for word in text.split()[:6])
    matrix = np.array([[a, b, c], [d, e, f]])
    matrix[:, 2] -= matrix[:, :2] @ (0.5, 0.5)
    return ground_tags(matrix)


def _of_gdal(text: str) -> dict[int, Any]:
    """The map from the corners of pixels, and the system as well-known text."""
    numbers, system = _NUMBERS.search(text), _SYSTEM.search(text)
    if numbers is None:
        return {}
    c, a, b, f, d, e = (float(word) for word in numbers[1].split(","))
    wkt = unescape(system[1]).strip() if system else ""
    return ground_tags(np.array([[a, b, c], [d, e, f]]), wkt=wkt, geographic=wkt.startswith(GEOGRAPHIC))
