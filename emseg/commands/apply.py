"""`apply`: label an image with a mixture that was fitted before. No fitting, no files written, no printing."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Unpack

from emseg.commands.results.segmentation import Segmentation
from emseg.commands.shared_steps import channels_as_meant, picture_and_mask
from emseg.em.convergence import Status
from emseg.errors import UsageError, for_python, shown
from emseg.features.model import Features
from emseg.mixture.mixture import Mixture
from emseg.mixture.saved import Model
from emseg.options import checked
from emseg.options.effects import without_effect
from emseg.output.store.model_file import read_model
from emseg.stages.fitting import fitting_problem
from emseg.stages.inputs.input_image import ImageLike, MaskLike
from emseg.stages.inputs.model_features import features_of_model
from emseg.stages.labels.far_pixels import MOST, far_share
from emseg.stages.labels.labelling import label_pixels
from emseg.stages.report import input_report, mixture_report
from emseg.stages.stopwatch import Stopwatch
from emseg.stages.units import standardised

if TYPE_CHECKING:
    from emseg.options.keywords import ApplyKeywords


def apply(
    model: Model | Segmentation | str | os.PathLike[str],
    image: ImageLike,
    *,
    mask: MaskLike | None = None,
    missing: str = "drop",
    **options: Unpack[ApplyKeywords],
) -> Segmentation:
    """Give each pixel the label of the component that it most probably came from.

    Parameters
    ----------
    model : Model, Segmentation or path
        What `segment` returned, or what the command line saves as `model`.
    image : array-like, image of PIL, path, file, Image or Source
        With the channels that the model's features need.
    mask : array-like, path or "alpha", optional
        Same size as the image; only where it is non-zero are pixels used. "alpha": the opacity of the image itself.
    missing : {"drop", "em"}
        Whether pixels of which some channels are unknown get a label, by the others.
    **options
        What is taken of the image and of the mask, and which regions are looked for; `help(emseg.apply)` and the page
        `options` of the guide list them.

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
    reading, others = checked.reading("apply", options)
    settings = checked.segmentation("apply", missing=missing, **others)
    watch = Stopwatch()
    loaded = _loaded(model)
    photo, inside = picture_and_mask(image, mask, settings, reading, loaded.features)
    watch.lap("read")
    own = loaded.mixture
    photo = channels_as_meant(photo, loaded.features)
    features = features_of_model(loaded, photo, inside, missing)
    watch.lap("features")
    mixture = standardised(own, features)
    photo = photo.with_notices(*_far(features, mixture))
    labelled = label_pixels(photo, features, mixture)
    problem = fitting_problem(features, mixture.family, 0.0)
    log_likelihood = float(problem.e_step(mixture).log_likelihood)
    watch.lap("labels")
    report = {
        **input_report(photo, features),
        "warnings": [for_python(line) for line in (*without_effect("apply", settings), *photo.notices)],
        "model": None if isinstance(model, Model | Segmentation) else shown(model),
        "status": Status.APPLIED.value,
        "log_likelihood": log_likelihood,
        "log_likelihood_per_pixel": log_likelihood / features.n_pixels,
        **mixture_report(own, labelled.counts),
        "seconds": dict(watch.seconds),
    }
    labels = photo.in_space(labelled.labels)
    found = labelled.shown, labels, own, (), Status.APPLIED, report, labelled.colours, features
    result = Segmentation(*found, notices=photo.notices)
    if not settings.finds_regions:
        return result
    from emseg.commands.region_steps import region_description, with_regions

    description = region_description(photo, inside, features, settings, watch) if settings.shortest else None
    return with_regions(result, photo, settings, watch, description=description)


def _far(features: Features, mixture: Mixture) -> tuple[str, ...]:
    """A line if the model does not suit the image."""
    share = far_share(features, mixture)
    if share <= MOST:
        return ()
    line = f"{100 * share:.0f} % of the pixels are far from every class of the model, and their labels mean little"
    return (f"{line}; give an image like those the model was fitted to, in the same units",)


def _loaded(model: Model | Segmentation | str | os.PathLike[str]) -> Model:
    """The model that was given, that of a result, or the one in a file."""
    if isinstance(model, Model):
        return model
    if isinstance(model, Segmentation):
        return model.model
    if isinstance(model, str | os.PathLike):
        return read_model(os.fspath(model))
    raise UsageError(f"model: is of type {type(model).__name__}; give a model, a result of segment, or a path")
