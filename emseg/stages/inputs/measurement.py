"""From an image to the features that a family of densities is fitted to."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from emseg.errors import DataError, UsageError, option
from emseg.execution import steps
from emseg.features.build import build_features
from emseg.features.model import Features
from emseg.features.reduce import reduced
from emseg.image.model import Image
from emseg.mixture.covariance.registry import COVARIANCES
from emseg.mixture.families.registry import family_of

#: What `features="auto"` is, by colour of the image, where values must not be moved or mixed; and of those, the angles.
_STORED = {"gray": "gray", "rgb": "rgb", "bands": "bands"}
_ANGLES = _STORED | {"rgb": "hue"}


def measure_features(
    photo: Image,
    inside: NDArray[np.bool_] | None,
    *,
    spec: str,
    family: str,
    missing: str,
    compress: bool,
    stored_values: bool,
    may_be_texture: bool,
    covariance: str | None = "full",
) -> Features:
    """Measure the features that a specification asks for, in the units that a family wants.

    Parameters
    ----------
    photo : Image
    inside : ndarray of bool, shape (H, W), optional
        Pixels to use.
    spec : str
        See `emseg.features.specification.parse_spec`; ``"auto"`` leaves the choice to emseg.
    family : str
        Name of the component family. Families that are not of location and scale get features in their own units.
    missing : {"drop", "em"}
        Whether pixels that are known in part are used.
    compress : bool
        Whether equal feature vectors are one sample with a count.
    stored_values : bool
        Whether ``"auto"`` must be the stored values, as limits of them need.
    may_be_texture : bool
        Whether ``"auto"`` may be texture, where brightness does not tell parts of the image apart.
    covariance : str or None
        Name of the covariance model of the mixture that is to be fitted. Features that depend on each other are reduced
        to the space that they span, as far as that model allows; None to leave them as they are.

    Raises
    ------
    UsageError, DataError
        As `build_features`; and if the family has no density at some value.
    """
    steps.step("measuring features")
    kind = family_of(family)
    location_scale = kind.location_scale
    in_part = missing == "em" and photo.known is not None  # lab would need all channels of a pixel
    if spec == "auto" and (stored_values or in_part or not location_scale):
        spec = (_ANGLES if kind.support.unit == "radians" else _STORED)[photo.colour]
    evidence: dict[str, float] = {}
    if spec == "auto" and may_be_texture:
        from emseg.features.automatic import chosen

        spec, evidence = chosen(photo, inside)
    features = build_features(photo, spec, inside, compress, location_scale, missing == "em")
    if not location_scale:
        _require_support(family, photo, features)
    if covariance is not None:
        features = reduced(features, dependencies(features, covariance, location_scale, stored_values), location_scale)
    return replace(features, evidence=evidence) if evidence else features


def dependencies(features: Features, covariance: str, location_scale: bool, stored_values: bool) -> str:
    """Which dependencies a mixture can do without, see `emseg.features.span.found_span`.

    Components that are turned with the axes need all features as they are, or none. So do values of which some are
    unknown: a sum with an unknown term is unknown. Families of single values take those as they are, and limits are of
    all stored values.
    """
    if stored_values:
        return "none"
    if not location_scale:
        return "equal"
    letters = COVARIANCES[covariance].letters
    return "axes" if (letters[2] == "I" and letters[1] != "I") or np.isnan(features.x).any() else "any"


def _require_support(family: str, photo: Image, features: Features) -> None:
    """Raise unless the family has a density at every sample."""
    spec = option("features", features.spec)
    if not (features.unit == 1).all():
        raise UsageError(f"{spec}: weights do nothing with {option('family', family)}; leave them out")
    support = family_of(family).support
    if support.unit == "radians" and features.spec != "hue" and photo.pixels.dtype.kind != "f":
        remedy = f"use {option('features', 'hue')}, or a float image"
        raise UsageError(f"{option('family', family)}: {features.spec} is no angle; {remedy}")
    outside = support.outside(features.x)
    bad = outside.any(0)
    if bad.any():
        row = int(outside.any(1).argmax())
        count, values = int(features.weight[bad].sum()), np.unique(features.x[row, outside[row]])
        value = int(values[0]) if float(values[0]).is_integer() else float(values[0])
        marked = f"if that is no data, use {option('nodata', value)}; else " if values.size == 1 else ""
        raise DataError(
            f"{photo.name}: {features.names[row]} is {support.outside_is} in {count} pixels, where {family} has no "
            f"density; {marked}mask them with {option('mask')}, or use another of {option('features')} or "
            f"{option('family')}"
        )
