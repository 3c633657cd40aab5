"""What labels cost: by colours, by marks and by unlike neighbours."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emseg.mrf.inference.graph_cut import Pairs
from emseg.mrf.marked.class_mixtures import ClassMixtures
from emseg.mrf.marked.pyramid import Level
from emseg.numerics.masked_blur import MaskedBlur

Labels = NDArray[np.uint8]
# Chosen on the tune half of marked objects of BSDS500's train and val parts, see the page `fields` of the guide.
BETA = 20.0  # nats that two like neighbours side by side lose by unlike labels
PATHS = 3.0  # nats that a pixel is from the marks of one class to those of another
CAP = 8.0  # nats that a pixel's colour can say
SMOOTH = 1.0  # pixels: standard deviation of the Gaussian that colours are smoothed by before they are compared
CONTRAST = 2.0  # how much faster than exp(-½ d² / mean d²) the price of a border falls
MOST_NEIGHBOURS = 26


def smooth(level: Level) -> NDArray[np.float32]:
    """The planes without the grain that says nothing of classes."""
    if SMOOTH == 0:
        return level.planes
    blur = MaskedBlur(level.valid)
    return np.stack([blur(plane, SMOOTH) for plane in level.planes]).astype(np.float32)


def colour_costs(
    classes: ClassMixtures, x: NDArray[np.float32], prior: NDArray[np.float32] | None
) -> NDArray[np.float32]:
    """What each label costs by a pixel's values, and by a prior map: 0…CAP, shape (K, N)."""
    score = classes.log_densities(x)
    score = np.maximum(score - score.max(0), np.float32(-CAP))
    if prior is not None:
        score = score + np.maximum(prior - prior.max(0), np.float32(-CAP))
    return np.asarray(score.max(0) - score, np.float32)


def shares(score: NDArray[np.float32]) -> NDArray[np.float32]:
    """Probabilities from their logarithms (K, N), which need not be normalised."""
    found = np.exp(score - score.max(0))
    return np.asarray(found / found.sum(0), np.float32)


def forced(cost: NDArray[np.float32], marks: Labels, beta: float, pairs: Pairs) -> NDArray[np.float32]:
    """Costs (K, N) where a mark's label is free and the others cost more than all neighbours can pay."""
    most = np.float32(4 * (CAP + PATHS) + 2 * beta * MOST_NEIGHBOURS)
    cost = cost.copy()
    here = np.flatnonzero(marks)
    cost[:, here] = most
    cost[marks[here] - 1, here] = 0
    return cost


def given_neighbours(cost: NDArray[np.float32], labels: Labels, pairs: Pairs, beta: float) -> NDArray[np.float32]:
    """p(z_i = k | neighbours' labels, x_i) at all sites, (K, N)."""
    k, n = cost.shape
    score = -cost
    for label in range(k):
        there = beta * pairs.w * (labels[pairs.j] == label), beta * pairs.w * (labels[pairs.i] == label)
        score[label] += np.bincount(pairs.i, there[0], n) + np.bincount(pairs.j, there[1], n)
    return shares(score)
