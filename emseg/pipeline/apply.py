"""`apply`: label an image with a mixture that was fitted before. No fitting, no files written, no printing."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emseg import __version__
from emseg.em.convergence import Status
from emseg.errors import UsageError, shown
from emseg.image.model import Image
from emseg.image.read import Source
from emseg.mixture.assign import assign
from emseg.output.model import Model, read_model
from emseg.pipeline.inputs import as_image, as_mask, features_of, pose
from emseg.pipeline.options import SegmentOptions
from emseg.pipeline.report import mean_colours, mixture_facts
from emseg.pipeline.segment import Clock, Segmentation


def apply(
    model: Model | str | os.PathLike[str],
    image: Image | Source | NDArray[Any] | str | os.PathLike[str],
    *,
    mask: NDArray[Any] | str | os.PathLike[str] | None = None,
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
    >>> from emseg.mixture.families import family_of
    >>> from emseg.mixture.gaussian import Gaussian
    >>> from emseg.mixture.mixture import Mixture
    >>> parts = Gaussian(np.array([[10.0], [90.0]]), np.array([[[4.0]], [[4.0]]]))
    >>> model = Model("gray", Mixture(np.array([0.5, 0.5]), parts, family_of("gaussian")))
    >>> apply(model, np.array([[9.0, 12.0, 91.0]])).labels.tolist()
    [[1, 1, 2]]
    """
    clock = Clock()
    loaded = model if isinstance(model, Model) else read_model(os.fspath(model))
    photo = as_image(image)
    inside = None if mask is None else as_mask(mask, photo)
    clock.lap("read")
    own = loaded.mixture
    asked = SegmentOptions.checked(k=own.k - own.family.noisy, features=loaded.features, family=own.family.name)
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
    counts = np.bincount(labels, features.weight, own.k + 1)[1:].round().astype(int)
    problem = replace(pose(features, asked), family=mixture.family)
    likelihood = float(problem.e_step(mixture).log_likelihood)
    colours = mean_colours(photo, features, labels, on_grid, counts)
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
    return Segmentation(photo, on_grid, own, (), Status.APPLIED, facts, colours, features)
