"""Which pixels are to be filled: those of a mask, transparent ones, those without data."""

from __future__ import annotations

import os

import numpy as np
from numpy.typing import NDArray

from emseg.errors import DataError, UsageError, option
from emseg.image.label_maps import stored_values
from emseg.image.mask_rule import MaskRule
from emseg.image.missing.masks import grown
from emseg.image.model import Image
from emseg.records import NamedRecord
from emseg.stages.inputs.input_image import ALPHA, MaskLike, mask_of_same_size
from emseg.stages.inputs.planes import slices_of

Mask = NDArray[np.bool_]
NODATA = "nodata"  # what may be given for a mask by name, besides alpha


class Missing(NamedRecord):
    """Pixels to fill.

    Attributes
    ----------
    pixels : ndarray of bool, shape (H, W)
    wholly : ndarray of bool, shape (H, W)
        Those of which no channel counts as known, whatever it holds.
    notices : tuple of str
        Lines that the user should read.
    """

    pixels: Mask
    wholly: Mask
    notices: tuple[str, ...] = ()


def missing_pixels(
    given: Image, photo: Image, mask: MaskLike | None, *, value: float | None, rule: MaskRule
) -> Missing:
    """Which pixels are to be filled.

    NaN is missing always, and so is what the caller has masked. What else holds no data is missing by ``"nodata"``, and
    where no mask is given.

    Parameters
    ----------
    given : Image
        As the caller gave it.
    photo : Image
        Without the values that options call no data.
    mask : array-like, path, ``"alpha"`` or ``"nodata"``, optional
    value : float, optional
        Value of the mask where to fill; None goes by the rule.
    rule : MaskRule

    Raises
    ------
    UsageError
        If nothing says which pixels are missing, or options say it twice.
    ImageError, DataError
        As `mask_of_same_size`; if there is no alpha, no pixel is missing, or all are.
    """
    notices: tuple[str, ...] = ()
    word = mask if isinstance(mask, str) and mask in (ALPHA, NODATA) else ""
    unknown, wholly = np.zeros(photo.shape, bool), np.zeros(photo.shape, bool)
    if photo.pixels.dtype.kind == "f":
        unknown = ~np.isfinite(photo.pixels).all(axis=2)
    if given.form is not None:  # what the caller has masked
        unknown |= _without_data(given)
    if mask is None or word == NODATA:
        unknown |= _without_data(photo)
    _require_one_rule(mask is None or bool(word), value, rule)
    if word == ALPHA:
        if photo.alpha is None:
            raise DataError(f"{photo.name}: has no alpha; give a mask")
        wholly = photo.alpha == 0
    elif mask is not None and not word:
        wholly, notices = mask_of_same_size(mask, photo, MaskRule() if value is not None else rule)
        if value is not None:
            wholly, notices = _equal(mask, photo, value), ()
    elif word and not unknown.any():
        raise DataError(f"{photo.name}: no pixel lacks data, by the file or by {option('nodata')}; check them")
    elif not unknown.any():
        remedy = f"give a mask, alpha, or {option('nodata')}"
        raise UsageError(f"{photo.name}: nothing says which pixels are missing; {remedy}")
    if rule.grow and (mask is None or word or value is not None):
        without_data = mask is None or word == NODATA
        wholly = grown(unknown if without_data else wholly, rule.grow, photo.metadata.get("volume")) & ~unknown
        if without_data and rule.grow < 0:
            notices = (f"{option('grow', rule.grow)} shrinks masks; all that holds no data is filled",)
    pixels = _fillable(unknown | wholly, photo)
    left = int(np.count_nonzero(_without_data(photo) & ~pixels))
    line = f"{left} pixels without data stay as they are; {option('mask', NODATA)} fills them"
    return Missing(pixels, wholly, (*notices, line) if left else notices)


def _require_one_rule(no_file: bool, value: float | None, rule: MaskRule) -> None:
    """Raise UsageError for values of a mask that there is not, or that are said twice."""
    for name, wanted in (("mask_value", value), ("mask_above", rule.above)):
        if no_file and wanted is not None:
            raise UsageError(f"{name}: is a value of a mask; give one")
    if value is not None and rule.above is not None:
        both = f"{option('mask_value', value)} and {option('mask_above', rule.above)}"
        raise UsageError(f"{both} both say which values of the mask are filled; leave one of them out")


def _fillable(missing: Mask, photo: Image) -> Mask:
    """The missing pixels; raise DataError if there are none, or all of an image or slice are."""
    if not missing.any():
        raise DataError(f"{photo.name}: no pixel is missing, the mask is empty; check it")
    if missing.all():
        raise DataError(f"{photo.name}: all pixels are missing; check the mask, which is non-zero where to fill")
    lost = np.stack(np.split(missing, slices_of(photo))).all((1, 2))
    if lost.any():  # slices are filled each from itself
        raise DataError(f"{photo.name}: slice {lost.argmax() + 1} is missing altogether; leave it out of the volume")
    return missing


def _without_data(photo: Image) -> Mask:
    """Where a pixel lacks data in some channel, (H, W), and that not because it is transparent."""
    there = photo.valid if photo.known is None else np.asarray(photo.known.all(axis=2))
    if there is None:
        return np.zeros(photo.shape, bool)
    lost = np.asarray(~there)
    return lost if photo.alpha is None else lost & (photo.alpha != 0)


def _equal(mask: MaskLike, photo: Image, value: float) -> Mask:
    """Where a mask has one value in all channels; of a palette, the index counts."""
    stored = stored_values(mask, photo).values if isinstance(mask, str | os.PathLike) else np.asarray(mask)
    found: Mask = np.all(stored.reshape(*photo.shape, -1) == value, axis=2)
    if not found.any():
        raise DataError(f"{photo.name}: the mask has the value {value:g} nowhere; check {option('mask_value')}")
    return found
