"""Stored values that mean "no data": as a file declares them, or as a user names them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emseg.errors import UsageError, option
from emseg.image.model import Image

Mask = NDArray[np.bool_]
LONGEST = 60  # characters of a number in any file; Python's `int` has a limit, too
_WHOLE = re.compile(r"[+-]?\d+")


def without_data(image: Image, absent: Mask) -> Image:
    """The image with less data.

    Parameters
    ----------
    image : Image
    absent : ndarray of bool, shape (H, W, C), or (H, W, 1) for all channels
        True where a channel holds no data.

    Returns
    -------
    Image
        `valid` where all channels hold data; `known` where some pixels have data in some channels only.
    """
    if not absent.any():
        return image
    channels = image.pixels.shape[2]
    if absent.shape[2] != channels:
        absent = np.broadcast_to(absent, image.pixels.shape)
    if image.known is not None:
        known = image.known & ~absent
    else:
        known = ~absent if image.valid is None else image.valid[:, :, None] & ~absent
    whole = np.asarray(known.all(axis=2))
    in_part = channels > 1 and not np.array_equal(whole, known.any(axis=2))
    return replace(image, valid=None if whole.all() else whole, known=known if in_part else None)


def without_declared(image: Image, declared: Sequence[object], stored: NDArray[Any] | None = None) -> Image:
    """The image without the values that its file declares to be "no data", each in its own band.

    A value that no sample can have is ignored, which a notice says.

    Parameters
    ----------
    image : Image
    declared : sequence of object
        What the file says: a text or a number for all bands, or one for each band, None where a band has none.
    stored : ndarray, shape (H, W, C), or (H, W, 1) for all bands, optional
        The stored values, where they are not the image's pixels, as those of a palette.
    """
    stored = image.pixels if stored is None else stored
    values = [None if text is None else as_stored(text, stored.dtype) for text in declared]
    strange = dict.fromkeys(
        f"the file's value for no data, {_shown(text)}, is no {stored.dtype}, and is ignored; give the right one as "
        f"{option('nodata')}"
        for text, value in zip(declared, values, strict=True)
        if text is not None and value is None
    )
    image = image.with_notices(*strange)
    if len(values) == 1:
        values *= stored.shape[2]
    if len(values) != stored.shape[2] or all(value is None for value in values):
        return image
    absent = np.zeros(stored.shape, np.bool_)
    for band, value in enumerate(values):
        if value is not None:  # NaN is no data anyway
            np.equal(stored[:, :, band], value, out=absent[:, :, band])
    return without_data(image, absent)


def without_given(image: Image, nodata: Sequence[float]) -> Image:
    """The image without the values that the user names; notices say how many pixels have each.

    Raises
    ------
    UsageError
        If the type of the pixels has no such value.
    """
    for number in nodata:
        value = as_stored(number, image.pixels.dtype)
        if value is None:
            kind, remedy = image.pixels.dtype, "give one that the file holds"
            if kind.kind in "ui":
                remedy = f"give a whole number from {np.iinfo(kind).min} to {np.iinfo(kind).max}"
            raise UsageError(f"{image.name}: {option('nodata', number)} is no value of {kind}; {remedy}")
        absent = np.asarray(image.pixels == value)
        count = int(np.count_nonzero(absent.any(axis=2)))
        spelled = option("nodata", number)
        if not count:
            image = image.with_notices(f"{spelled} is the value of no pixel; check it")
            continue
        share = 100 * count / absent[:, :, 0].size
        image = without_data(image, absent).with_notices(f"{spelled} takes {count} pixels ({share:.2g} %) as no data")
    return image


def as_stored(value: object, dtype: np.dtype[Any]) -> Any:
    """A text or number as a sample of a type; None if it is no number, or the type has no such value."""
    text = (value.decode("latin-1") if isinstance(value, bytes) else str(value)).strip("\0 \t\r\n")
    if len(text) > LONGEST:
        return None
    try:
        number: float = int(text) if _WHOLE.fullmatch(text) else float(text)
    except ValueError:
        return None
    if dtype.kind == "f":
        with np.errstate(over="ignore"):
            found = np.asarray(number, np.float64).astype(dtype)
        return found[()] if np.isnan(number) or np.isfinite(found) else None
    limits = np.iinfo(dtype)
    if isinstance(number, float):
        if not number.is_integer():  # infinite and NaN, too
            return None
        number = int(number)
    return dtype.type(number) if limits.min <= number <= limits.max else None


def _shown(text: object) -> str:
    """What a file says, on one line."""
    plain = text.decode("latin-1") if isinstance(text, bytes) else str(text)
    return ascii(plain.strip("\0 \t\r\n"))[1:-1][:LONGEST] or "empty"
