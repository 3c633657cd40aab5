"""From an image to planes that can be restored, and back to pixels of its own type."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from emseg.errors import DataError
from emseg.image.model import Image
from emseg.numerics.quantiles import quantiles
from emseg.records import record

Real = NDArray[np.float32]
Array = NDArray[np.float64]
Ends = tuple[Array, Array]
WHITE = 255.0
FLAT, LIVELY = 32.0, 4096.0  # grey levels between which values are taken as they are
FAR = 1e6  # times the usual spread from the middle, a number stands for "no data", as the largest that a type holds
HIGH = 100.0  # times it, a number counts as no more: beside a larger one, single precision would not see the noise
TAILS = 0.005  # of the values, which their usual spread leaves out at either end
MOST = 200_000  # values that are looked at for it
SMALL = 1e-30  # unit, below which single precision would not do


@record(frozen=True, eq=False)
class Planes:
    """Channels of an image in units of which white has about 255.

    Attributes
    ----------
    values : ndarray of float32, shape (C, H, W)
        Stored values over `unit`, less `shift`; where there is no data, those of the nearest pixel that has.
    unit : float
    shift : ndarray, shape (H, 1) or (1, 1)
        By row, where slices of a volume lie below one another: each slice has its own, as an image of its own has.
    grey : float
        The stored value of one grey level, in which noise is given and told: the 255th part of white for unsigned
        integers of 8 and 16 bits, else 1. `unit` is the same, unless values differ far less or far more than usual.
    beyond : ndarray of bool, shape (H, W), or None
        Pixels that count as less than they hold, and stay as stored.
    ends : (ndarray, ndarray) or None
        What the smallest and the largest number that can be stored are in `values`, in the shape of `shift`; None where
        neither is an end.
    valid : ndarray of bool, shape (H, W), or None
        Pixels with data.
    """

    values: Real
    unit: float
    shift: Array
    grey: float
    ends: Ends | None
    valid: NDArray[np.bool_] | None
    beyond: NDArray[np.bool_] | None = None

    @classmethod
    def of(
        cls, image: Image, inside: NDArray[np.bool_] | None = None, complete: bool = True, slices: int = 1
    ) -> Planes:
        """The planes of an image, outside of a mask without data; raise DataError if no pixel has any.

        A pixel has data if all its channels do.

        Unless they are to be complete, the values where there is no data are all the same. Each of the slices that lie
        below one another is shifted by itself.
        """
        there = image.valid if image.known is None else np.asarray(image.known.all(axis=2))
        valid = there if inside is None else inside if there is None else inside & there
        if valid is not None and not valid.any():
            raise DataError(f"{image.name}: no pixel has data; check the image and the mask")
        pixels, dtype = image.pixels, image.pixels.dtype
        middle, spread = usual(pixels.reshape(-1, pixels.shape[2]) if valid is None else pixels[valid])
        if dtype.kind == "f":
            valid = _without_far(pixels, valid, middle, spread)
        has_white = dtype.kind == "u" and dtype.itemsize <= 2
        grey = np.iinfo(dtype).max / WHITE if has_white else 1.0
        like_others = spread == 0 or FLAT * grey <= spread < LIVELY * grey
        unit = grey if like_others else float(np.exp2(np.ceil(np.log2(spread / WHITE))))
        first = _first_by_row(pixels[..., 0], valid, slices)
        values = np.moveaxis(pixels, 2, 0)
        if valid is not None:
            values = (
                values[(slice(None), *_nearest(valid))] if complete else np.where(valid, values, pixels[valid, 0][0])
            )
        if has_white:
            shift = first / unit  # of the image itself: adding a constant to it makes no difference
            values = values / np.float32(unit) - shift.astype(np.float32)
        else:
            single = dtype.kind == "f" and dtype.itemsize <= 4 and SMALL < unit < 1 / SMALL
            real = np.dtype(np.float32 if single else np.float64)
            first = np.where(np.abs(first / 2 - middle / 2) <= spread, first, middle)
            shift = first / unit
            values = values.astype(real, copy=False)
            if unit > 1:  # a power of two, or one grey level: differences of the largest numbers would overflow
                values = values / real.type(unit) - np.asarray(shift).astype(real)
            else:
                values = (values - first.astype(real)) / real.type(unit)
        ends = (-shift, np.iinfo(dtype).max / unit - shift) if dtype.kind == "u" else None
        values, beyond = _limited(np.ascontiguousarray(values, np.float32), HIGH * spread / unit, middle / unit - shift)
        return cls(values, unit, shift, grey, ends, valid, beyond)

    def back(self, values: Real, image: Image, keep: NDArray[np.bool_] | None = None) -> NDArray[Any]:
        """Pixels (H, W, C) of the image's own type, rounded and within its range; as stored where there is no data.

        Parameters
        ----------
        values : ndarray of float32, shape (C, H, W)
        image : Image
        keep : ndarray of bool, shape (H, W), optional
            Further pixels that stay as stored.
        """
        dtype = image.pixels.dtype
        with np.errstate(over="ignore"):
            found = np.moveaxis((values.astype(np.float64) + self.shift) * self.unit, 0, 2)
        if dtype.kind == "f" and not np.isfinite(found).all():  # of numbers near the largest there are
            found = np.nan_to_num(found, nan=np.nan)
        if dtype.kind in "ui":
            limits = np.iinfo(dtype)
            high = float(limits.max)
            if int(high) > limits.max:  # of 64 bits, the nearest float is one too large
                high = float(np.nextafter(high, 0))
            found = np.clip(np.rint(found), limits.min, high)
        pixels: NDArray[Any] = found.astype(dtype)
        for stored in (keep, None if self.valid is None else ~self.valid, self.beyond):
            if stored is not None:
                pixels[stored] = image.pixels[stored]
        return pixels


def left_alone(image: Image) -> tuple[str, ...]:
    """A line if pixels of which something is known are not taken for whole, and so stay as they are."""
    if image.known is None:
        return ()
    count = int(np.count_nonzero(image.known.any(axis=2) & ~image.known.all(axis=2)))
    return (f"{count} pixels lack data in some of their channels, and stay as they are",) if count else ()


def usual(samples: NDArray[Any]) -> tuple[float, float]:
    """The middle of most values (N, C), and how far apart they are, 0 if all are equal; a few have no say in it."""
    few = samples[:: -(-samples.size // MOST)].astype(np.float64) / 2  # halves, whose difference is finite
    low, middle, high = quantiles(few.ravel(), TAILS, 0.5, 1 - TAILS)
    if low == high:
        low, high = float(few.min()), float(few.max())
    return 2 * middle, 2 * min(high - low, float(np.finfo(np.float64).max) / 2)


def _first_by_row(plane: NDArray[Any], valid: NDArray[np.bool_] | None, slices: int) -> Array:
    """The first number with data of each slice, (1, 1) or by row (H, 1); of a slice without any, that of all slices."""
    whole = plane if valid is None else plane[valid]
    if slices == 1:
        return np.full((1, 1), float(whole.flat[0]))
    parts = np.split(plane if valid is None else np.where(valid, plane, whole.flat[0]), slices)
    there = [0] * slices if valid is None else [int(part.argmax()) for part in np.split(valid, slices)]
    return np.repeat([float(part.flat[i]) for part, i in zip(parts, there, strict=True)], len(plane) // slices)[:, None]


def _limited(values: Real, most: float, middle: Array) -> tuple[Real, NDArray[np.bool_] | None]:
    """Values (C, H, W) at most so far from the middle, and the pixels (H, W) where they were farther, if any were."""
    low, high = (middle - most).astype(np.float32), (middle + most).astype(np.float32)
    if most == 0 or ((values >= low) & (values <= high)).all():
        return values, None
    return np.clip(values, low, high), np.any((values < low) | (values > high), axis=0)


def _without_far(
    pixels: NDArray[Any], valid: NDArray[np.bool_] | None, middle: float, spread: float
) -> NDArray[np.bool_] | None:
    """The pixels with data, less those with a number far from the usual ones."""
    if spread == 0:
        return valid
    limits = np.finfo(pixels.dtype)
    low, high = (float(np.clip(middle + sign * FAR * spread, limits.min, limits.max)) for sign in (-1, 1))
    if -low == high == float(limits.max):
        return valid
    near: NDArray[np.bool_] = np.all((pixels >= low) & (pixels <= high), axis=2)
    return valid if near.all() else near if valid is None else near & valid


def slices_of(photo: Image) -> int:
    """How many slices of a volume lie below one another; 1 for images."""
    return int(photo.metadata["volume"][0]) if "volume" in photo.metadata else 1


def _nearest(valid: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Row and column of the nearest valid pixel to each; (2, H, W)."""
    from scipy.ndimage import distance_transform_edt

    found: NDArray[np.intp] = distance_transform_edt(~valid, return_distances=False, return_indices=True)
    return found
