"""What a description of an image by regions compares, what borders cost, and which regions come of labels."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from emseg.features.model import Features
from emseg.mixture.assign import assign
from emseg.mixture.mixture import Mixture
from emseg.numerics.masked_blur import MaskedBlur
from emseg.records import record
from emseg.regions.description_length import (
    BORDER_PRICE,
    REGION_OFFSET,
    Partition,
    measured_partition,
    merge_while_shorter,
)
from emseg.regions.effective_sample import independent_area, sampled_lines
from emseg.regions.graph import Graph, absorb_small, adjacency_graph, components

Array = NDArray[np.float64]
Planes = NDArray[np.float32]
Labels = NDArray[np.unsignedinteger]
# Sensitivities are of the mean covering of six images of objects under changing light, which is .745.
#: Standard deviations in pixels of the Gaussian: before regions are compared, and before edges are looked for. Covering
#: is .744 to .746 with 1 to 1.9 and with 1.6 to 3.
SMOOTH, EDGE = 1.5, 2.0
SHARP = 0.05  # what a border costs along the sharpest edge, relative to one elsewhere; with .01 .749, with .2 .730
LEAST = 0.5  # independent samples that a region has at least; with .25 .745, with 1 .743
MOST = 5000  # regions at most, in large images of noise, where merging would take longest
ENOUGH = 1 << 18  # pixels on which the number of components is chosen; with half as many .730, with twice .753
#: Pixels at least that moments are taken of in large images, in all and in a region.
SAMPLE, FEW = 1 << 21, 64
BLOCK = 1 << 18  # pixels that are converted at once: 1 MiB a feature in single precision
RIDGE = 1e-6  # variance of features that are constant within all classes, over their mean square; 1e-8 to 1e-4 alike


@record(frozen=True, eq=False)
class DescribedImage:
    """What regions of an image are compared by, and what borders between them cost.

    Attributes
    ----------
    values : ndarray of float32, shape (D, *shape)
        The standardised features, and possibly texture, a little smoothed.
    border_cost : ndarray of float32, shape (*shape)
        What a border costs at each pixel, relative to its price: SHARP along the sharpest edges, 1 + SHARP elsewhere.
    valid : ndarray of bool, shape (*shape)
        Pixels that have data.
    """

    values: Planes
    border_cost: Planes
    valid: NDArray[np.bool_]

    @classmethod
    def of(cls, planes: NDArray[np.floating], valid: NDArray[np.bool_], beside: Planes | None = None) -> DescribedImage:
        """Smooth planes (D, *shape), and find their edges.

        Planes `beside` (T, *shape) are compared as well, and make no edges.
        """
        from scipy.ndimage import gaussian_gradient_magnitude

        values = smoothed(planes, valid, SMOOTH)
        further = (EDGE**2 - SMOOTH**2) ** 0.5
        steep = np.zeros(valid.shape, np.float32)
        for plane in values:
            steep += gaussian_gradient_magnitude(plane, further, truncate=3) ** 2
        level = float(steep[valid].mean())
        border_cost = np.exp(steep / (-2 * level)) if level > 0 else np.ones_like(steep)
        if beside is not None:
            known = bool(np.isfinite(beside).all())  # and smooth already
            values = np.concatenate([values, beside if known else smoothed(beside, valid, SMOOTH)])
        return cls(values, border_cost + np.float32(SHARP), valid)

    def independent_area(self, labels: Labels) -> float:
        """Pixels that one independent sample takes, given a class for each pixel."""
        values, classes = self.values.reshape(len(self.values), -1), labels.ravel()
        left = []
        for rows in sampled_lines(np.arange(labels.size, dtype=np.int32).reshape(labels.shape)):
            some = rows.ravel()
            left.append(residuals(values[:, some], classes[some]).reshape(-1, *rows.shape))
        return independent_area(left)

    def prices(self, area: float) -> tuple[float, float]:
        """Price of a pixel of border in nats, and the offset of `merge_while_shorter`, in pixels of border.

        As much border as lies between two independent samples costs BORDER_PRICE.
        """
        d = sum(n > 1 for n in self.valid.shape) or 1
        return BORDER_PRICE * area ** (1 / d), REGION_OFFSET * area ** (1 - 1 / d)

    def smallest(self, area: float) -> int:
        """Pixels that a region has at least."""
        return max(round(LEAST * area), int(self.valid.sum()) // MOST, 1)

    def initial(self, labels: Labels, smallest: int) -> tuple[NDArray[np.int32], Partition]:
        """Connected components of labels, the small ones absorbed, numbered 1…R in raster order; and their moments."""
        ids = components(labels)
        ids = renumbered(ids, absorb_small(whitened_graph(ids, self.values, labels), smallest))
        step = int((ids.size / SAMPLE) ** (1 / ids.ndim)) + 1 if ids.size > SAMPLE else 1
        step = step if smallest >= FEW * step**ids.ndim else 1
        return ids, measured_partition(ids, self.values, self.border_cost, step)

    def merged(self, labels: Labels, smallest: int, area: float) -> NDArray[np.int32]:
        """The regions of the shortest description, numbered 1…R in raster order."""
        ids, parts = self.initial(labels, smallest)
        return renumbered(ids, merge_while_shorter(parts, *self.prices(area)))

    def description_length(self, labels: Labels, area: float) -> float:
        """Nats that the description takes by the regions that come of labels."""
        ids = self.merged(labels, self.smallest(area), area)
        return measured_partition(ids, self.values, self.border_cost).energy(*self.prices(area))


def describe_image(
    features: Features, volume: tuple[int, ...] | None = None, beside: Planes | None = None
) -> DescribedImage:
    """What regions of an image with these features are compared by.

    Parameters
    ----------
    features : Features
    volume : tuple of int, optional
        The shape in space, if the grid holds several slices.
    beside : ndarray of float32, shape (T, H, W), optional
        Other values that regions are compared by.
    """
    shape = volume or features.shape
    valid = features.on_grid(np.ones(features.x.shape[1], np.uint8)) > 0
    x = features.x
    if (features.scale == 1).all() and (features.shift == 0).all():  # of families that take values as they are
        share = features.weight / features.weight.sum()
        x = (x - (x @ share)[:, None]) / max(float(np.mean((x**2) @ share - (x @ share) ** 2)) ** 0.5, 1e-12)
    planes = features.on_grid(x.astype(np.float32))
    return DescribedImage.of(planes.reshape(len(planes), *shape), valid.reshape(shape), beside)


def description_lengths(
    mixtures: list[Mixture], features: Features, image: DescribedImage
) -> tuple[list[float], float]:
    """Lengths of the descriptions by the regions that come of each mixture's classes.

    The parameters of a class cost as much as those of a region.

    Parameters
    ----------
    mixtures : list of Mixture
    features : Features
    image : DescribedImage
        Large ones are looked at on a grid of some of the pixels.

    Returns
    -------
    nats : list of float
    area : float
        Pixels of the whole image that one independent sample takes, given the classes of the last mixture.
    """
    shape = image.valid.shape
    d = sum(n > 1 for n in shape) or 1
    step = int(np.ceil((image.valid.size / ENOUGH) ** (1 / d)))
    some = tuple(slice(None, None, step) for _ in shape)
    thin = DescribedImage(
        np.ascontiguousarray(image.values[(slice(None), *some)]), image.border_cost[some], image.valid[some]
    )
    kept, place = np.unique(_rows(features, shape)[some], return_inverse=True)
    x, place = features.x[:, np.maximum(kept - 1, 0)], place.reshape(thin.valid.shape)
    one = np.ones(x.shape[1])
    maps = [np.where(kept > 0, assign(mixture, x, one)[0], 0).astype(np.uint16)[place] for mixture in mixtures]
    area = thin.independent_area(maps[-1])
    price, offset = thin.prices(area)
    classes = [price * offset * mixture.k for mixture in mixtures]
    nats = [own + thin.description_length(labels, area) for own, labels in zip(classes, maps, strict=True)]
    return nats, area * step**d


def _rows(features: Features, volume: tuple[int, ...] | None) -> NDArray[np.int32]:
    """The sample of each pixel, from 1; 0 where there is no data."""
    rows = features.on_grid(np.arange(1, features.x.shape[1] + 1, dtype=np.int32))
    return rows.reshape(volume) if volume else rows


def residuals(x: NDArray[np.floating], labels: Labels) -> Planes:
    """Values x (D, N) less the means of their classes; NaN without a label."""
    known = np.where(np.isfinite(x), x, 0)
    counts = np.maximum(np.bincount(labels), 1)
    means = np.stack([np.bincount(labels, plane) / counts for plane in known]).astype(np.float32)
    means[:, 0] = np.nan
    return np.asarray(x - means[:, labels], np.float32)


def independent_area_of_mixture(features: Features, mixture: Mixture, volume: tuple[int, ...] | None = None) -> float:
    """Pixels that one independent sample takes, given the classes of a mixture."""
    rows = sampled_lines(_rows(features, volume))
    kept, place = np.unique(np.concatenate([lines.ravel() for lines in rows]), return_inverse=True)
    x = features.x[:, np.maximum(kept - 1, 0)]
    labels = np.where(kept > 0, assign(mixture, x, np.ones(kept.size))[0], 0)
    spread = np.split(residuals(x, labels)[:, place.ravel()], np.cumsum([lines.size for lines in rows])[:-1], axis=1)
    return independent_area([left.reshape(-1, *lines.shape) for left, lines in zip(spread, rows, strict=True)])


def smoothed(planes: NDArray[np.floating], valid: NDArray[np.bool_], scale: float) -> Planes:
    """Planes (D, *shape) smoothed over known pixels; unknown ones get what lies around."""
    out = np.empty(planes.shape, np.float32)
    for plane, target in zip(planes, out, strict=True):
        MaskedBlur(valid & np.isfinite(plane))(plane, scale, out=target)
    return out


def whitened_graph(ids: NDArray[np.int32], planes: NDArray[np.floating], labels: Labels) -> Graph:
    """The graph of the components of labels.

    Values are in units in which pixels of a class have unit covariance, on average over the classes.
    """
    flat, rows = labels.ravel(), planes.reshape(len(planes), -1)
    counts = np.maximum(np.bincount(flat), 1)
    means = np.stack([np.bincount(flat, plane) / counts for plane in rows])
    seen, total, within = 0, np.zeros(len(rows)), np.zeros((len(rows), len(rows)))
    for start in range(0, flat.size, BLOCK * (1 + flat.size // SAMPLE)):
        part, own = rows[:, start : start + BLOCK], flat[start : start + BLOCK]
        apart = np.where(own > 0, part - means[:, own], 0)
        within += apart @ apart.T
        total += np.where(own > 0, part.astype(np.float64) ** 2, 0).sum(1)
        seen += int((own > 0).sum())
    within = (within + np.diag(RIDGE * np.maximum(total, RIDGE))) / max(seen, 1)
    found = adjacency_graph(ids, planes)
    white = np.linalg.solve(np.linalg.cholesky(within), found.sums.T).T
    return replace(found, sums=np.ascontiguousarray(white))


def renumbered(ids: NDArray[np.int32], names: NDArray[np.intp]) -> NDArray[np.int32]:
    """Ids after region i + 1 has become region names[i].

    New numbers are 1…R in the order of first appearance. Components come in raster order, and so do the new regions.
    """
    first = np.unique(names, return_index=True)[1]
    order = np.empty(first.size, np.intp)
    order[np.argsort(first)] = np.arange(first.size)
    return np.concatenate([[0], order[names] + 1]).astype(np.int32)[ids]
