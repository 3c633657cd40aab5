"""`apply`: label an image with a mixture that was fitted before. No fitting, no files written, no printing."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emseg.commands.segment import Clock, Segmentation
from emseg.em.convergence import Status
from emseg.errors import UsageError, shown
from emseg.image.model import Image
from emseg.image.partly_known import completed
from emseg.image.read import Source
from emseg.mixture.assign import assign
from emseg.mixture.saved import Model, read_model
from emseg.options import checked
from emseg.options.segmentation import SegmentOptions
from emseg.stages.fractions import most_held
from emseg.stages.preparation import features_of, opened, pose
from emseg.stages.report import mean_colours, mixture_facts
from emseg.version import __version__


def apply(
    model: Model | str | os.PathLike[str],
    image: Image | Source | NDArray[Any] | str | os.PathLike[str],
    *,
    mask: NDArray[Any] | str | os.PathLike[str] | None = None,
    missing: str = "drop",
) -> Segmentation:
    """Give each pixel the label of the component that it most probably came from.

    Parameters
    ----------
    model : Model or path
        What `--save model` wrote.
    image : Image, Source, ndarray or path
        With the channels that the model's features need.
    mask : ndarray or path, optional
        Same size as the image; only where it is non-zero are pixels used.
    missing : {"drop", "em"}
        Whether pixels of which some channels are unknown get a label, by the others.

    Returns
    -------
    Segmentation
        Its mixture is that of the model, its log is empty.

    Raises
    ------
    UsageError
        If the model's features do not fit the image.
    ImageError, DataError
        As `emseg.segment`; and if the file is no model.

    Examples
    --------
    >>> import numpy as np, emseg
    >>> from emseg.mixture.families.registry import family_of
    >>> from emseg.mixture.families.gaussian import Gaussian
    >>> from emseg.mixture.mixture import Mixture
    >>> parts = Gaussian(np.array([[10.0], [90.0]]), np.array([[[4.0]], [[4.0]]]))
    >>> model = Model("gray", Mixture(np.array([0.5, 0.5]), parts, family_of("gaussian")))
    >>> apply(model, np.array([[9.0, 12.0, 91.0]])).labels.tolist()
    [[1, 1, 2]]
    """
    checked.segmentation("apply", missing=missing)
    clock = Clock()
    loaded = model if isinstance(model, Model) else read_model(os.fspath(model))
    photo, inside = opened(image, mask, missing)
    clock.lap("read")
    own = loaded.mixture
    k, family = own.n_classes, own.family.name
    asked = SegmentOptions(k=k, features=loaded.features, family=family, missing=missing)
    features = features_of(photo, inside, asked)
    width = own.components.means.shape[1]
    if width != len(features.names):
        raise UsageError(
            f"{photo.name}: has {len(features.names)} features by {features.spec}, the model {width}; "
            "give an image like those the model was fitted to"
        )
    clock.lap("features")
    mixture = own.affine(-features.shift / features.scale, 1 / features.scale)
    labels, _ = assign(mixture, features.x, features.weight)
    on_grid = features.on_grid(labels)
    held = most_held(mixture, features, on_grid, None)
    by_rows = held is on_grid
    on_grid = held
    counts = np.bincount(on_grid.ravel(), minlength=own.k + 1)[1:]
    problem = replace(pose(features, asked), family=mixture.family)
    likelihood = float(problem.e_step(mixture).log_likelihood)
    seen = completed(photo, on_grid)
    colours = mean_colours(seen, features, labels if seen is photo and by_rows else None, on_grid, counts)
    clock.lap("labels")
    facts = {
        "version": __version__,
        "input": {"path": photo.name, "sha256": photo.sha256},
        "model": None if isinstance(model, Model) else shown(model),
        "size": photo.extent,
        "pixels": features.n_pixels,
        "distinct": features.x.shape[1],
        "features": {"spec": features.spec, "names": list(features.names)},
        "status": Status.APPLIED.value,
        "log_likelihood": likelihood,
        "log_likelihood_per_pixel": likelihood / features.n_pixels,
        **mixture_facts(own, counts),
        "seconds": dict(clock.seconds),
    }
    return Segmentation(seen, on_grid, own, (), Status.APPLIED, facts, colours, features)
