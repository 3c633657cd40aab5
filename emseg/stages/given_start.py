"""Starts that the user gives: a saved model, or a label map."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emseg.em.problem import Problem
from emseg.errors import UsageError, option, shown
from emseg.features.model import Features
from emseg.mixture.family import Family
from emseg.mixture.mixture import Mixture
from emseg.mixture.samples import Rows
from emseg.mixture.saved import Model
from emseg.stages.fitting import without_extent
from emseg.stages.units import standardised

Labels = NDArray[np.unsignedinteger[Any]]


def given_start(start: Model | Labels, path: str, k: int, name: str, features: Features, problem: Problem) -> Mixture:
    """The mixture of a model, or the one that a label map implies, in standardised coordinates.

    Parameters
    ----------
    start : Model or ndarray of unsigned int, shape (H, W)
    path : str
        Where the start comes from, for messages.
    k : int
        Number of components.
    name : str
        What messages call the image.
    features : Features
    problem : Problem

    Raises
    ------
    UsageError
        If its features, family or K are not those of this fit, or a label has no valid pixel.
    DataError
        If a component has no extent.
    """
    given = option("init", shown(path))
    family, problem = problem.family, replace(problem, family=problem.family.classes_only)
    try:
        if isinstance(start, Model):
            found = _from_model(start, given, features, problem.family)
        else:
            found = _from_labels(start, given, features, problem)
    except np.linalg.LinAlgError as error:
        raise without_extent(name) from error
    if found.k != k:
        raise UsageError(f"{given}: holds {found.k} components, not {k}; use {option('k', found.k)}")
    found = _no_narrower(found, problem.grain)
    # Brought into the covariance model that is asked for, so that the first likelihood is that of a possible mixture.
    components = problem.family.constrained(found.weights, found.components)
    return Mixture(*family.with_outliers(found.weights, components), family)


def _from_model(model: Model, given: str, features: Features, family: Family) -> Mixture:
    if model.mixture.d != len(features.names) or model.features != features.spec:
        remedy = f"use {option('features', model.features)}"
        raise UsageError(f"{given}: a model of {model.features}; {remedy}")
    name = model.mixture.family.name
    if name != family.name:
        raise UsageError(f"{given}: a model of the {name} family; use {option('family', name)}")
    return standardised(model.mixture.classes_only(), features)


def _no_narrower(mixture: Mixture, grain: NDArray[np.float64] | None) -> Mixture:
    """The mixture with matrices that are no less than the grain in any direction."""
    part = mixture.components.matrix_part
    if grain is None or not part:
        return mixture
    factor = np.linalg.cholesky(grain)
    inverse = np.linalg.inv(factor)
    spread, axes = np.linalg.eigh(inverse @ getattr(mixture.components, part) @ inverse.T)
    root = factor @ (axes * np.sqrt(np.maximum(spread, 1.0))[..., None, :])
    return replace(mixture, components=replace(mixture.components, **{part: root @ np.swapaxes(root, -1, -2)}))


def _from_labels(stored: Labels, given: str, features: Features, problem: Problem) -> Mixture:
    labels = stored.ravel()
    used = np.unique(labels)
    used = used[used > 0]
    if used.size == 0:
        raise UsageError(f"{given}: holds no label above 0; give a label map of this image")
    planes = features.on_grid(problem.filled.x).reshape(len(features.x), -1)
    inside = features.on_grid(np.ones(features.x.shape[1], np.uint8)).ravel() > 0
    sums = []
    for label in used:
        x = np.ascontiguousarray(planes[:, inside & (labels == label)])
        if x.shape[1] == 0:
            raise UsageError(f"{given}: label {label} has no valid pixel; give a label map of this image")
        ((t, weight),) = Rows(x, np.ones(x.shape[1])).blocks(problem.family, x.shape[1])
        sums.append(t @ weight)
    return problem.m_step(problem.family.completed(np.array(sums, np.float64)))
