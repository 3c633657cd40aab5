"""What the values of a mask mean: which of its pixels are inside, and by how much they grow."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from emseg.errors import DataError, option
from emseg.image.mask_rule import NOT_ZERO, MaskRule
from emseg.image.model import Image

Mask = NDArray[np.bool_]
LABELS = 64  # whole numbers below it are labels rather than shades


def inside_of(mask: Image, rule: MaskRule = NOT_ZERO, lossy: bool = False) -> tuple[Mask, tuple[str, ...]]:
    """Which values of a mask are inside, and lines that the user should read.

    Alpha counts where a mask has some: transparent pixels are outside, and of a mask in one colour alpha is the mask.
    What holds no data is outside.

    Parameters
    ----------
    mask : Image
    rule : MaskRule
        Its `grow` is not applied here, see `grown`.
    lossy : bool
        Whether values between 0 and the largest may come from compression. Then, unless the rule says otherwise, they
        are inside above half of the largest.

    Returns
    -------
    inside : ndarray of bool, shape (H, W, C), or (H, W, 1)
    notices : tuple of str

    Raises
    ------
    DataError
        If no value is above that of the rule, while some are above 0.
    """
    values, there, notices = _content(mask)
    real = values if there is None else np.where(there, values, 0)
    top = _largest(real)
    if rule.above is not None:
        inside = np.asarray(real > float(rule.above))
        if there is not None:
            inside &= there
        if top > 0 and not inside.any():
            limit = option("mask_above", plain(rule.above))
            raise DataError(f"{mask.name}: no value of the mask is above {limit}; the largest is {top:g}")
        return inside, notices
    inside = np.asarray((real > 0) | (real < 0))
    count = _between(real, top)
    if not count or (not lossy and top < LABELS and _is_whole(real)):
        return inside, notices
    half = int(top) // 2 if values.dtype.kind in "ui" else top / 2
    line = f"{count} pixels of the mask lie between 0 and {top:g}"
    if lossy:
        inside = np.asarray(real > half)
        everything = option("mask_above", 0)
        line += f", as its compression leaves them; above {half:g} they count as inside, by {everything} all do"
    else:
        line += f", and count as inside; {option('mask_above', half)} counts the darker ones as outside"
    return inside, (*notices, line)


def grown(inside: Mask, by: int, volume: tuple[int, ...] | None = None) -> Mask:
    """A mask with all pixels within a distance of its inside; by a negative distance, without those near its outside.

    Parameters
    ----------
    inside : ndarray of bool, shape (H, W) or (H, W, C)
    by : int
        Euclidean distance in pixels, or voxels.
    volume : tuple of int, optional
        (Z, Y, X), if slices of a volume lie below one another.
    """
    if by == 0:
        return inside
    if inside.ndim == 3:
        return np.stack([grown(plane, by, volume) for plane in np.moveaxis(inside, 2, 0)], axis=2)
    from scipy.ndimage import distance_transform_edt  # most masks are taken as they are

    near = inside if by > 0 else ~inside
    if near.any() and not near.all():
        grid = near.reshape(volume) if volume else near
        distance: NDArray[np.float64] = distance_transform_edt(~grid)
        near = (distance <= abs(by)).reshape(inside.shape)
    return near if by > 0 else ~near


def plain(number: float) -> float:
    """A number without a point where it is whole, for messages."""
    return int(number) if float(number).is_integer() else number


def opaque(photo: Image, rule: MaskRule = NOT_ZERO) -> Mask:
    """Where the opacity of an image is above that of a rule, or 0, (H, W); raise DataError if it has none."""
    if photo.alpha is None:
        raise DataError(f"{photo.name}: has no alpha; give the file of a mask")
    inside = np.asarray(photo.alpha > (0 if rule.above is None else rule.above))
    return grown(inside, rule.grow, photo.metadata.get("volume"))


def colours_against_indices(inside: Mask, indices: NDArray[Any] | None) -> tuple[str, ...]:
    """A line if a palette's indices would say otherwise than its colours which pixels are not 0."""
    if indices is None or indices.shape != inside.shape[:2]:
        return ()
    differ = int(np.count_nonzero(inside.any(axis=2) != (indices != 0)))
    line = f"the mask has a palette, and black is outside; by its indices {differ} pixels would count otherwise"
    return (line,) if differ else ()


def _content(mask: Image) -> tuple[NDArray[Any], Mask | None, tuple[str, ...]]:
    """The values (H, W, C) that are the mask, where they are numbers, and what to say of that."""
    notices = tuple(f"of the mask, {line}" for line in mask.notices)
    alpha, values = mask.alpha, mask.pixels
    finite = np.isfinite(values) if values.dtype.kind == "f" else None
    if alpha is None:
        there = mask.known if mask.known is not None else None if mask.valid is None else mask.valid[:, :, None]
        if there is None:
            return values, None, notices
        lost = int(np.count_nonzero((~there & (values != 0) & _numbers(values)).any(axis=2)))
        line = f"{lost} pixels of the mask hold no data, and are outside"
        return values, there, (*notices, line) if lost else notices
    if alpha.min() == alpha.max():
        return values, finite, notices
    seen = alpha > 0
    colours = values[seen]
    if (colours == colours[:1]).all():
        same = np.array_equal((values != 0).any(axis=2), seen)  # by either
        line = "the mask is in one colour, so its alpha is taken as the mask"
        return alpha[:, :, None], None, notices if same else (*notices, line)
    hidden = int(np.count_nonzero(~seen & (values != 0).any(axis=2)))
    line = f"{hidden} pixels of the mask are transparent, and are outside whatever their colour"
    there = seen[:, :, None] if finite is None else finite & seen[:, :, None]
    return values, there, (*notices, line) if hidden else notices


def _numbers(values: NDArray[Any]) -> Mask:
    return np.isfinite(values) if values.dtype.kind == "f" else np.ones((1, 1, 1), np.bool_)


def _largest(values: NDArray[Any]) -> float:
    """The largest value that is a number; 0 if there is none."""
    finite = values[np.isfinite(values)] if values.dtype.kind == "f" else values
    return float(finite.max(initial=0))


def _between(values: NDArray[Any], top: float) -> int:
    """How many pixels have a largest value that is above 0 and below the largest of all."""
    brightest = values.max(axis=2) if values.shape[2] > 1 else values[:, :, 0]
    return int(np.count_nonzero((brightest > 0) & (brightest < top)))


def _is_whole(values: NDArray[Any]) -> bool:
    """Whether all values are whole numbers."""
    return values.dtype.kind in "ui" or bool(np.all(values == np.rint(values)))
