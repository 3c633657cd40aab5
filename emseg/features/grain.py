"""Grain: what is not known of features because the stored values were rounded.

An integer v stands for all of v - ½ to v + ½: a variance of 1/12, or s²/12 for values in steps of s. It is carried to
the features through their derivatives, and is the least covariance of a component. JPEG rounds more: a block of 8 × 8
pixels is stored as coefficients of cosines, each in steps that the file tells.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emseg.features.pixel_index import Samples
from emseg.features.span import generalised
from emseg.image.model import Image

Floats = NDArray[np.float64]
STEP = 1 / 12  # variance of what a step of 1 leaves open: uniform on an interval of that length
SEEN, SEEN_FLOATS = 4096, 65536  # samples whose values show the step between stored values
LEVELS = 32  # values of a channel from which on their least difference is a step, and not that of a few flat colours
ALIKE = 1e-6  # difference of floats, over their range, below which they are one value and its rounding
#: Variance of a feature relative to its group's, below which components of values without a step do not shrink. Values
#: on a grid of 256 levels that they use well have 1e-5.
STEPLESS = 1e-6
#: Directions in which the whole image spreads so many times less than in its widest, in variance, tell no classes
#: apart where they spread by a few steps alone: a grey picture with some tint, as JPEG leaves it. A component is there
#: no narrower than `FAINT` times rounding, or less in directions in which the image spreads by more than that. Grey
#: pictures of which 0.05 to 100 % were up to five steps off grey came out alike for 12, 24 and 48.
NARROW, FAINT = 1e-3, 24.0
#: sRGB of Y, Cb and Cr (JFIF 1.02).
_RGB = np.array([[1, 0, 1.402], [1, -0.344136, -0.714136], [1, 1.772, 0]])


def stored_covariance(image: Image, samples: Samples) -> tuple[Floats, bool]:
    """Covariance (C, C) that rounding leaves of the stored values, and whether any channel has a step.

    Parameters
    ----------
    image : Image
    samples : Samples
        Its values.
    """
    given = image.metadata.get("steps")  # of an image that was computed from another one
    if given is None:
        known = samples.known
        steps = [_step(row, None if known is None else known[c]) for c, row in enumerate(samples.values)]
    else:
        steps = [(float(step), True) for step in given]
    covariance = np.diag([STEP * step**2 for step, _ in steps])
    blocks = quantised(image.metadata.get("quantisation", {}))
    if blocks is not None and len(steps) in (1, 3):
        light, colour = blocks
        covariance += [[light]] if len(steps) == 1 else _RGB @ np.diag([light, colour, colour]) @ _RGB.T
    return covariance, any(lattice for _, lattice in steps)


def _step(values: NDArray[Any], known: NDArray[np.bool_] | None) -> tuple[float, bool]:
    """Least difference of the values of a channel, and whether they are on a grid at all."""
    values = values if known is None else values[known]
    floats = values.dtype.kind == "f"
    if values.size == 0:
        return 1.0, not floats
    some = values[:: -(-values.size // (SEEN_FLOATS if floats else SEEN))]
    ordered = np.sort(some).astype(np.float64)
    distinct = ordered[np.append(True, ordered[1:] != ordered[:-1])]
    if floats:
        return _step_of_floats(distinct, some)
    least = float(np.diff(distinct).min()) if distinct.size >= LEVELS else 1.0
    return least, True


def _step_of_floats(distinct: Floats, some: NDArray[Any]) -> tuple[float, bool]:
    gaps = np.diff(distinct)
    gaps = gaps[gaps > ALIKE * (distinct[-1] - distinct[0])]
    eps = float(np.finfo(some.dtype).eps) * float(np.abs(distinct[[0, -1]]).max())
    if not LEVELS <= gaps.size + 1 <= some.size / 2:
        return eps, False
    return max(float(gaps.min()), eps), True


def quantised(tables: Mapping[int, Any]) -> tuple[float, float] | None:
    """Variances of Y and of Cb and Cr that the quantisation tables of a JPEG file leave; None without tables.

    Of coefficients of which half a period or more fits into a block, those alone count that even a flat or smooth
    block has: the mean, and frequencies of up to two half periods. A coefficient in steps of q is off by q²/12, and a
    pixel by the 64th part of their sum.
    """
    found = []
    for name in (0, 1 if 1 in tables else 0):
        table = np.asarray(tables.get(name, ()), np.float64)
        if table.size != 64:
            return None
        found.append(STEP * float((table.reshape(8, 8)[_SMOOTH] ** 2).sum()) / 64)
    return found[0], found[1]


_SMOOTH = np.add.outer(np.arange(8), np.arange(8)) <= 2


def widened(grain: Floats, covariance: Floats) -> Floats:
    """The grain (D, D), more in directions in which samples of a covariance (D, D) hardly spread; see `FAINT`."""
    spread, directions = generalised(covariance, grain)
    faint = np.minimum(FAINT, FAINT**2 / np.maximum(spread, 1e-300))
    factor = np.maximum(1.0, np.minimum(faint, NARROW * spread[-1]))
    if (factor == 1).all():
        return grain
    sides = grain @ directions
    wide: Floats = (sides * factor) @ sides.T
    return 0.5 * (wide + wide.T)
