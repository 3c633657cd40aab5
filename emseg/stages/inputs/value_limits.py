"""Limits of the stored values, censored and truncated, brought to the features."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from emseg.errors import DataError, UsageError, option
from emseg.features.model import Features
from emseg.image.model import Image
from emseg.mixture.families.censored_gaussian import CensoredGaussianFamily
from emseg.mixture.families.sensor_limits import CensoredColumns, SensorLimits
from emseg.mixture.family import Family
from emseg.numerics.truncated_normal import MOST
from emseg.options.kinds.limits_text import limits
from emseg.records import record

if TYPE_CHECKING:
    from emseg.stages.inputs.data_table import Table

UNLIMITED = (-np.inf, np.inf)
#: Relative difference within which a value counts as at a limit. Standardising a value and back changes it by a few
#: units of the last place, 2e-16 of it.
CLOSE = 1e-9


@record(frozen=True)
class ValueLimits:
    """Limits of the stored values.

    Attributes
    ----------
    censored : (float, float)
        Values at or beyond these are bounds: what was there lies beyond.
    truncated : (float, float)
        Values beyond these were never recorded.
    text : mapping of str to str
        The limits as they were given, for messages; empty where there are none.
    """

    censored: tuple[float, float]
    truncated: tuple[float, float]
    text: dict[str, str]

    @property
    def given(self) -> str:
        """The option that gives limits, for messages."""
        name = "censored" if self.text["censored"] else "truncated"
        return option(name, self.text[name])


def value_limits(censored: str, truncated: str) -> ValueLimits | None:
    """The limits that two options ``"LO,HI"`` give; None where both are empty."""
    if not (censored or truncated):
        return None
    text = {"censored": censored, "truncated": truncated}
    return ValueLimits(_pair(censored), _pair(truncated), text)


def _pair(text: str) -> tuple[float, float]:
    return limits(text) if text else UNLIMITED


def bounded(family: Family, features: Features, limits: ValueLimits) -> CensoredGaussianFamily:
    """The family within the limits, in standardised coordinates."""
    model = family.normal_model(limits.given)
    bounds = SensorLimits.of(len(features.x), limits.censored, limits.truncated)
    return CensoredGaussianFamily(
        model, bounds.affine(-features.axis_shift / features.axis_scale, 1 / features.axis_scale)
    )


def require_stored_values(
    photo: Image, features: Features, limits: ValueLimits, covariance: str, table: Table | None = None
) -> None:
    """Raise unless limits of stored values mean something for these features and these pixels, or rows of a table.

    Raises
    ------
    UsageError
        For other features than the stored values, and where probabilities would need more dimensions than
        `emseg.numerics.truncated_normal.MOST`.
    DataError
        If pixels lie outside of what can have been recorded, or no value of a channel lies within the bounds.
    """
    given = limits.given
    stored = {"gray": "gray", "rgb": "rgb", "bands": "bands"}[photo.colour]
    if features.spec.partition(":")[0] != stored or "," in features.spec:
        remedy = f"use {option('features', stored)}"
        raise UsageError(f"{given}: limits of stored values mean nothing to {features.spec}; {remedy}")
    censored, truncated = limits.censored, limits.truncated
    shift, scale = features.axis_shift, features.axis_scale
    x = shift[:, None] + scale[:, None] * features.x
    slack = CLOSE * np.maximum(np.abs(shift), scale)[:, None]
    outside = ((x < truncated[0] - slack) | (x > truncated[1] + slack)).any(0)
    if outside.any():
        what, remedy = ("rows", "leave them out") if table else ("pixels", f"mask them with {option('mask')}")
        raise DataError(
            f"{photo.name}: {int(features.weight[outside].sum())} {what} lie outside of "
            f"{option('truncated', limits.text['truncated'])}, where none were recorded; widen it, or {remedy}"
        )
    within_bounds = ((x > censored[0] + slack) & (x < censored[1] - slack)).any(1)
    if not within_bounds.all():
        channel, bounds = (
            int(features.pivots[int(within_bounds.argmin())]),
            option("censored", limits.text["censored"]),
        )
        name = table.called(channel) if table else features.names[channel]
        raise DataError(f"{photo.name}: no value of {name} lies within {bounds}; move the limits")
    if covariance in ("diag", "spherical") or covariance.endswith("I"):
        return
    truncates = bool(limits.text["truncated"])
    most = len(x) if truncates else max((side.cut.size for side in _sides(features, limits)), default=0)
    if most > MOST:
        one, several = ("row", "columns") if table else ("pixel", "bands")
        what = several if truncates else f"{several} of a {one} at their bounds"
        remedy = f"use {option('covariance', 'diag')}"
        raise UsageError(f"{given}: {most} {what} are more than {MOST} at once; {remedy}")


def bounds_report(features: Features, limits: ValueLimits | None) -> dict[str, Any] | None:
    """`bounds` of the report: the limits (None where there is none), and how many pixels have a censored value."""
    if limits is None:
        return None
    ends = {
        name: [limit if np.isfinite(limit) else None for limit in pair]
        for name, pair in (("censored", limits.censored), ("truncated", limits.truncated))
    }
    pixels = sum(float(features.weight[side.which].sum()) for side in _sides(features, limits))
    return {**ends, "censored_pixels": round(pixels)}


def _sides(features: Features, limits: ValueLimits) -> list[CensoredColumns]:
    """Samples with censored values, grouped by the dimensions that are censored."""
    bounds = SensorLimits.of(len(features.x), limits.censored)
    return bounds.affine(-features.axis_shift / features.axis_scale, 1 / features.axis_scale).censored_columns(
        features.x
    )
