"""Labels of an image of which some pixels are marked."""

from __future__ import annotations

from typing import Any

import numpy as np

from emseg.em.problem import Problem
from emseg.errors import DataError, option
from emseg.execution import steps
from emseg.features.model import Features
from emseg.image.model import Image
from emseg.mixture.mixture import Mixture
from emseg.mrf.marked.costs import BETA
from emseg.mrf.marked.fit import MarkedFit, fit_marked
from emseg.mrf.marked.pyramid import Level
from emseg.stages.inputs.given_files import GivenFiles
from emseg.stages.inputs.maps.scribbles import marked_mixture
from emseg.stages.labels.field import FieldOptions, Smoothed, neighbour_count, require_classes, voxel_size

#: Neighbours of a pixel by dimensions, unless told otherwise: with those at corners a cut costs much the same in all
#: directions (Boykov & Kolmogorov 2003).
AROUND = {1: 2, 2: 8, 3: 18}


def mark_objects(
    photo: Image,
    features: Features,
    problem: Problem,
    field: FieldOptions,
    given: GivenFiles,
    k: int,
    box: bool,
    rng: np.random.Generator,
) -> Smoothed:
    """Find the classes that marks tell of.

    Parameters
    ----------
    photo : Image
    features : Features
    problem : Problem
    field : FieldOptions
    given : GivenFiles
        Marks, as `usable_marks` returns them, and prior probabilities.
    k : int
    box : bool
        Whether class 1 is known to surround the others.
    rng : numpy.random.Generator

    Raises
    ------
    DataError
        If there are too many classes, or one of them has no pixel.
    """
    steps.step("cutting out what is marked")
    require_classes(photo, k)
    shape = photo.metadata.get("volume", features.shape)
    planes = np.stack([features.on_grid(row.astype(np.float32)) for row in features.x]).reshape(-1, *shape)
    valid = features.on_grid(np.ones(features.x.shape[1], np.uint8)).reshape(shape) > 0
    marks = np.zeros(shape, np.uint8) if given.scribbles is None else given.scribbles.reshape(shape).astype(np.uint8)
    prior = None if given.log_prior is None else given.log_prior.reshape(-1, *shape)
    count = AROUND[len(shape)] if field.neighbours == "auto" else neighbour_count(field.neighbours, len(shape))
    found = fit_marked(
        problem,
        Level(planes, valid, marks, prior),
        k,
        rng,
        beta=BETA if field.beta == "auto" else float(field.beta),
        neighbours=count,
        spacing=voxel_size(photo),
        ground=0 if box else None,
    )
    labels = np.where(valid, found.labels + 1, 0).astype(np.uint8).reshape(features.shape)
    empty = sorted(set(range(1, k + 1)) - set(np.unique(labels).tolist()))
    if empty:
        remedy = f"mark some of its pixels by {option('scribbles')}"
        raise DataError(f"{photo.name}: nothing stands out as class {empty[0]}; {remedy}")
    return Smoothed(
        marked_mixture(labels, features, problem),
        labels,
        found.probabilities.reshape(k, *features.shape),
        _report(found, features, count),
        _notices(found),
    )


def _report(found: MarkedFit, features: Features, neighbours: int) -> dict[str, Any]:
    """`mrf` of the report."""
    return {
        "method": "marked",
        "beta": found.beta,
        "sweeps": found.rounds,
        "energy": found.energy,
        "neighbours": neighbours,
        "contrast": True,
        "halvings": found.halvings,
        "ground": found.ground + 1,
        "edges": None if found.around is None else found.around + 1,
        "components": [_components(mixture, features) for mixture in found.classes.mixtures],
        "left_out": [{"label": part.label + 1, "parts": part.parts, "pixels": part.pixels} for part in found.left_out],
    }


def _components(mixture: Mixture, features: Features) -> dict[str, Any]:
    """The mixture of one class in the features' own units."""
    from emseg.stages.units import in_own_units

    own = in_own_units(mixture, features)
    return {"weights": own.weights.tolist(), "means": own.components.means.tolist()}


def _notices(found: MarkedFit) -> tuple[str, ...]:
    """What was left out, in words; what was chosen is in the report."""
    lines = []
    if found.around is not None:
        lines.append(
            f"what is not marked at the edges of the image is taken for class {found.around + 1}, whose marks lie "
            f"around the others; marks by {option('scribbles')} decide"
        )
    total = max(found.labels.size, 1)
    for part in found.left_out:
        share = part.pixels / total
        if share >= TOLD:
            lines.append(
                f"{part.parts} {'part looks' if part.parts == 1 else 'parts look'} like class {part.label + 1} and "
                f"{'touches' if part.parts == 1 else 'touch'} none of its marks ({share:.1%} of the pixels); mark what "
                f"belongs to it, or use {option('mrf', 'graph-cut')}"
            )
    return tuple(lines)


#: Share of the pixels from which on parts that were left out are told of.
TOLD = 0.002
