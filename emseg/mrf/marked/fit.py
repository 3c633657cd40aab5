"""Objects from marks: cut and colours in turn, each given the other, until nothing changes.

The cut has the lowest energy Σ_i cost of a pixel's label + β Σ_{i~j} w_ij [z_i ≠ z_j]. A pixel's cost is that of its
colour under the class's mixture, and of its distance to the class's marks along paths that avoid borders. The edges of
the image count as marks of the ground, where its marks lie around those of the others: a stroke meets few of the
ground's colours, and objects are rarely cut off. Then the
mixtures are fitted to what the cut gives each class, as GrabCut does (Rother, Kolmogorov & Blake 2004). Large images
are cut at a smaller size, and then along the border alone at each larger size (Lombaert et al. 2005).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from emseg.em.problem import Problem
from emseg.mrf.inference.graph_cut import lowest
from emseg.mrf.marked.borders import cut_along, roughness
from emseg.mrf.marked.class_mixtures import MOST_ROWS, ClassMixtures
from emseg.mrf.marked.connected_parts import LeftOut, ground_of, surrounding, with_edges, without_loose_parts
from emseg.mrf.marked.costs import BETA, CONTRAST, PATHS, colour_costs, forced, given_neighbours, shares, smooth
from emseg.mrf.marked.distances import nearness
from emseg.mrf.marked.edges import contrast_pairs
from emseg.mrf.marked.pyramid import Level, doubled

Array = NDArray[np.float64]
Labels = NDArray[np.uint8]
# Chosen on the tune half of marked objects of BSDS500's train and val parts, see the page `fields` of the guide.
FREE = 0.5  # weight of a pixel that is not marked, where the mixtures are fitted
ROUNDS = 6  # of cut and fit; two or three are the rule
STILL = 1e-3  # share of the pixels that may change in the last round
WHOLE = 40_000  # pixels that are cut as a whole; larger images are halved until they have no more


@dataclass(frozen=True, eq=False)
class MarkedFit:
    """Labels of an image of which some pixels are marked.

    Attributes
    ----------
    labels : ndarray of uint8, the grid's shape
        0…K-1.
    probabilities : ndarray of float32, shape (K, ...)
        Of each label given those of the neighbours; zero where there is no data.
    classes : ClassMixtures
    beta : float
    rounds : int
    ground : int
        The class that surrounds the others, 0…K-1.
    around : int or None
        The class, 0…K-1, that what nobody marked at the edges of the image was taken for.
    left_out : tuple of LeftOut
        Parts that look like a class and touch none of its marks.
    energy : float
        Of the labels at the size at which the image was cut as a whole.
    mean : float
        Mean squared distance of neighbours' features at that size.
    roughness : float
        The same along one axis.
    halvings : int
        How often the image was halved for that.
    """

    labels: Labels
    probabilities: NDArray[np.float32]
    classes: ClassMixtures
    beta: float
    rounds: int
    ground: int
    around: int | None = None
    left_out: tuple[LeftOut, ...] = ()
    energy: float = 0.0
    mean: float = 1.0
    roughness: float = 1.0
    halvings: int = 0


def fit_marked(
    problem: Problem,
    level: Level,
    k: int,
    rng: np.random.Generator,
    *,
    beta: float = BETA,
    neighbours: int = 8,
    spacing: tuple[float, ...] | None = None,
    ground: int | None = None,
) -> MarkedFit:
    """Find the classes that marks tell of.

    Parameters
    ----------
    problem : Problem
        Family, covariance model and floor of the components.
    level : Level
        The image at its own size.
    k : int
    rng : numpy.random.Generator
    beta : float
    neighbours : int
    spacing : tuple of float, optional
        Size of a voxel along each axis.
    ground : int, optional
        The class, 0…K-1, that surrounds the others; found unless given. Other classes may be without marks then, and
        start from what the ground does not explain.
    """
    levels = [level]
    while levels[-1].valid.size > WHOLE:
        levels.append(levels[-1].halved())
    found, paths = _whole(problem, levels[-1], k, rng, beta, neighbours, spacing, ground)
    for finer in reversed(levels[:-1]):
        paths = doubled(paths, finer.valid.shape)
        labels = np.where(finer.valid, doubled(found.labels, finer.valid.shape), np.uint8(k))
        mean = found.mean * roughness(finer) / found.roughness
        cut, chances = cut_along(finer, labels, found.classes, paths, mean, beta, neighbours, spacing)
        found = replace(found, labels=cut, probabilities=chances)
    return replace(found, halvings=len(levels) - 1)


def _whole(
    problem: Problem,
    level: Level,
    k: int,
    rng: np.random.Generator,
    beta: float,
    neighbours: int,
    spacing: tuple[float, ...] | None,
    ground: int | None,
) -> tuple[MarkedFit, NDArray[np.float32]]:
    """Fit and cut in turn; also the cost of the paths (K, ...)."""
    valid, marks = level.valid, np.where(level.valid, level.marks, np.uint8(0))
    x, own = smooth(level)[:, valid], marks[valid]
    around = surrounding(marks, k) if ground is None else None
    seeds = marks if around is None else with_edges(marks, valid, around)
    pairs, mean = contrast_pairs(level.planes, valid, neighbours, spacing, sharper=CONTRAST)
    span = np.ptp(x, axis=1).astype(np.float64)
    anything = -float(np.log(np.maximum(span, np.finfo(np.float32).eps)).sum())
    classes = ClassMixtures.of_samples(
        problem, _first_samples(x, seeds[valid], k, ground, problem, anything, rng), anything, rng
    )
    prior = None if level.log_prior is None else level.log_prior[:, valid]
    everywhere = len(set(np.unique(own)) - {0}) == k  # a class without marks has no distance to them
    labels = np.full(valid.shape, k, np.uint8)
    before, energy = labels, 0.0
    for turn in range(ROUNDS):
        colour = colour_costs(classes, x, prior)
        chances = np.zeros((k, *valid.shape), np.float32)
        chances[:, valid] = shares(-colour)
        paths = np.float32(PATHS) * nearness(chances, seeds, valid) if everywhere else np.zeros_like(chances)
        cost = forced(colour + paths[:, valid], own, beta, pairs)
        z = lowest(cost.T.astype(np.float64), pairs, beta, colour.argmin(0))
        energy = float(cost[z, np.arange(z.size)].sum() + beta * pairs.w @ (z[pairs.i] != z[pairs.j]))
        labels = np.full(valid.shape, k, np.uint8)
        labels[valid] = z
        outer = ground_of(labels, k) if ground is None else ground
        labels, loose = without_loose_parts(labels, marks, k, outer)
        if turn and np.count_nonzero(labels != before) <= STILL * x.shape[1]:
            break
        before = labels
        if turn + 1 < ROUNDS:
            classes = classes.refitted(_samples(x, labels[valid], own, k, rng), rng)
    cost = forced(colour + paths[:, valid], own, beta, pairs)
    probabilities = np.zeros((k, *valid.shape), np.float32)
    probabilities[:, valid] = given_neighbours(cost, labels[valid], pairs, beta)
    return MarkedFit(
        labels, probabilities, classes, beta, turn + 1, outer, around, loose, energy, mean, roughness(level)
    ), paths


def _first_samples(
    x: NDArray[np.float32],
    marks: Labels,
    k: int,
    ground: int | None,
    problem: Problem,
    anything: float,
    rng: np.random.Generator,
) -> list[tuple[Array, Array]]:
    """Samples of each class: its marks; of one without, the half of the free pixels that the ground explains least."""
    found = [_drawn(x, np.flatnonzero(marks == label + 1), rng) for label in range(k)]
    bare = [label for label, (_, weight) in enumerate(found) if not weight.size]
    if bare and ground is not None:
        known = ClassMixtures.of_samples(problem, [found[ground]], anything, rng)
        free = np.flatnonzero(marks == 0)
        explained = known.log_densities(x[:, free])[0]
        least = free[np.argsort(explained, kind="stable")[: max(len(free) // 2, 1)]]
        for label in bare:
            found[label] = _drawn(x, least, rng)
    return found


def _samples(
    x: NDArray[np.float32], labels: Labels, marks: Labels, k: int, rng: np.random.Generator
) -> list[tuple[Array, Array]]:
    """Samples of each class: its marks, and with less weight what a cut gives it."""
    found = []
    for label in range(k):
        own, weight = _drawn(x, np.flatnonzero((labels == label) & (marks == 0)), rng)
        marked, one = _drawn(x, np.flatnonzero(marks == label + 1), rng)
        found.append((np.concatenate([own, marked], axis=1), np.concatenate([FREE * weight, one])))
    return found


def _drawn(x: NDArray[np.float32], places: NDArray[np.intp], rng: np.random.Generator) -> tuple[Array, Array]:
    """Samples at places and their weights; of many, some that stand for all."""
    share = max(len(places) / MOST_ROWS, 1.0)
    if share > 1:
        places = np.sort(rng.choice(places, MOST_ROWS, replace=False))
    return np.ascontiguousarray(x[:, places], np.float64), np.full(len(places), share)
