"""Connected parts of classes: those that touch none of their class's marks are unlikely to be meant."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Labels = NDArray[np.unsignedinteger[Any]]


class LeftOut(NamedTuple):
    """Parts that look like a class and touch none of its marks.

    Attributes
    ----------
    label : int
        The class, 0…K-1.
    parts, pixels : int
    """

    label: int
    parts: int
    pixels: int


def ground_of(labels: Labels, k: int) -> int:
    """The class, 0…K-1, that most of the border of an image is of; other values are no class."""
    faces = [np.take(labels, [0, -1], axis=axis).ravel() for axis in range(labels.ndim) if labels.shape[axis] > 1]
    return int(np.bincount(np.concatenate(faces), minlength=k)[:k].argmax())


def without_loose_parts(
    labels: Labels, marks: NDArray[np.uint8], k: int, ground: int
) -> tuple[Labels, tuple[LeftOut, ...]]:
    """Labels where parts without a mark of their class take the label of the nearest pixel that is no such part.

    The ground may lie in parts that nobody marked, as between the legs of an animal; and so may a class without marks.

    Parameters
    ----------
    labels : ndarray of unsigned int
        0…K-1; K where there is no data.
    marks : ndarray of uint8, the same shape
        1…K; 0 elsewhere.
    k, ground : int
    """
    from scipy import ndimage

    loose, found = np.zeros(labels.shape, np.bool_), []
    for label in range(k):
        own = marks == label + 1
        if label == ground or not own.any():
            continue
        numbered, count = ndimage.label(labels == label, np.ones((3,) * labels.ndim))
        touched = np.zeros(count + 1, np.bool_)
        touched[numbered[own]] = True
        touched[0] = True
        if touched.all():
            continue
        here = ~touched[numbered]
        found.append(LeftOut(label, int(np.count_nonzero(~touched)), int(np.count_nonzero(here))))
        loose |= here
    if not found:
        return labels, ()
    away = loose | (labels == k)
    nearest = ndimage.distance_transform_edt(away, return_distances=False, return_indices=True)
    return np.where(loose, labels[tuple(nearest)], labels), tuple(found)
