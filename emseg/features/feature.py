"""What a feature says of itself, and how it is measured."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emseg.errors import DataError, option
from emseg.features.grain import STEPLESS, stored_covariance
from emseg.features.pixel_index import Mask, Samples, distinct_samples
from emseg.image.model import Image
from emseg.records import record

Floats = NDArray[np.float64]
# Absolute values beyond which squares and their sums, as variances need them, overflow or vanish in float64, whose
# range is 1e-308 to 1e308.
SMALLEST, LARGEST = 1e-140, 1e140
DERIVED = 1024  # samples at which a feature's derivatives are taken
LARGEST_SHARE = 4.0  # of a sample's variance by rounding, over the median of all


@record(frozen=True, eq=False)
class Pixels:
    """The pixels of an image that are to be measured.

    Attributes
    ----------
    image : Image
    valid : ndarray of bool, shape (H · W,), or None
        Which pixels to use; None for all.
    missing : bool
        Whether a feature may be unknown, NaN, where it is undefined.
    """

    image: Image
    valid: Mask | None
    missing: bool = False

    @cached_property
    def samples(self) -> Samples:
        """The distinct values of the pixels, with their counts."""
        return distinct_samples(self.image, self.valid)

    @cached_property
    def stored_grain(self) -> tuple[Floats, bool]:
        """See `emseg.features.grain.stored_covariance`."""
        return stored_covariance(self.image, self.samples)


class Feature(ABC):
    """One or several values of each pixel that are measured together.

    Attributes
    ----------
    names : tuple of str
        Of the values; empty if there is one value a channel.
    units : str
        Of the values.
    halo : int
        How many pixels away, along either axis, a value may depend on; 0 for the pixel alone.
    repeats : bool
        Whether equal stored values have equal features, so that distinct values with counts will do.
    own_scales : bool
        Whether each value is standardised for itself, because they have no common unit.
    fits_volumes : bool
        Whether it is defined for slices of a volume.
    is_position : bool
        Whether it says where a pixel is, and nothing of what is there.
    moves : bool
        Whether a number that is added to all stored values is added to the feature.
    rounding : float
        Standard deviation, in its units, of errors in its computation beside those of floating-point numbers.
    """

    names: tuple[str, ...]
    units: str
    halo = 0
    repeats = False
    own_scales = False
    fits_volumes = False
    is_position = False
    moves = False
    rounding = 0.0

    def value_names(self, channels: int) -> tuple[str, ...]:
        """Names of the values for an image of so many channels."""
        return self.names or tuple(f"band {c + 1}" for c in range(channels))

    @abstractmethod
    def measure(self, pixels: Pixels) -> Floats:
        """The values, shape (d, N): of `pixels.samples` if it repeats, else of each valid pixel.

        NaN where an image that is known in part does not tell.

        Raises
        ------
        DataError
            If the stored values do not suit it.
        """

    def grain(self, pixels: Pixels, values: Floats) -> Floats:
        """Covariance (d, d) that rounding of the stored values leaves of the feature's values (d, N)."""
        return np.diag(STEPLESS * np.nanvar(values, axis=1))


class Pointwise(Feature):
    """A feature of a pixel's stored values alone.

    Attributes
    ----------
    needs_unit_scale : bool
        Whether it must be known which stored value is the brightest.
    by_channel : bool
        Whether each value depends on one channel, and is known where that is.
    """

    repeats = True
    fits_volumes = True
    needs_unit_scale = False
    by_channel = False

    @abstractmethod
    def transform(self, stored: NDArray[Any]) -> Floats:
        """Features (d, N) of stored values (C, N)."""

    def grain(self, pixels: Pixels, values: Floats) -> Floats:
        """See `Feature.grain`: J C Jᵀ for the covariance C of stored values and derivatives J, over some samples.

        Near black the hue, say, is all rounding. So no sample counts with more than a few times the median.
        """
        covariance, _ = pixels.stored_grain
        return self._carried(covariance, pixels, len(values))

    def _carried(self, covariance: Floats, pixels: Pixels, d: int) -> Floats:
        stored, known = pixels.samples.values, pixels.samples.known
        some = slice(None, None, -(-stored.shape[1] // DERIVED))
        whole = np.ones(stored[:, some].shape[1], np.bool_) if known is None else known[:, some].all(0)
        stored, weight = stored[:, some][:, whole], pixels.samples.weight[some][whole]
        if stored.size == 0:
            return np.zeros((d, d))
        top = float(np.iinfo(stored.dtype).max) if self.needs_unit_scale and stored.dtype.kind != "f" else 1.0
        unit = stored / top
        slopes = np.empty((d, *stored.shape))
        for c, variance in enumerate(np.diag(covariance)):
            half = np.sqrt(3 * variance) / top  # half a step
            ends = [unit.astype(np.float64) for _ in range(2)]
            for end, sign in zip(ends, (-1, 1), strict=True):
                end[c] += sign * half
                if self.needs_unit_scale:
                    np.clip(end, 0, 1, out=end)
            width = np.maximum(ends[1][c] - ends[0][c], np.finfo(float).tiny) * top
            slopes[:, c] = self.difference(self.transform(ends[0]), self.transform(ends[1])) / width
        each = np.einsum("dcn,ce,fen->ndf", slopes, covariance, slopes)
        size = np.einsum("ndd->n", each)
        cut = np.minimum(
            1.0,
            LARGEST_SHARE
            * float(np.partition(size, size.size // 2)[size.size // 2])
            / np.maximum(size, np.finfo(float).tiny),
        )
        carried: Floats = np.einsum("ndf,n->df", each, cut * weight / weight.sum())
        return carried + self.rounding**2 * np.eye(d)

    def difference(self, low: Floats, high: Floats) -> Floats:
        """What features have changed by."""
        return high - low

    def undefined(self, stored: NDArray[Any]) -> NDArray[np.bool_] | None:
        """Where stored values (C, N) have no such feature, shape (N,); None if all have it."""
        return None

    def measure(self, pixels: Pixels) -> Floats:
        """See `Feature.measure`."""
        stored, known = pixels.samples.values, pixels.samples.known
        if known is not None:  # any known value will do where there is none
            stored = np.where(known, stored, stored[known].min())
        self._require_suitable(stored, pixels.image.name)
        values = self.transform(stored)
        if known is not None:
            values[~known if self.by_channel else np.broadcast_to(~known.all(0), values.shape)] = np.nan
        undefined = self.undefined(stored) if pixels.missing else None
        if undefined is not None:
            values[:, undefined] = np.nan
        return values

    def _require_suitable(self, stored: NDArray[Any], name: str) -> None:
        """Raise DataError for values without a unit scale if one is needed, or of which squares cannot be taken."""
        if self.needs_unit_scale and not has_unit_scale(stored):
            found = f"{stored.dtype} from {stored.min():g} to {stored.max():g}"
            needed = f"{', '.join(self.names)} need 8- or 16-bit colours or floats in 0...1"
            raise DataError(f"{name}: {needed}, found {found}; use {option('features', 'rgb')}")
        require_squares(stored, name)


def require_squares(values: NDArray[Any], name: str) -> None:
    """Raise DataError for values of which squares cannot be taken."""
    if values.dtype.kind == "f" and values.any() and not SMALLEST < float(np.abs(values).max()) < LARGEST:
        raise DataError(f"{name}: squares of its values leave the range of numbers; scale the values first")


def has_unit_scale(values: NDArray[Any]) -> bool:
    """Whether it is known what 1 is: 8- and 16-bit integers by their type, floats if they lie between 0 and 1."""
    if values.dtype.kind == "f":
        return bool(values.size and values.min() >= 0 and values.max() <= 1)
    return values.dtype in (np.uint8, np.uint16)


class Stored(Pointwise):
    """The channels as they are stored."""

    units = "stored values"
    by_channel = True
    moves = True

    def transform(self, stored: NDArray[Any]) -> Floats:
        """See `Pointwise.transform`."""
        return as_stored(stored)

    def grain(self, pixels: Pixels, values: Floats) -> Floats:
        """See `Feature.grain`."""
        return pixels.stored_grain[0]


def as_stored(values: NDArray[Any]) -> Floats:
    """The channels themselves, shape (C, N)."""
    return values.astype(np.float64)


def on_unit_scale(values: NDArray[Any], curve: Callable[[Floats], Floats]) -> Floats:
    """`curve` of the values brought to 0…1; for integers a table look-up, since a curve costs far more than that."""
    if values.dtype.kind == "f":
        return curve(values.astype(np.float64))
    top = np.iinfo(values.dtype).max
    return np.take(curve(np.arange(top + 1) / top), values)


def linear_light(value: Floats) -> Floats:
    """Undo the sRGB transfer function (IEC 61966-2-1)."""
    return np.where(value > 0.04045, ((value + 0.055) / 1.055) ** 2.4, value / 12.92)
