"""`--censored` and `--truncated`: limits of the stored values, brought to the features."""

from __future__ import annotations

from typing import Any

import numpy as np

from emseg.errors import DataError, UsageError, option
from emseg.features.model import Features
from emseg.image.model import Image
from emseg.mixture.families.censored_gaussian import CensoredGaussianFamily
from emseg.mixture.families.sensor_limits import CensoredColumns, SensorLimits
from emseg.mixture.family import Family
from emseg.numerics.truncated_normal import MOST
from emseg.options.limits_text import limits
from emseg.options.segmentation import SegmentOptions

NONE = (-np.inf, np.inf)
CLOSE = 1e-9  # relative: what standardising may do to a value at a limit


def bounded(family: Family, features: Features, asked: SegmentOptions) -> CensoredGaussianFamily:
    """The family, within the limits that options ask for, in standardised coordinates."""
    model = family.normal_model(option("censored" if asked.censored else "truncated"))
    own = SensorLimits.of(len(features.names), *_asked(asked))
    return CensoredGaussianFamily(model, own.affine(-features.shift / features.scale, 1 / features.scale))


def require_bounds(photo: Image, features: Features, asked: SegmentOptions) -> None:
    """Raise unless limits of stored values mean something for these features, this family and these pixels.

    Raises
    ------
    UsageError
        For other features or families, and where probabilities would need too many dimensions.
    DataError
        If pixels lie outside of what can have been recorded, or none within the bounds.
    """
    given = f"--censored {asked.censored}" if asked.censored else f"--truncated {asked.truncated}"
    if asked.family != "gaussian":
        raise UsageError(f"{given}: {asked.family} knows no bounds; use --family gaussian")
    if asked.noise:
        raise UsageError(f"{given}: does not go with --noise; leave one of them out")
    plain = {"gray": "gray", "rgb": "rgb", "bands": "bands"}[photo.colour]
    if features.spec.partition(":")[0] != plain or "," in features.spec:
        raise UsageError(f"{given}: limits of stored values mean nothing to {features.spec}; use --features {plain}")
    censored, truncated = _asked(asked)
    if not (truncated[0] < censored[0] or censored[0] == -np.inf) or not (
        truncated[1] > censored[1] or censored[1] == np.inf
    ):
        raise UsageError(f"{given}: must lie within --truncated {asked.truncated}, or its bounds are never met")
    x = features.shift[:, None] + features.scale[:, None] * features.x
    slack = CLOSE * np.maximum(np.abs(features.shift), features.scale)[:, None]
    outside = ((x < truncated[0] - slack) | (x > truncated[1] + slack)).any(0)
    if outside.any():
        raise DataError(
            f"{photo.name}: {int(features.weight[outside].sum())} pixels lie outside of --truncated {asked.truncated}, "
            "where none were recorded; widen it, or mask them with --mask"
        )
    within = ((x > censored[0] + slack) & (x < censored[1] - slack)).any(1)
    if not within.all():
        name = features.names[int(within.argmin())]
        raise DataError(f"{photo.name}: no value of {name} lies within --censored {asked.censored}; move the limits")
    if asked.covariance in ("diag", "spherical") or asked.covariance.endswith("I"):
        return
    most = len(x) if asked.truncated else max((side.cut.size for side in _sides(features, asked)), default=0)
    if most > MOST:
        what = "bands" if asked.truncated else "bands of a pixel at their bounds"
        raise UsageError(f"{given}: {most} {what} are more than {MOST} at once; use --covariance diag")


def _asked(asked: SegmentOptions) -> tuple[tuple[float, float], tuple[float, float]]:
    """Censored and truncated."""
    return limits(asked.censored) if asked.censored else NONE, limits(asked.truncated) if asked.truncated else NONE


def bounds_facts(features: Features, asked: SegmentOptions) -> dict[str, Any]:
    """What a report says of limits (None where there is none), and how many pixels have a value that is one."""
    named = zip(("censored", "truncated"), _asked(asked), strict=True)
    ends = {name: [limit if np.isfinite(limit) else None for limit in pair] for name, pair in named}
    pixels = sum(float(features.weight[side.which].sum()) for side in _sides(features, asked))
    return {**ends, "censored_pixels": round(pixels)}


def _sides(features: Features, asked: SegmentOptions) -> list[CensoredColumns]:
    own = SensorLimits.of(len(features.names), _asked(asked)[0])
    return own.affine(-features.shift / features.scale, 1 / features.scale).censored_columns(features.x)
