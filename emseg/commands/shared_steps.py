"""The steps that `segment` and `compare` take alike: options are spelt out for the stages that use them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from emseg.em.problem import Problem
from emseg.errors import option
from emseg.features.model import Features
from emseg.features.registry import FEATURES
from emseg.features.specification import parse_spec
from emseg.image.limits import Fourth
from emseg.image.mask_rule import MaskRule
from emseg.image.model import Image
from emseg.options.declarations.reading import ReadingOptions
from emseg.options.declarations.segmentation import SegmentOptions
from emseg.stages.fitting import component_family, fitting_problem
from emseg.stages.inputs.checks import check_samples
from emseg.stages.inputs.input_image import ImageLike, MaskLike, image_and_mask, saved_of
from emseg.stages.inputs.measurement import measure_features
from emseg.stages.inputs.memory import WorkingMemory

if TYPE_CHECKING:
    from emseg.stages.inputs.value_limits import ValueLimits


def limits_given(settings: SegmentOptions) -> ValueLimits | None:
    """The limits of the stored values, if options give some."""
    if not (settings.censored or settings.truncated):
        return None
    from emseg.stages.inputs.value_limits import value_limits  # most fits do without

    return value_limits(settings.censored, settings.truncated)


def fourth_wanted(features: str, has_option: bool = True) -> Fourth:
    """What features want of a fourth channel; `has_option` tells whether the command has an option for them."""
    names = parse_spec(features)
    colours = any(FEATURES[name].colours == ("rgb",) for name in names if name in FEATURES)
    return Fourth("band" if "bands" in names else "colours" if colours else "", has_option)


def picture_and_mask(
    image: ImageLike,
    mask: MaskLike | None,
    settings: SegmentOptions,
    reading: ReadingOptions,
    features: str | None = None,
) -> tuple[Image, NDArray[np.bool_] | None]:
    """The image and the mask of pixels to use by the options; see `image_and_mask`. A model has its own features."""
    rule = MaskRule(settings.mask_above, settings.grow)
    fourth = fourth_wanted(settings.features) if features is None else fourth_wanted(features, False)
    work = memory_needed(settings, saved_of(image))
    given = settings.missing, work, settings.nodata, reading, rule, fourth
    photo, inside = image_and_mask(image, mask, *given)
    if photo.alpha is None or mask is not None:
        return photo, inside
    from emseg.image.missing.fourth_channel import opacity_lines

    return photo.with_notices(*opacity_lines(photo, 0)), inside


def channels_as_meant(photo: Image, features: str) -> Image:
    """The image with three channels as colours or as bands: as the features want, or by the values if they are auto."""
    if photo.pixels.shape[2] != 3:
        return photo
    from emseg.features.automatic import colours_if_wanted, colours_or_bands

    return colours_or_bands(photo) if features == "auto" else colours_if_wanted(photo, features)


def chosen_features(features: Features) -> tuple[str, ...]:
    """A line for the user if the features are texture by emseg's own choice."""
    if features.spec != "texture" or not features.evidence:
        return ()
    line = "brightness tells no parts apart, so pixels are compared by the texture around them"
    return (f"{line}; {option('features', 'auto')} decided that, and another value of it leaves texture out",)


def features_to_fit(photo: Image, inside: NDArray[np.bool_] | None, settings: SegmentOptions) -> Features:
    """Measure the features, and refuse what they cannot carry: too few values, or limits that mean nothing to them.

    Raises
    ------
    UsageError, DataError
        As `measure_features`, `require_stored_values` and `check_samples`.
    """
    limits = limits_given(settings)
    features = measure_features(
        photo,
        inside,
        spec=settings.features,
        family=settings.family,
        missing=settings.missing,
        compress=settings.compress,
        stored_values=limits is not None,
        may_be_texture=settings.searches and not settings.partial_volume,
        covariance=settings.covariance,
    )
    if limits:
        from emseg.stages.inputs.value_limits import require_stored_values

        require_stored_values(photo, features, limits, settings.covariance)
    check_samples(photo, features, 1 if settings.k == "auto" else settings.k_range[1])
    return features


def problem_to_fit(features: Features, settings: SegmentOptions) -> Problem:
    """The problem of fitting the family that options ask for to the features."""
    family = component_family(
        features,
        family=settings.family,
        covariance=settings.covariance,
        dof=settings.dof,
        limits=limits_given(settings),
        partial_volume=settings.partial_volume,
        noise=settings.noise,
    )
    return fitting_problem(features, family, settings.floor)


def spares_stray(settings: SegmentOptions) -> bool:
    """Whether the fit may go without stray pixels: a plain one, of a given K, without a floor by number."""
    plain = not (settings.noise or settings.partial_volume or settings.censored or settings.truncated)
    alone = plain and settings.field == "none" and not (settings.marked or settings.prior_map or settings.shortest)
    found = settings.searches and not isinstance(settings.k, str) and settings.k > 1
    return alone and found and settings.stray == settings.floor == "auto" and settings.family == "gaussian"


def memory_needed(settings: SegmentOptions, saves: tuple[str, ...] = ()) -> WorkingMemory:
    """What decides how much memory the segmentation takes, with the files that are written of it."""
    known = settings.marked or settings.prior_map
    return WorkingMemory(
        settings.k_range[1],
        settings.features,
        settings.compress,
        "mean-field" if known and settings.field == "none" else settings.field,
        settings.contrast,
        settings.finds_regions,
        settings.partial_volume,
        settings.denoise != "off",
        settings.k_range[0] < settings.k_range[1] or settings.bias_field,
        saves,
    )


def bounds_of(features: Features, settings: SegmentOptions) -> dict[str, Any] | None:
    """What the report says of limits of the stored values; None where there are none."""
    limits = limits_given(settings)
    if limits is None:
        return None
    from emseg.stages.inputs.value_limits import bounds_report

    return bounds_report(features, limits)
