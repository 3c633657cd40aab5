"""Borders of labels that were found in an image of half the size, cut again at twice that size."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emseg.mrf.inference.graph_cut import lowest
from emseg.mrf.marked.class_mixtures import ClassMixtures
from emseg.mrf.marked.costs import CONTRAST, colour_costs, forced, given_neighbours, smooth
from emseg.mrf.marked.edges import contrast_pairs
from emseg.mrf.marked.pyramid import Level

Labels = NDArray[np.uint8]
Mask = NDArray[np.bool_]
BAND = 3  # pixels to either side of a border that are cut again, the last of them held
SEEN = 1 << 18  # pixels that show how much neighbours differ


def cut_along(
    level: Level,
    labels: Labels,
    classes: ClassMixtures,
    paths: NDArray[np.float32],
    mean: float,
    beta: float,
    neighbours: int,
    spacing: tuple[float, ...] | None,
) -> tuple[Labels, NDArray[np.float32]]:
    """Labels that were cut again along their borders, and probabilities (K, ...).

    Parameters
    ----------
    level : Level
    labels : ndarray of uint8, the grid's shape
        Of the smaller image, enlarged: 0…K-1, and K where there is no data.
    classes : ClassMixtures
    paths : ndarray of float32, shape (K, ...)
        What each label costs for its distance to the marks.
    mean : float
        Mean squared distance of neighbours' features.
    beta : float
    neighbours : int
    spacing : tuple of float, optional
    """
    from scipy import ndimage

    k = len(paths)
    probabilities = np.stack([labels == label for label in range(k)]).astype(np.float32)
    band = _band(labels, level)
    if not band.any():
        return labels, probabilities
    held = band & ~ndimage.binary_erosion(band, np.ones((3,) * band.ndim), border_value=1)
    held &= ~_marked_otherwise(labels, level)
    marks = np.where(held, labels + 1, level.marks)[band].astype(np.uint8)
    pairs, _ = contrast_pairs(level.planes, band, neighbours, spacing, mean, CONTRAST)
    prior = None if level.log_prior is None else level.log_prior[:, band]
    cost = colour_costs(classes, smooth(level)[:, band], prior) + paths[:, band]
    cost = forced(cost, marks, beta, pairs)
    z = lowest(cost.T.astype(np.float64), pairs, beta, labels[band].astype(np.intp)).astype(np.uint8)
    labels = labels.copy()
    labels[band] = z
    probabilities[:, band] = given_neighbours(cost, z, pairs, beta)
    return labels, probabilities


def _marked_otherwise(labels: Labels, level: Level) -> Mask:
    return np.asarray((level.marks > 0) & (level.marks != labels + 1))


def roughness(level: Level) -> float:
    """Mean squared difference of neighbours along the last axis, on some rows."""
    rows = level.planes.reshape(len(level.planes), -1, level.planes.shape[-1])
    inside = level.valid.reshape(-1, level.valid.shape[-1])
    step = max(1, round(inside.size / SEEN))
    both = inside[::step, 1:] & inside[::step, :-1]
    square = (np.diff(rows[:, ::step], axis=2) ** 2).sum(0)[both]
    return float(square.mean(dtype=np.float64)) if square.size and square.any() else 1.0


def _band(labels: Labels, level: Level) -> Mask:
    """Pixels near a border of the labels, or with a mark against them; with a rim of those that are not cut again."""
    from scipy import ndimage

    edge = np.zeros(labels.shape, np.bool_)
    for axis in range(labels.ndim):
        change = np.diff(labels, axis=axis) != 0
        first = tuple(slice(0, n - (i == axis)) for i, n in enumerate(labels.shape))
        second = tuple(slice(int(i == axis), n) for i, n in enumerate(labels.shape))
        edge[first] |= change
        edge[second] |= change
    edge |= _marked_otherwise(labels, level)
    near = ndimage.binary_dilation(edge, np.ones((3,) * labels.ndim), BAND)
    return np.asarray(near & level.valid)
