"""Regions of a segmentation: which pixels hang together, and a table of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emseg.features.model import Features
from emseg.mrf.regions import absorb, components, graph, merge

Array = NDArray[np.float64]
#: How much alike neighbours must be to become one at --merge 1, in the units of `emseg.mrf.regions.merge`.
ALIKE = 400.0
RIDGE = 1e-6  # of the spread of a feature, for features that are constant within all classes


@dataclass(frozen=True, eq=False)
class Regions:
    """Connected parts of an image.

    Attributes
    ----------
    ids : ndarray of int32, shape (H, W)
        1…R in raster order of their first pixels; 0 where there is no data.
    table : dict of str to ndarray, shape (R,)
        region, label (of most of its pixels), area, left, top, width, height, x and y (the centre of mass), confidence
        (mean probability of that label), and the mean of each feature in its own units.
    """

    ids: NDArray[np.int32]
    table: dict[str, NDArray[np.generic]]

    @property
    def count(self) -> int:
        """R."""
        return int(self.table["region"].size)


def find_regions(
    labels: NDArray[np.unsignedinteger],
    posterior: NDArray[np.float32],
    features: Features,
    least: int,
    alike: float,
    volume: tuple[int, ...] | None = None,
) -> Regions:
    """Connected components of labels, small and similar ones merged.

    Parameters
    ----------
    labels : ndarray, shape (H, W)
    posterior : ndarray, shape (K, H, W)
    features : Features
    least : int
        Smaller components join the neighbour that they resemble most.
    alike : float
        Then neighbours join that are more alike than this times ALIKE; 0 for none.
    volume : tuple of int, optional
        The shape in space, if the rows of the grid are those of several slices.
    """
    shape = volume or labels.shape
    ids = components(labels.reshape(shape))
    x = features.x[:, features.on_grid(np.arange(features.x.shape[1]))].reshape(len(features.x), -1)
    white = _whitened(x, labels.ravel())
    parts = graph(ids, white.reshape(-1, *shape))
    names = absorb(parts, least)
    if alike:
        names = merge(parts.merged(names), alike * ALIKE)[names]
    found = np.concatenate([[0], _in_order(names) + 1]).astype(np.int32)[ids].reshape(labels.shape)
    return Regions(found, _table(found, labels, posterior, features, x))


def _whitened(x: Array, labels: NDArray[np.unsignedinteger]) -> Array:
    """Values in units in which the classes have unit covariance on average; (D, N)."""
    counts = np.maximum(np.bincount(labels), 1)
    means = np.stack([np.bincount(labels, plane) / counts for plane in x])
    apart = np.where(labels > 0, x - means[:, labels], 0)
    spread = np.diag(RIDGE * np.maximum(np.where(labels > 0, x * x, 0).mean(1), RIDGE))
    within = apart @ apart.T / max(np.count_nonzero(labels), 1) + spread
    return np.asarray(np.linalg.solve(np.linalg.cholesky(within), x), np.float64)


def _in_order(names: NDArray[np.intp]) -> NDArray[np.intp]:
    """Numbers from 0 in the order of first appearance; components come in raster order."""
    first = np.unique(names, return_index=True)[1]
    order = np.empty(first.size, np.intp)
    order[np.argsort(first)] = np.arange(first.size)
    return order[names]


def _table(
    ids: NDArray[np.int32],
    labels: NDArray[np.unsignedinteger],
    posterior: NDArray[np.float32],
    features: Features,
    x: Array,
) -> dict[str, NDArray[np.generic]]:
    flat, k = ids.ravel(), len(posterior)
    count = int(flat.max(initial=0))

    def total(values: NDArray[np.generic]) -> Array:
        return np.bincount(flat, values, count + 1)[1:].astype(np.float64)

    area = np.bincount(flat, minlength=count + 1)[1:]
    votes = np.bincount(flat.astype(np.int64) * (k + 1) + labels.ravel(), minlength=(count + 1) * (k + 1))
    label = votes.reshape(count + 1, k + 1)[1:, 1:].argmax(1) + 1
    own = np.concatenate([[0], label - 1])[flat]
    sure = np.take_along_axis(posterior.reshape(k, -1), own[None], 0)[0]
    y, x_at = (plane.ravel() for plane in np.indices(ids.shape))
    columns: dict[str, NDArray[np.generic]] = {"region": np.arange(1, count + 1), "label": label, "area": area}
    box = _boxes(ids, count)
    columns |= {"left": box[2], "top": box[0], "width": box[3] - box[2], "height": box[1] - box[0]}
    columns |= {"x": total(x_at) / area, "y": total(y) / area, "confidence": total(sure) / area}
    for name, plane, shift, scale in zip(features.names, x, features.shift, features.scale, strict=True):
        columns[name] = shift + scale * total(plane) / area
    return columns


def _boxes(ids: NDArray[np.int32], count: int) -> NDArray[np.int_]:
    """First row, row after the last, first column, column after the last; shape (4, R)."""
    from scipy.ndimage import find_objects

    found = find_objects(ids, count)
    return np.array([[r.start, r.stop, c.start, c.stop] for r, c in found], np.int_).reshape(-1, 4).T
