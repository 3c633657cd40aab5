"""Scribbles: some pixels whose labels the user gives, from which the classes of a field start, and which they keep."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emseg.em.problem import Problem
from emseg.errors import DataError, UsageError, shown
from emseg.features.model import Features
from emseg.image.label_maps import read_labels
from emseg.image.model import Image
from emseg.mixture.mixture import Mixture


def read_scribbles(path: str, photo: Image, features: Features, k: int | str) -> NDArray[np.uint8]:
    """The marks (H, W): 1…K where a label is given, 0 elsewhere and where there is no data.

    Raises
    ------
    UsageError
        If a class has no mark, a mark is of no class, or two classes have the same marks.
    ImageError
        If the file is no label map of the image's size.
    """
    if isinstance(k, str):
        raise UsageError(f"--scribbles {shown(path)}: give one number of components, not -k {k}")
    stored = read_labels(path, photo.shape)
    inside = features.on_grid(np.ones(features.x.shape[1], np.uint8)) > 0
    if int(stored.max()) > k:
        raise UsageError(
            f"--scribbles {shown(path)}: holds label {int(stored.max())} of {k} components; use a larger -k"
        )
    marks = np.where(inside, stored, 0).astype(np.uint8)
    absent = sorted(set(range(1, k + 1)) - set(np.unique(marks).tolist()))
    if absent:
        raise UsageError(
            f"--scribbles {shown(path)}: label {absent[0]} of {k} marks no valid pixel; mark some, or use a smaller -k"
        )
    return marks


def marked(photo: Image, features: Features, problem: Problem, marks: NDArray[np.uint8]) -> Mixture:
    """The mixture of which component k is fitted to the pixels marked k.

    Raises
    ------
    DataError
        If marks contradict one another: two labels with the same values.
    """
    planes = features.on_grid(features.x)
    values = [np.ascontiguousarray(planes[:, marks == label]) for label in range(1, int(marks.max()) + 1)]
    for i, j in combinations(range(len(values)), 2):
        if _same(values[i], values[j]):
            raise DataError(
                f"{photo.name}: the scribbles of labels {i + 1} and {j + 1} contradict: equal values; redraw"
            )
    totals: list[Any] = [problem.family.statistics(x).sum(1) for x in values]
    return problem.m_step(problem.family.completed(np.array(totals, np.float64)))


def _same(one: NDArray[np.float64], other: NDArray[np.float64]) -> bool:
    """Whether two sets of samples hold the same values."""
    return bool(np.array_equal(np.unique(one, axis=1), np.unique(other, axis=1)))
