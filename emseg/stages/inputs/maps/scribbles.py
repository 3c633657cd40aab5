"""Scribbles: some pixels whose labels the user gives. Classes start from them, and these pixels keep their labels."""

from __future__ import annotations

from collections.abc import Collection
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emseg.em.problem import Problem
from emseg.errors import DataError, UsageError, option, shown
from emseg.features.model import Features
from emseg.mixture.mixture import Mixture

Labels = NDArray[np.unsignedinteger[Any]]


def usable_marks(
    labels: Labels, path: str, k: int, name: str, features: Features, free: Collection[int] = ()
) -> NDArray[np.uint8]:
    """The marks (H, W) on valid pixels: 1…K where a label is given, 0 elsewhere.

    Parameters
    ----------
    labels : ndarray of unsigned int, shape (H, W)
        The scribbles, 0…K.
    path : str
        Where they come from, for messages.
    k : int
    name : str
        What messages call the image.
    features : Features
    free : collection of int
        Labels that need no mark.

    Raises
    ------
    UsageError
        If a class has no mark.
    DataError
        If marks contradict each other: two labels with the same values.
    """
    inside = features.on_grid(np.ones(features.x.shape[1], np.uint8)) > 0
    marks = np.where(inside, labels, 0).astype(np.uint8)
    absent = sorted(set(range(1, k + 1)) - set(np.unique(marks).tolist()) - set(free))
    if absent:
        remedy = f"mark some, or use a smaller {option('k')}"
        raise UsageError(f"{option('scribbles', shown(path))}: label {absent[0]} of {k} marks no valid pixel; {remedy}")
    values = [np.unique(x, axis=1) for x in _marked_samples(marks, features)]
    for i, j in combinations(range(len(values)), 2):
        if values[i].size and np.array_equal(values[i], values[j]):
            raise DataError(f"{name}: the scribbles of labels {i + 1} and {j + 1} contradict: equal values; redraw")
    return marks


def marked_mixture(marks: NDArray[np.uint8], features: Features, problem: Problem) -> Mixture:
    """The mixture of which component k is fitted to the pixels marked k, by one M-step."""
    sums: list[Any] = [problem.family.statistics(x).sum(1) for x in _marked_samples(marks, features)]
    return problem.m_step(problem.family.completed(np.array(sums, np.float64)))


def _marked_samples(marks: NDArray[np.uint8], features: Features) -> list[NDArray[np.float64]]:
    """The samples (D, N) of each label."""
    planes = features.on_grid(features.x)
    return [np.ascontiguousarray(planes[:, marks == label]) for label in range(1, int(marks.max()) + 1)]
