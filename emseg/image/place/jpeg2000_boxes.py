"""The place that a JPEG 2000 file tells: a small GeoTIFF in a box (GeoJP2), or GML (OGC 05-047r3, GMLJP2)."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from typing import Any

import numpy as np

from emseg.image.formats.geotiff_tags import TYPES
from emseg.image.place.ground import USER_DEFINED, ground
from emseg.image.place.ground_tags import ground_tags

GEOJP2 = bytes.fromhex("b14bf8bd083d4b43a5ae8cd7d5a6ce03")
MOST_BOXES, LARGEST = 10_000, 1 << 20  # boxes of a file; bytes of one that tells a place
# Patterns stop at the next tag or quote, so that no file makes them look at its text again and again.
_NUMBERS = r"\s*([-+\d.eE]+)[\s,]+([-+\d.eE]+)"
_GRID = re.compile(r"<(?:\w{1,20}:)?RectifiedGrid\b")
_ORIGIN = re.compile(rf"<(?:\w{{1,20}}:)?(?:pos|coordinates)\b[^<>]*>{_NUMBERS}")
_STEP = re.compile(rf"<(?:\w{{1,20}}:)?offsetVector\b[^<>]*>{_NUMBERS}")
_SYSTEM = re.compile(r"""srsName\s*=\s*["']([^"'<>]{1,200})["']""")
_CODE = re.compile(r"EPSG\D{1,20}?(\d{4,5})$|EPSG\D{1,3}[\d.]{1,10}\D(\d{4,5})$")
#: EPSG codes of longitude and latitude, whose axes are the other way round where a name is a URN.
GEOGRAPHIC_CODES = (4326, 4258, 4269, 4267, 4322, 4283)


def tags_of_boxes(data: bytes) -> dict[int, Any]:
    """GeoTIFF tags for a JPEG 2000 file; none where it tells no place on the ground."""
    texts = []
    for kind, body in _boxes(data, 0, len(data), [MOST_BOXES]):
        if kind == b"uuid" and body.startswith(GEOJP2):
            tags = _of_geotiff(body[len(GEOJP2) :])
            if tags:
                return tags
        elif kind == b"xml ":
            texts.append(body)
    return next((tags for text in texts if (tags := _of_gml(text.decode("utf-8", "replace")))), {})


def _boxes(data: bytes, at: int, end: int, left: list[int]) -> Iterator[tuple[bytes, bytes]]:
    """Kind and content of boxes that may tell a place, those in associations too (ITU-T T.800, I.4)."""
    while at + 8 <= end and left[0] > 0:
        left[0] -= 1
        (length,), kind = struct.unpack_from(">I", data, at), data[at + 4 : at + 8]
        head = 8
        if length == 1 and at + 16 <= end:
            (length,), head = struct.unpack_from(">Q", data, at + 8), 16
        stop = end if length == 0 else at + length
        if stop > end or stop < at + head:
            return
        if kind == b"asoc":
            yield from _boxes(data, at + head, stop, left)
        elif kind in (b"uuid", b"xml ") and stop - at <= LARGEST:
            yield kind, data[at + head : stop]
        at = stop


def _of_geotiff(data: bytes) -> dict[int, Any]:
    """The tags of the GeoTIFF in a box, whose single pixel means nothing."""
    from emseg.image.strips.directory import directory_at, page_offsets

    try:
        values = directory_at(data, next(page_offsets(data))).values
        tags = {code: values[code] for code in TYPES if code in values}
    except (ValueError, LookupError, StopIteration, struct.error):
        return {}
    return tags if ground(tags) is not None else {}


def _of_gml(text: str) -> dict[int, Any]:
    """The tags for a rectified grid: the place of the first pixel's centre, and the steps along x and y."""
    begin = _GRID.search(text)
    grid = text[begin.start() : text.find("RectifiedGrid>", begin.end())] if begin else ""
    origin = _ORIGIN.search(grid)
    if origin is None:
        return {}
    try:
        numbers = [[float(found[1]), float(found[2])] for found in (origin, *_STEP.finditer(grid))]
        centre, across, down = (np.array(pair) for pair in numbers)
    except ValueError:
        return {}
    named = _SYSTEM.search(grid)
    told = _CODE.search(named[1]) if named else None
    code = int(told[1] or told[2]) if told else 0
    code = code if code < USER_DEFINED else 0
    if code in GEOGRAPHIC_CODES and named is not None and named[1].startswith("urn"):
        centre, across, down = centre[::-1], across[::-1], down[::-1]
    matrix = np.column_stack([across, down, centre - (across + down) / 2])
    if not np.isfinite(matrix).all() or np.linalg.det(matrix[:, :2]) == 0:
        return {}
    return ground_tags(matrix, code, geographic=code in GEOGRAPHIC_CODES)
