"""TIFF files for other programs: label maps as plain integers, and planes of float32."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

_GEO_TYPES = {33550: "d", 33922: "d", 34264: "d", 34735: "H", 34736: "d", 34737: "s"}


def labels_tiff(labels: NDArray[np.unsignedinteger[Any]], metadata: Mapping[str, Any]) -> bytes:
    """Labels (H, W) in their own unsigned type."""
    return _tiff(labels, metadata)


def planes_tiff(planes: NDArray[Any], metadata: Mapping[str, Any]) -> bytes:
    """One plane (H, W), or a page for each of (K, H, W), as float32."""
    return _tiff(planes.astype(np.float32, copy=False), metadata)


def _tiff(pixels: NDArray[Any], metadata: Mapping[str, Any]) -> bytes:
    """Encode with what the input said of resolution and place."""
    import tifffile

    tags = []
    for code, value in metadata.get("geotiff", {}).items():
        kind = _GEO_TYPES[code]
        tags.append((code, kind, 0 if kind == "s" else len(value), value, True))
    place: dict[str, Any] = {}
    if "resolution" in metadata:
        place = {"resolution": metadata["resolution"], "resolutionunit": "INCH"}
    file = io.BytesIO()
    tifffile.imwrite(file, pixels, photometric="minisblack", compression="zlib", metadata=None, extratags=tags, **place)
    return file.getvalue()
