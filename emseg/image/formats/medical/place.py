"""Where the slices of DICOM images are in the patient (PS3.3, C.7.6.2), in millimetres."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emseg.image.formats.medical.voxels import FLIP
from emseg.records import NamedRecord

Array = NDArray[np.float64]
UNEVEN = 0.01  # share of the distance of slices by which one may be off: scanners round positions to micrometres


class Slices(NamedRecord):
    """Slices of one volume.

    Attributes
    ----------
    order : tuple of int
        The slices, so that positions along their normal rise.
    affine : ndarray, shape (4, 4)
        The map from indices x, y and z to millimetres to the right, the front and the top.
    sides : tuple of float
        Of a voxel, in millimetres, along z, y and x.
    uneven : bool
        Whether distances differ.
    key : tuple
        Of a single slice: what slices of one volume have in common, and its position and directions.
    """

    order: tuple[int, ...]
    affine: Array
    sides: tuple[float, ...]
    uneven: bool = False
    key: tuple[Any, ...] = ()


def slices_of(dataset: Any, frames: int) -> Slices | None:
    """The slices that the frames of a data set are; None if it does not say where each is."""
    shared = _first(dataset.get("SharedFunctionalGroupsSequence"))
    each = list(dataset.get("PerFrameFunctionalGroupsSequence") or [])
    positions, turns = [], []
    for at in range(frames):
        groups = [each[at] if at < len(each) else None, shared]
        position = _numbers(groups, "PlanePositionSequence", "ImagePositionPatient", dataset, 3)
        turn = _numbers(groups, "PlaneOrientationSequence", "ImageOrientationPatient", dataset, 6)
        if position is None or turn is None:
            return None
        positions.append(position)
        turns.append(turn)
    spacing = sides_of(dataset)
    offsets = dataset.get("GridFrameOffsetVector")
    if offsets is not None and len(offsets) == frames > 1:  # of doses: all frames have the position of the first
        normal = np.cross(turns[0][:3], turns[0][3:])
        positions = [positions[0] + normal * float(offset) for offset in offsets]
    if len(spacing) < 2 or not np.allclose(turns, turns[0], atol=1e-4):
        return None
    thickness = float(dataset.get("SpacingBetweenSlices") or dataset.get("SliceThickness") or 0) or spacing[0]
    found = ordered(positions, turns[0], spacing[-2:], thickness)
    if found is None or frames > 1:
        return found
    key = str(dataset.get("SeriesInstanceUID", "")), tuple(positions[0].tolist()), tuple(turns[0].tolist())
    return found._replace(key=(*key, tuple(spacing[-2:]), thickness))


def ordered(positions: Sequence[Array], turn: Array, spacing: Sequence[float], thickness: float) -> Slices | None:
    """Slices by their positions; None if two are at one place.

    Parameters
    ----------
    positions : sequence of ndarray, shape (3,)
        Of the centre of the first pixel of each: left, posterior, superior.
    turn : ndarray, shape (6,)
        The directions of rows and of columns.
    spacing : sequence of float
        Distances of rows and of columns.
    thickness : float
        The distance of slices, if there is only one.
    """
    normal = np.cross(turn[:3], turn[3:])
    heights = np.array([position @ normal for position in positions])
    order = np.argsort(heights, kind="stable")
    gaps = np.diff(heights[order])
    if gaps.size and gaps.min() <= 0:
        return None
    step = float(gaps.mean()) if gaps.size else thickness
    affine = np.eye(4)
    affine[:3, 0], affine[:3, 1] = turn[:3] * spacing[1], turn[3:] * spacing[0]
    first, last = positions[order[0]], positions[order[-1]]
    affine[:3, 2] = (last - first) / gaps.size if gaps.size else normal * step
    affine[:3, 3] = first
    uneven = bool(gaps.size and np.abs(gaps - step).max() > UNEVEN * step)
    return Slices(tuple(order.tolist()), FLIP @ affine, (step, float(spacing[0]), float(spacing[1])), uneven)


def sides_of(dataset: Any) -> tuple[float, ...]:
    """The distances of rows and of columns in millimetres; empty if they are not told."""
    measures = _first(getattr(_first(dataset.get("SharedFunctionalGroupsSequence")), "PixelMeasuresSequence", None))
    for source, word in ((measures, "PixelSpacing"), (dataset, "PixelSpacing"), (dataset, "ImagerPixelSpacing")):
        value = source.get(word) if source is not None else None
        if value is not None and len(value) == 2:
            return tuple(float(side) for side in value)
    return ()


def _numbers(groups: Sequence[Any], sequence: str, word: str, dataset: Any, count: int) -> Array | None:
    """The numbers of an attribute: of the frame, of all frames, or of the image."""
    for group in groups:
        item = _first(group.get(sequence)) if group is not None else None
        if item is not None and word in item and len(item[word].value) == count:
            return np.array([float(v) for v in item[word].value])
    value = dataset.get(word)
    return np.array([float(v) for v in value]) if value is not None and len(value) == count else None


def _first(items: Any) -> Any:
    return items[0] if items else None
