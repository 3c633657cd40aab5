"""Columns of a table of regions that say how they are shaped, in pixels and in units of length."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emseg.image.place.pixel_size import PixelSize
from emseg.regions.measures.convex_hulls import hull_pixels
from emseg.regions.measures.moments import axis_lengths, covariances, eccentricity, orientation
from emseg.regions.measures.outlines import borders, perimeters
from emseg.regions.measures.runs import Runs

Columns = dict[str, NDArray[np.generic]]
Array = NDArray[np.float64]
#: Units in names of columns, where they are spelled otherwise.
SPELLED = {"µm": "um", "Å": "angstrom", "US survey foot": "us_foot"}
AXES = {2: ("major_axis", "minor_axis"), 3: ("major_axis", "middle_axis", "minor_axis")}


def shape_columns(ids: NDArray[np.int32], runs: Runs, size: PixelSize | None) -> Columns:
    """Measures of the shapes of regions, R values each.

    Parameters
    ----------
    ids : ndarray, shape (H, W) or (Z, H, W)
        1…R; 0 is none.
    runs : Runs
        Of the regions.
    size : PixelSize, optional
        Adds columns in its unit, if that is one of length.
    """
    d, areas = ids.ndim, runs.areas
    pixel = (1.0,) * d
    known = size is not None and size.is_length and len(size.lengths) == d
    sides, unit = (size.lengths, SPELLED.get(size.unit, size.unit)) if size and known else (pixel, "")
    covariance = covariances(runs, pixel)
    found = {**_lengths(ids, runs.regions, covariance, pixel, "px")}
    real = covariance * np.multiply.outer(sides, sides)
    if d == 2:
        found |= {"eccentricity": eccentricity(real), "orientation_deg": orientation(real)}
    found["solidity"] = areas / np.maximum(hull_pixels(runs), 1)
    if unit:
        word = "area" if d == 2 else "volume"
        found[f"{word}_{unit}{d}"] = areas * float(np.prod(sides))
        found |= _lengths(ids, runs.regions, real, sides, unit)
    return found


def _lengths(ids: NDArray[np.int32], count: int, covariance: Array, sides: tuple[float, ...], unit: str) -> Columns:
    """Outline or surface, and the axes, in a unit."""
    if ids.ndim == 3:
        found: Columns = {f"surface_{unit}2": borders(ids, count, sides)}
    elif len(set(sides)) == 1:
        found = {f"perimeter_{unit}": perimeters(ids, count) * sides[0]}
    else:
        found = {f"perimeter_{unit}": borders(ids, count, sides)}
    axes = zip(AXES[ids.ndim], axis_lengths(covariance).T, strict=True)
    return found | {f"{name}_{unit}": lengths for name, lengths in axes}


def touches_border(first: NDArray[np.int_], sides: NDArray[np.int_], shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """1 for regions that touch the image's border, of which some may be missing; shape (R,).

    Parameters
    ----------
    first, sides : ndarray, shape (d, R)
        Where the boxes of the regions begin by axis, and how long they are.
    shape : tuple of int
        Of the image. An axis of length 1 has no border.
    """
    lengths = np.array(shape)[:, None]
    at_end = (first == 0) | (first + sides == lengths)
    return np.asarray((at_end & (lengths > 1)).any(0), np.uint8)
