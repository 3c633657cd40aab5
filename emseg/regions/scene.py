"""How an image is described by regions: what a border costs, and what regions come of a label map."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from emseg.features.model import Features
from emseg.mixture.assign import assign
from emseg.mixture.mixture import Mixture
from emseg.numerics.masked_blur import MaskedBlur
from emseg.regions.description_length import COST, OFFSET, Partition, merge_shortest, partition
from emseg.regions.effective_sample import independent_area, sampled_lines
from emseg.regions.graph import Graph, absorb, components, graph

Array = NDArray[np.float64]
Planes = NDArray[np.float32]
Labels = NDArray[np.unsignedinteger]
SMOOTH, EDGE = 1.5, 2.0  # standard deviations in pixels: of what regions are compared by, and of what makes an edge
SHARP = 0.05  # of the price, for a border along the sharpest edge
LEAST = 0.5  # independent samples that a region has at least
MOST = 5000  # regions that are looked at, in large images of noise
ENOUGH = 1 << 18  # pixels on which the number of components is chosen
SAMPLE, FEW = 1 << 21, 64  # pixels of which moments are taken in large images, and at least in a region
BLOCK = 1 << 18  # pixels that are converted at once
RIDGE = 1e-6  # of the spread of a feature, for features that are constant within all classes


@dataclass(frozen=True, eq=False)
class Scene:
    """An image as regions see it.

    Attributes
    ----------
    values : ndarray of float32, shape (D, *shape)
        The standardised features, and possibly others, a little smoothed.
    loose : ndarray of float32, shape (*shape)
        What a border costs at each pixel, near 0 along sharp edges, 1.05 far from any.
    valid : ndarray of bool, shape (*shape)
    """

    values: Planes
    loose: Planes
    valid: NDArray[np.bool_]

    @classmethod
    def of(cls, planes: NDArray[np.floating], valid: NDArray[np.bool_], beside: Planes | None = None) -> Scene:
        """Smooth planes (D, *shape), and find their edges; further planes make no edges."""
        from scipy.ndimage import gaussian_gradient_magnitude

        values = smoothed(planes, valid, SMOOTH)
        further = (EDGE**2 - SMOOTH**2) ** 0.5
        steep = np.zeros(valid.shape, np.float32)
        for plane in values:
            steep += gaussian_gradient_magnitude(plane, further, truncate=3) ** 2
        level = float(steep[valid].mean())
        loose = np.exp(steep / (-2 * level)) if level > 0 else np.ones_like(steep)
        if beside is not None:
            known = bool(np.isfinite(beside).all())  # and smooth already
            values = np.concatenate([values, beside if known else smoothed(beside, valid, SMOOTH)])
        return cls(values, loose + np.float32(SHARP), valid)

    def area(self, labels: Labels) -> float:
        """Pixels that one independent sample takes, given a class for each."""
        values, classes = self.values.reshape(len(self.values), -1), labels.ravel()
        left = []
        for rows in sampled_lines(np.arange(labels.size, dtype=np.int32).reshape(labels.shape)):
            some = rows.ravel()
            left.append(residuals(values[:, some], classes[some]).reshape(-1, *rows.shape))
        return independent_area(left)

    def prices(self, area: float) -> tuple[float, float]:
        """What a pixel of border costs in nats, and the offset of `merge_shortest`."""
        d = sum(n > 1 for n in self.valid.shape) or 1
        return COST * area ** (1 / d), OFFSET * area ** (1 - 1 / d)

    def least(self, area: float) -> int:
        """Pixels that a region has at least."""
        return max(round(LEAST * area), int(self.valid.sum()) // MOST, 1)

    def parts(self, labels: Labels, least: int) -> tuple[NDArray[np.int32], Partition]:
        """Connected components of labels, the small ones in others, numbered 1…R in raster order."""
        ids = components(labels)
        ids = renumbered(ids, absorb(resembling(ids, self.values, labels), least))
        step = int((ids.size / SAMPLE) ** (1 / ids.ndim)) + 1 if ids.size > SAMPLE else 1
        return ids, partition(ids, self.values, self.loose, step if least >= FEW * step**ids.ndim else 1)

    def merged(self, labels: Labels, least: int, area: float) -> NDArray[np.int32]:
        """The regions of the shortest description, numbered 1…R in raster order."""
        ids, parts = self.parts(labels, least)
        return renumbered(ids, merge_shortest(parts, *self.prices(area)))

    def nats(self, labels: Labels, area: float) -> float:
        """How much the description takes by the regions that come of labels."""
        ids = self.merged(labels, self.least(area), area)
        return partition(ids, self.values, self.loose).energy(*self.prices(area))


def scene(features: Features, volume: tuple[int, ...] | None = None, beside: Planes | None = None) -> Scene:
    """The scene of an image's features, and what else regions are to be compared by, (T, H, W).

    `volume` is its shape in space, if the grid holds several slices.
    """
    shape = volume or features.shape
    valid = features.on_grid(np.ones(features.x.shape[1], np.uint8)) > 0
    x = features.x
    if (features.scale == 1).all() and (features.shift == 0).all():  # of families that take values as they are
        share = features.weight / features.weight.sum()
        x = (x - (x @ share)[:, None]) / max(float(np.mean((x**2) @ share - (x @ share) ** 2)) ** 0.5, 1e-12)
    planes = features.on_grid(x.astype(np.float32))
    return Scene.of(planes.reshape(len(planes), *shape), valid.reshape(shape), beside)


def lengths(mixtures: list[Mixture], features: Features, whole: Scene) -> tuple[list[float], float]:
    """Nats of the description by the regions of each mixture's classes, on some of the pixels; and A on all.

    The parameters of a class cost as much as those of a region.
    """
    shape = whole.valid.shape
    d = sum(n > 1 for n in shape) or 1
    step = int(np.ceil((whole.valid.size / ENOUGH) ** (1 / d)))
    some = tuple(slice(None, None, step) for _ in shape)
    view = Scene(np.ascontiguousarray(whole.values[(slice(None), *some)]), whole.loose[some], whole.valid[some])
    kept, place = np.unique(_rows(features, shape)[some], return_inverse=True)
    x, place = features.x[:, np.maximum(kept - 1, 0)], place.reshape(view.valid.shape)
    one = np.ones(x.shape[1])
    maps = [np.where(kept > 0, assign(mixture, x, one)[0], 0).astype(np.uint16)[place] for mixture in mixtures]
    area = view.area(maps[-1])
    price, offset = view.prices(area)
    classes = [price * offset * mixture.k for mixture in mixtures]
    return [own + view.nats(labels, area) for own, labels in zip(classes, maps, strict=True)], area * step**d


def _rows(features: Features, volume: tuple[int, ...] | None) -> NDArray[np.int32]:
    """The sample of each pixel, from 1; 0 where there is no data."""
    rows = features.on_grid(np.arange(1, features.x.shape[1] + 1, dtype=np.int32))
    return rows.reshape(volume) if volume else rows


def residuals(x: NDArray[np.floating], labels: Labels) -> Planes:
    """What is left of x (D, N) when the means of the classes are taken off; NaN without a label."""
    known = np.where(np.isfinite(x), x, 0)
    counts = np.maximum(np.bincount(labels), 1)
    means = np.stack([np.bincount(labels, plane) / counts for plane in known]).astype(np.float32)
    means[:, 0] = np.nan
    return np.asarray(x - means[:, labels], np.float32)


def sample_area(features: Features, mixture: Mixture, volume: tuple[int, ...] | None = None) -> float:
    """Pixels that one independent sample takes, given the classes of a mixture."""
    rows = sampled_lines(_rows(features, volume))
    kept, place = np.unique(np.concatenate([lines.ravel() for lines in rows]), return_inverse=True)
    x = features.x[:, np.maximum(kept - 1, 0)]
    labels = np.where(kept > 0, assign(mixture, x, np.ones(kept.size))[0], 0)
    spread = np.split(residuals(x, labels)[:, place.ravel()], np.cumsum([lines.size for lines in rows])[:-1], axis=1)
    return independent_area([left.reshape(-1, *lines.shape) for left, lines in zip(spread, rows, strict=True)])


def smoothed(planes: NDArray[np.floating], valid: NDArray[np.bool_], scale: float) -> Planes:
    """Planes (D, *shape) smoothed over what is known; elsewhere, what lies around."""
    out = np.empty(planes.shape, np.float32)
    for plane, room in zip(planes, out, strict=True):
        MaskedBlur(valid & np.isfinite(plane))(plane, scale, out=room)
    return out


def resembling(ids: NDArray[np.int32], planes: NDArray[np.floating], labels: Labels) -> Graph:
    """The graph of components of labels, its values in units in which the classes have unit covariance on average."""
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
    found = graph(ids, planes)
    white = np.linalg.solve(np.linalg.cholesky(within), found.sums.T).T
    return replace(found, sums=np.ascontiguousarray(white))


def renumbered(ids: NDArray[np.int32], names: NDArray[np.intp]) -> NDArray[np.int32]:
    """Ids 1…R of which region i + 1 has become names[i], numbered in the order of first appearance.

    Components come in raster order, and so do the numbers.
    """
    first = np.unique(names, return_index=True)[1]
    order = np.empty(first.size, np.intp)
    order[np.argsort(first)] = np.arange(first.size)
    return np.concatenate([[0], order[names] + 1]).astype(np.int32)[ids]
