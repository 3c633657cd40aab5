"""The size of a pixel in TIFF files, as ImageJ or OME software reads it.

A file says it in the way of the input. ImageJ has pixels per unit as resolution and a text of its own. OME has XML of
schema 2016-06. Both are written here, because tifffile's OME-XML holds a random number.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from xml.sax.saxutils import quoteattr

import numpy as np
from numpy.typing import NDArray

from emseg.image.place.pixel_size import METRES, PixelSize

NO_UNIT, CENTIMETRE = 1, 3  # TIFF 6.0, ResolutionUnit
#: ImageJ's names of the axes along which pages differ; the first changes fastest from page to page.
_PAGES = {"C": "channels", "Z": "slices", "T": "frames"}
_ASCII = {"µm": "um", "Å": "angstrom"}
_OME_TYPES = {"float32": "float", "float64": "double"}
_OME_UNITS = {"inch": "in", "foot": "ft"}


def calibration(metadata: Mapping[str, Any], pixels: NDArray[Any], axes: str) -> dict[str, Any]:
    """Arguments of `tifffile.imwrite` that tell how large a pixel is, and which pages are slices.

    A plane image gets none unless ImageJ or OME software described the input. Slices of other volumes are described for
    ImageJ: without that, nobody would know that the pages are slices.

    Parameters
    ----------
    metadata : mapping
        That of the input: "pixel_size", and "software", the name of what described it.
    pixels : ndarray
    axes : str
        What the axes of the pixels are, by letters as tifffile has them: pages first, then Y, X, and S for samples.
    """
    size, software = metadata.get("pixel_size"), metadata.get("software") or ("imagej" if "Z" in axes else "")
    if size is not None and not size.is_length:
        size = None
    if not software or (size is None and "Z" not in axes):
        return {}
    shape = dict(zip(axes, pixels.shape, strict=True))
    if size is None:
        return {"description": _imagej(size, shape)}
    y, x = size.lengths[-2:]
    if software == "imagej":
        return {"description": _imagej(size, shape), "resolution": (1 / x, 1 / y), "resolutionunit": NO_UNIT}
    centimetres = METRES[size.unit] * 100
    found = {"description": _ome(size, shape, str(pixels.dtype)).encode("utf-8")}
    return found | {"resolution": (1 / (x * centimetres), 1 / (y * centimetres)), "resolutionunit": CENTIMETRE}


def _imagej(size: PixelSize | None, shape: Mapping[str, int]) -> str:
    """ImageJ's description: lines of a name and a value, in plain ASCII."""
    pages = {axis: shape.get(axis, 1) for axis in _PAGES}
    images = int(np.prod(list(pages.values())))
    lines = ["ImageJ=1.11a"]
    if images > 1:
        lines += [f"images={images}", *(f"{_PAGES[axis]}={length}" for axis, length in pages.items() if length > 1)]
        lines += ["hyperstack=true", "mode=grayscale"] if sum(length > 1 for length in pages.values()) > 1 else []
        lines += ["loop=false"]
    if size is not None:
        lines += [f"unit={_ASCII.get(size.unit, size.unit)}"]
        lines += [f"spacing={size.lengths[0]!r}"] if len(size.lengths) == 3 else []
    return "\n".join([*lines, ""])


def _ome(size: PixelSize, shape: Mapping[str, int], dtype: str) -> str:
    """OME-XML for one image, whose pages run along x, y, z, c and t in that order."""
    samples = shape.get("S", 1)
    channels = shape.get("C", 1)
    lengths = {
        "X": shape["X"],
        "Y": shape["Y"],
        "Z": shape.get("Z", 1),
        "C": channels * samples,
        "T": shape.get("T", 1),
    }
    facts = {f"Size{axis}": str(length) for axis, length in lengths.items()}
    for axis, length in zip("XYZ", size.lengths[::-1], strict=False):
        facts |= {f"PhysicalSize{axis}": repr(length)}
        facts |= {f"PhysicalSize{axis}Unit": _OME_UNITS.get(size.unit, size.unit)}
    facts["Type"] = _OME_TYPES.get(dtype, dtype)
    named = " ".join(f"{name}={quoteattr(value)}" for name, value in facts.items())
    channel = "".join(f'<Channel ID="Channel:0:{c}" SamplesPerPixel="{samples}"/>' for c in range(channels))
    schema = "http://www.openmicroscopy.org/Schemas/OME/2016-06"
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><OME xmlns="{schema}" Creator="emseg"><Image ID="Image:0">'
        f'<Pixels ID="Pixels:0" DimensionOrder="XYZCT" {named}>{channel}<TiffData/></Pixels></Image></OME>'
    )
