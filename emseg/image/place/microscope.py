"""How large a pixel is by the description that ImageJ or OME software writes into a TIFF file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from emseg.image.place.pixel_size import PixelSize, pixel_size

X_RESOLUTION, Y_RESOLUTION, RESOLUTION_UNIT = 282, 283, 296
_BY_CODE = {2: "inch", 3: "cm"}  # TIFF 6.0, ResolutionUnit
_PIXELS = re.compile(r"<(?:\w{1,20}:)?Pixels\s[^<>]*>")  # stops at the next tag
_SIZE = re.compile(r"""\sPhysicalSize([XYZ])(Unit)?\s*=\s*["']([^"']*)["']""")


def size_by_description(description: Any, tags: Mapping[int, Any], volume: bool = False) -> PixelSize | None:
    """The lengths of a pixel along y and x, of a volume along z, y and x; None where they are not told.

    Parameters
    ----------
    description : str
        Of the first page of the file, TIFF tag 270. Other values tell nothing.
    tags : mapping
        TIFF tags of the page by code. ImageJ writes pixels per unit as its resolution.
    volume : bool
        Whether the length along z is wanted too.
    """
    if not isinstance(description, str):
        return None
    if description.startswith("ImageJ="):
        return _by_imagej(description, tags, volume)
    with suppress(UnicodeError):  # Pillow takes UTF-8 for Latin-1
        description = description.encode("latin-1").decode("utf-8")
    return _by_ome(description, volume)


def software(description: Any) -> str:
    """Whose description it is: ``"imagej"`` or ``"ome"``; empty for others."""
    if not isinstance(description, str):
        return ""
    return "imagej" if description.startswith("ImageJ=") else "ome" if _PIXELS.search(description) else ""


def _by_imagej(description: str, tags: Mapping[int, Any], volume: bool) -> PixelSize | None:
    fields = dict(line.split("=", 1) for line in description.splitlines() if "=" in line)
    code = tags.get(RESOLUTION_UNIT)
    unit = fields.get("unit") or (_BY_CODE.get(code, "") if isinstance(code, int) else "")
    try:
        y, x = (1 / _ratio(tags[tag]) for tag in (Y_RESOLUTION, X_RESOLUTION))
        depth = [float(fields["spacing"])] if volume and "spacing" in fields else [x] if volume else []
    except (KeyError, TypeError, ValueError, ArithmeticError):
        return None
    # A unit of y or z of its own is rare and read by few programs (`yunit`, `zunit`).
    same = {fields.get(key, unit) for key in ("yunit", "zunit" if volume else "yunit")} == {unit}
    return pixel_size((*depth, y, x), unit) if same else None


def _by_ome(description: str, volume: bool) -> PixelSize | None:
    element = _PIXELS.search(description)
    if element is None:
        return None
    found = {axis + kind: value for axis, kind, value in _SIZE.findall(element[0])}
    axes = "ZYX" if volume else "YX"
    units = {found.get(axis + "Unit", "µm") for axis in axes if axis in found}
    try:
        across = float(found["X"])
        lengths = [float(found.get(axis, across)) for axis in axes]  # a file that tells x alone means all
    except (KeyError, ValueError):
        return None
    return pixel_size(lengths, _unescaped(units.pop())) if len(units) == 1 else None


def _unescaped(unit: str) -> str:
    return unit.replace("&#181;", "µ").replace("&#xB5;", "µ").replace("&#956;", "μ").replace("&micro;", "µ")


def _ratio(value: Any) -> float:
    """A TIFF fraction, which Pillow reads as a number and tifffile as a pair."""
    if isinstance(value, tuple):
        above, below = value
        return float(above) / float(below)
    return float(value)
