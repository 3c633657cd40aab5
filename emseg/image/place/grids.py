"""The grid of an image: from a NIfTI header's affine or from GeoTIFF tags."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emseg.image.place.grid import Grid
from emseg.image.place.ground import epsg, ground

Array = NDArray[np.float64]
#: Relative rounding of numbers that are stored with 32 and with 64 bits, once by the file and once by who made it.
SINGLE, DOUBLE = 2.0**-23, 2.0**-52
MILLIMETRES = {1: 1000.0, 2: 1.0, 3: 0.001}  # by the code of a unit in NIfTI; other codes count as millimetres


def grid_of(metadata: Mapping[str, Any], shape: tuple[int, int]) -> Grid | None:
    """Where the pixels of an image are in the world; None if its file does not tell.

    Parameters
    ----------
    metadata : mapping
        See `emseg.image.model.Image`.
    shape : tuple of int
        Height and width of `Image.pixels`.
    """
    if "nifti" in metadata:
        z, y, x = metadata["volume"]
        return _of_volume(metadata["nifti"]["header"], np.asarray(metadata["nifti"]["affine"], np.float64), (x, y, z))
    if "affine" in metadata:
        z, y, x = metadata["volume"]
        rows = np.asarray(metadata["affine"], np.float64)[:3]
        if np.linalg.matrix_rank(rows[:, :3]) < 3:
            return None
        return Grid(rows, SINGLE * np.abs(rows), (x, y, z), "affine")
    matrix = ground(metadata.get("geotiff", {}))
    if matrix is None:
        return None
    matrix[:, 2] += matrix[:, :2] @ (0.5, 0.5)  # from corners to centres
    code = epsg(metadata["geotiff"])
    return Grid(matrix, DOUBLE * np.abs(matrix), shape[::-1], "geotransform", f"EPSG:{code}" if code else "")


def _of_volume(header: Any, affine: Array, lengths: tuple[int, int, int]) -> Grid | None:
    """The grid of a NIfTI volume; None if neither of its two ways to tell a place is in use."""
    by_rows, by_turn = int(header["sform_code"]) > 0, int(header["qform_code"]) > 0
    matrix = affine[:3] * MILLIMETRES.get(int(header["xyzt_units"]) % 8, 1.0)
    if not (by_rows or by_turn) or not np.isfinite(matrix).all() or np.linalg.matrix_rank(matrix[:, :3]) < 3:
        return None
    slack = SINGLE * np.abs(matrix)
    if not by_rows:
        slack[:, :3] += _slack_of_turn(header) * np.linalg.norm(matrix[:, :3], axis=0)
    return Grid(matrix, slack, lengths, "affine")


def _slack_of_turn(header: Any) -> float:
    """How far the entries of a rotation may be off that is stored as three of the four parts of a quaternion.

    The fourth is √(1 - b² - c² - d²). Where it is small, the rounding of the others makes it uncertain. Entries are
    sums of two products of parts.
    """
    b, c, d = (float(header[f"quatern_{part}"]) for part in "bcd")
    fourth = np.sqrt(max(1 - b * b - c * c - d * d, 0.0))
    off = SINGLE / max(2 * fourth, np.sqrt(SINGLE))
    return float(2 * (off + SINGLE))
