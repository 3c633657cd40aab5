"""From an image to planes that can be restored, and back to pixels of its own type."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emseg.errors import DataError
from emseg.image.model import Image
from emseg.pipeline.inputs import as_mask

Real = NDArray[np.float32]
WHITE = 255.0


@dataclass(frozen=True, eq=False)
class Planes:
    """Channels of an image in units of which white has 255.

    Attributes
    ----------
    values : ndarray of float32, shape (C, H, W)
        Stored values over `unit`, less `shift`; where there is no data, those of the nearest pixel that has.
    unit, shift : float
    valid : ndarray of bool, shape (H, W), or None
        Pixels with data.
    """

    values: Real
    unit: float
    shift: float
    valid: NDArray[np.bool_] | None

    @classmethod
    def of(cls, image: Image, inside: NDArray[np.bool_] | None = None) -> Planes:
        """The planes of an image, outside of a mask without data."""
        valid = image.valid if inside is None else inside if image.valid is None else inside & image.valid
        pixels, dtype = image.pixels, image.pixels.dtype
        unit = np.iinfo(dtype).max / WHITE if dtype.kind in "ui" else 1.0
        known = pixels if valid is None else pixels[valid]
        shift = float(known.reshape(-1, pixels.shape[2])[0, 0]) / unit if known.size else 0.0
        values = np.moveaxis(pixels, 2, 0)
        if valid is not None and known.size:
            values = values[(slice(None), *_nearest(valid))]
        values = values - dtype.type(shift) if dtype.kind == "f" else values / np.float32(unit) - np.float32(shift)
        return cls(np.ascontiguousarray(values, np.float32), unit, shift, valid)

    @property
    def ends(self) -> tuple[float, float]:
        """The planes' values of the smallest and largest number that an image of integers can hold."""
        return -self.shift, WHITE - self.shift

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
        found = np.moveaxis(values.astype(np.float64), 0, 2) + self.shift
        if dtype.kind in "ui":
            limits = np.iinfo(dtype)
            found = np.clip(np.rint(found * self.unit), limits.min, limits.max)
        pixels: NDArray[Any] = found.astype(dtype)
        stored = keep if self.valid is None else ~self.valid if keep is None else keep | ~self.valid
        if stored is not None:
            pixels[stored] = image.pixels[stored]
        return pixels


def slices_of(photo: Image) -> int:
    """How many slices of a volume lie below one another; 1 for images."""
    return int(photo.metadata["volume"][0]) if "volume" in photo.metadata else 1


def fitting(mask: NDArray[Any] | str | os.PathLike[str], photo: Image) -> NDArray[np.bool_]:
    """The mask (H, W), True where it is not zero; raise DataError or ImageError if it has another size."""
    found = as_mask(mask, photo)
    if found.shape != photo.shape:
        sizes = f"mask of shape {found.shape} for an image of shape {photo.shape}"
        raise DataError(f"{photo.name}: {sizes}; give a mask of the image's size")
    return found


def _nearest(valid: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Row and column of the nearest valid pixel to each; (2, H, W)."""
    from scipy.ndimage import distance_transform_edt

    found: NDArray[np.intp] = distance_transform_edt(~valid, return_distances=False, return_indices=True)
    return found
