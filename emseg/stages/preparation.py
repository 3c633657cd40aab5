"""From what a caller gives to what is fitted: image, mask, and the problem that features and options pose."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emseg.em.problem import Problem
from emseg.errors import DataError, UsageError
from emseg.features.build import build_features
from emseg.features.model import Features
from emseg.image.model import Image
from emseg.image.partly_known import partly_known
from emseg.image.read import Source, read_image, read_mask
from emseg.mixture.families.registry import family_of
from emseg.mixture.samples import Rows
from emseg.options.segmentation import SegmentOptions

_STORED = {"gray": "gray", "rgb": "rgb", "bands": "bands"}
#: What `--features auto` is where values must not be moved or mixed.
OWN = {"poisson": _STORED, "gamma": _STORED, "von-mises": {"gray": "gray", "rgb": "hue", "bands": "bands"}}


def features_of(photo: Image, mask: NDArray[np.bool_] | None, asked: SegmentOptions) -> Features:
    """The features that options ask for, as the family wants them.

    Raises
    ------
    UsageError, DataError
        As `build_features`; and if the family cannot take the values.
    """
    standard = family_of(asked.family).location_scale
    if asked.family != "student" and asked.dof != SegmentOptions.dof:
        raise UsageError(f"--dof {asked.dof}: {asked.family} has no degrees of freedom; use --family student")
    if not standard and asked.covariance != SegmentOptions.covariance:
        raise UsageError(f"--covariance {asked.covariance}: {asked.family} has no covariances; leave it out")
    limited = bool(asked.censored or asked.truncated)
    spec = asked.features
    in_part = asked.missing == "em" and photo.known is not None  # lab would need all channels of a pixel
    if spec == "auto" and (limited or in_part or not standard):
        spec = (_STORED if standard else OWN[asked.family])[photo.colour]
    scores: dict[str, float] = {}
    if spec == "auto" and asked.searches and not asked.partial_volume:
        from emseg.features.automatic import chosen

        spec, scores = chosen(photo, mask)
    features = build_features(photo, spec, mask, asked.compress, standard, asked.missing == "em")
    features = replace(features, evidence=scores) if scores else features
    if limited:
        from emseg.stages.value_limits import require_bounds

        require_bounds(photo, features, asked)
    if not standard:
        _require_support(asked.family, photo, features)
    return features


def _require_support(family: str, photo: Image, features: Features) -> None:
    """Raise unless the family has a density at every sample."""
    if not (features.unit == 1).all():
        raise UsageError(f"--features {features.spec}: weights do nothing with --family {family}; leave them out")
    support = family_of(family).support
    if support.unit == "radians" and features.spec != "hue" and photo.pixels.dtype.kind != "f":
        raise UsageError(f"--family {family}: {features.spec} is no angle; use --features hue, or a float image")
    outside = support.outside(features.x)
    bad = outside.any(0)
    if bad.any():
        count, name = int(features.weight[bad].sum()), features.names[int(outside.any(1).argmax())]
        raise DataError(
            f"{photo.name}: {name} is {support.outside_is} in {count} pixels, where {family} has no density; "
            f"mask them with --mask, or use another of --features or --family"
        )


def pose(features: Features, asked: SegmentOptions) -> Problem:
    """The problem of fitting a mixture to features, its likelihood in the features' own units."""
    rows = Rows(features.x, features.weight)
    family = family_of(asked.family, asked.covariance, asked.dof)
    unit = features.unit if family.location_scale else 1.0
    log_jacobian = -np.log(features.scale)
    if asked.censored or asked.truncated:
        from emseg.stages.value_limits import bounded

        family = bounded(family, features, asked)
    if asked.partial_volume:
        from emseg.stages.fractions import mixing

        family = mixing(family, asked)
    if asked.noise:
        from emseg.mixture.families.outliers import with_outliers

        family = with_outliers(family, rows.x)
    return Problem(rows, family, asked.floor, log_jacobian, unit)


def as_image(image: Image | Source | NDArray[Any] | str | os.PathLike[str]) -> Image:
    """Read a path or what says how to, wrap an array, or pass an image on."""
    if isinstance(image, Image):
        return image
    if isinstance(image, Source):
        return image.read()
    return Image.from_array(image) if isinstance(image, np.ndarray) else read_image(image)


def opened(
    image: Image | Source | NDArray[Any] | str | os.PathLike[str],
    mask: NDArray[Any] | str | os.PathLike[str] | None,
    missing: str = "drop",
) -> tuple[Image, NDArray[np.bool_] | None]:
    """Image and mask (H, W); where values may be missing, what the mask says of single channels is in the image."""
    photo = as_image(image)
    if missing == "drop":
        return photo, None if mask is None else as_mask(mask, photo)
    channels = photo.pixels.shape[2]
    inside = None if mask is None else as_mask(mask, photo, channels)
    if inside is None or inside.ndim == 2:
        return partly_known(photo), inside
    return partly_known(photo, inside), None


def as_mask(mask: NDArray[Any] | str | os.PathLike[str], photo: Image, channels: int = 1) -> NDArray[np.bool_]:
    """The mask (H, W), True inside, or one of so many channels; raise DataError if an array has another shape."""
    if not isinstance(mask, np.ndarray):
        return read_mask(mask, photo.shape, channels)
    if mask.shape == (*photo.shape, channels) and channels > 1:
        return np.asarray(mask != 0, np.bool_)
    if mask.ndim != 2:
        raise DataError(f"{photo.name}: the mask has shape {mask.shape}; give one of shape (H, W)")
    return np.asarray(mask != 0, np.bool_)


def require_distinct(features: Features, photo: Image, k: int) -> None:
    """Raise DataError unless there are at least K distinct samples, and two."""
    found = features.n_distinct(max(k, 2))
    if found == 1:
        raise DataError(f"{photo.name}: all pixels are equal, there is nothing to segment; check the image or the mask")
    if found < k:
        raise DataError(f"{photo.name}: {found} distinct values cannot make {k} components; use -k {found} or smaller")
