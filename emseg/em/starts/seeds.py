"""Seeds: which samples the components of a start grow from."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emseg.mixture.family import Family, Real
from emseg.mixture.samples import Rows
from emseg.mixture.stats import Stats


def kmeans_pp(x: Real, weight: Real, k: int, s: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """s sets of k seeds by k-means++ (Arthur & Vassilvitskii 2007).

    The first seed is a sample drawn by weight, each next one is drawn with probability ∝ weight times squared distance
    to the nearest seed so far.

    Parameters
    ----------
    x : ndarray, shape (D, M)
    weight : ndarray, shape (M,)
    k, s : int
    rng : numpy.random.Generator

    Returns
    -------
    ndarray of int, shape (s, k)
        Columns of x.
    """
    seeds = np.empty((s, k), np.intp)
    nearest: Real = np.ones((s, x.shape[1]))
    for j in range(k):
        cumulative = np.cumsum(nearest * weight, axis=1)
        draw = rng.random(s) * cumulative[:, -1]
        for i in range(s):
            seeds[i, j] = min(int(np.searchsorted(cumulative[i], draw[i], side="right")), x.shape[1] - 1)
        distance = squared_distances(x, x[:, seeds[:, j]])
        nearest = distance if j == 0 else np.minimum(nearest, distance)
    return seeds


def random(weight: Real, k: int, s: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """s sets of k samples drawn by weight, different where there are as many; shape (s, k)."""
    p, several = weight / weight.sum(), int(np.count_nonzero(weight))
    return np.stack([rng.choice(weight.size, k, replace=several < k, p=p) for _ in range(s)])


def squared_distances(x: Real, centres: Real) -> Real:
    """Between columns of centres (D, S) and x (D, M); shape (S, M)."""
    distance: Real = (centres * centres).sum(0)[:, None] - 2 * (centres.T @ x) + (x * x).sum(0)
    return np.maximum(distance, 0, out=distance)


def voronoi_stats(rows: Rows, family: Family, seeds: NDArray[np.intp]) -> Stats:
    """Statistics of rows that all belong to their nearest seed: (S, K) seeds give a stack of S.

    A first M-step from these is the start of EM in a metric that suits the family: for Gaussians, the raw one of the
    features. Where the family has a component of outliers, it takes the samples that are farthest from any seed.
    """
    ((t, weight),) = rows.blocks(family, rows.n_rows)
    s, k = seeds.shape
    points = family.start_coordinates(rows.x)
    distances = squared_distances(points, points[:, seeds.ravel()]).reshape(s, k, -1)
    nearest = distances.min(1)
    np.put_along_axis(nearest, seeds, 0.0, axis=1)  # whatever rounding leaves
    owner = family.start_owners(distances.argmin(1), nearest, weight, k)
    k += family.outlier_components
    r = np.where(owner[:, None] == np.arange(k)[:, None], weight, 0.0)
    sums = (r.reshape(s * k, -1) @ t.T).reshape(s, k, -1).astype(np.float64, copy=False)
    return family.completed(sums)
