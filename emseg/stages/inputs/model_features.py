"""The features of an image that a fitted model is of."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emseg.errors import DataError, UsageError, for_python, options_named
from emseg.features.model import Features
from emseg.features.reduce import only
from emseg.image.model import Image
from emseg.mixture.saved import Model
from emseg.options.by_command import options_of
from emseg.stages.inputs.measurement import measure_features


def features_of_model(model: Model, photo: Image, inside: NDArray[np.bool_] | None, missing: str) -> Features:
    """Measure the features of the model; what errors advise is in the hands of who applies it.

    Raises
    ------
    UsageError, DataError
        If the model's features do not fit the image.
    """
    try:
        features = measure_features(
            photo,
            inside,
            spec=model.features,
            family=model.mixture.family.name,
            missing=missing,
            compress=True,
            stored_values=False,
            may_be_texture=False,
            covariance=None,
        )
    except (UsageError, DataError) as error:
        if options_named(error.message) <= {entry.name for entry in options_of("apply")}:
            raise
        reason = for_python(error.message.partition("; ")[0]).removeprefix("features: ").removeprefix(f"{photo.name}: ")
        remedy = "give an image like those the model was fitted to"
        raise type(error)(f"{photo.name}: the model's features do not go with it ({reason}); {remedy}") from error
    if model.mixture.d != len(features.names):
        raise UsageError(
            f"{photo.name}: has {len(features.names)} feature{'s' * (len(features.names) != 1)} by {features.spec}, "
            f"the model {model.mixture.d}; "
            "give an image like those the model was fitted to"
        )
    return features if model.pivots is None else only(features, model.pivots)
