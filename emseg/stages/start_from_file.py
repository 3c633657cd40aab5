"""Starts that the user gives: a saved model, or a label map."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from emseg.em.problem import Problem
from emseg.errors import DataError, UsageError, shown
from emseg.features.model import Features
from emseg.image.label_maps import read_labels
from emseg.image.model import Image
from emseg.mixture.family import Family
from emseg.mixture.mixture import Mixture
from emseg.mixture.samples import Rows
from emseg.mixture.saved import read_model
from emseg.options.choices import INITS
from emseg.options.segmentation import SegmentOptions


def start_from_file(path: str, image: Image, features: Features, problem: Problem, asked: SegmentOptions) -> Mixture:
    """The mixture in a model file, or the one that a label map implies, in standardised coordinates.

    Raises
    ------
    UsageError
        If its features, K or size are not those of this fit.
    DataError
        If a component has no extent.
    """
    try:
        with open(path, "rb") as file:
            is_model = file.read(64).lstrip()[:1] == b"{"
    except OSError as error:
        names = ", ".join(INITS)
        raise UsageError(f"--init {shown(path)}: cannot be read ({error.strerror}); give {names} or a file") from error
    family, problem = problem.family, replace(problem, family=problem.family.classes_only)
    try:
        found = (
            _from_model(path, features, problem.family) if is_model else _from_labels(path, image, features, problem)
        )
    except np.linalg.LinAlgError as error:
        raise singular(image) from error
    if found.k != asked.k:
        raise UsageError(f"--init {shown(path)}: holds {found.k} components, not {asked.k}; use -k {found.k}")
    # Brought into the shape that is asked for, so that the first likelihood is that of a possible mixture.
    components = problem.family.constrained(found.weights, found.components)
    return Mixture(*family.with_outliers(found.weights, components), family)


def singular(image: Image) -> DataError:
    """What to say of a start that has no density."""
    return DataError(f"{image.name}: the start has a component without extent; give a --floor above 0")


def _from_model(path: str, features: Features, family: Family) -> Mixture:
    saved = read_model(path)
    if saved.mixture.d != len(features.names) or saved.features != features.spec:
        raise UsageError(f"--init {shown(path)}: a model of {saved.features}; use --features {saved.features}")
    if saved.mixture.family.name != family.name:
        name = saved.mixture.family.name
        raise UsageError(f"--init {shown(path)}: a model of the {name} family; use --family {name}")
    return saved.mixture.classes_only().affine(-features.shift / features.scale, 1 / features.scale)


def _from_labels(path: str, image: Image, features: Features, problem: Problem) -> Mixture:
    labels = read_labels(path, image.shape).ravel()
    used = np.unique(labels)
    used = used[used > 0]
    if used.size == 0:
        raise UsageError(f"--init {shown(path)}: holds no label above 0; give a label map of this image")
    planes = features.on_grid(problem.filled.x).reshape(len(features.x), -1)
    inside = features.on_grid(np.ones(features.x.shape[1], np.uint8)).ravel() > 0
    sums = []
    for label in used:
        x = np.ascontiguousarray(planes[:, inside & (labels == label)])
        if x.shape[1] == 0:
            raise UsageError(f"--init {shown(path)}: label {label} has no valid pixel; give a label map of this image")
        ((t, weight),) = Rows(x, np.ones(x.shape[1])).blocks(problem.family, x.shape[1])
        sums.append(t @ weight)
    totals: NDArray[np.float64] = np.array(sums, np.float64)
    return problem.m_step(problem.family.completed(totals))
