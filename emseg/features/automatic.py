"""What the option `features` finds by itself: whether brightness tells parts of an image apart, or only texture does.

What tells parts apart is alike within each of them, and so at distances within them. ρ(h), the correlation of a feature
between pixels h apart (Moran, Biometrika 37 (1950)), can be compared across features, whatever their units and however
their distributions look. Of brightness it is measured two windows of texture apart; of texture four, where windows no
longer overlap, so that what smoothing makes alike does not count. Photographs, cells and maps are above the limit of
brightness, or like noise below that of texture; mosaics of textures of equal brightness are neither.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emseg.features.kinds.gray import gray
from emseg.features.kinds.texture import texture
from emseg.image.model import Image

Array = NDArray[np.float64]
NEAR, FAR = 24, 48  # pixels: two and four windows of texture
NOTHING, MUCH = 0.15, 0.4  # ρ of brightness that still leaves the choice open, and of texture that decides it
LINES = 128  # along each axis, in which brightness is looked at
LARGE = 1 << 20  # pixels of an image in which a window is but a grain


def chosen(photo: Image, mask: NDArray[np.bool_] | None) -> tuple[str, dict[str, float]]:
    """The feature that `auto` is, and the correlations that decided it.

    Parameters
    ----------
    photo : Image
    mask : ndarray of bool, shape (H, W), optional

    Returns
    -------
    spec : str
        ``"texture"``, or ``"auto"``: the values themselves.
    scores : dict of str to float
        ρ by feature, as far as it was needed.
    """
    whole = mask is None and photo.valid is None and photo.known is None
    if not whole or photo.colour == "bands" or "volume" in photo.metadata:
        return "auto", {}
    height, width = photo.shape
    if min(height, width) < 4 * FAR or height * width > LARGE:
        return "auto", {}
    rows = gray(np.moveaxis(photo.pixels[:: max(1, height // LINES)], -1, 0))[0]
    columns = gray(np.moveaxis(photo.pixels[:, :: max(1, width // LINES)], -1, 0))[0].T
    own = float(np.mean([correlation(rows, NEAR), correlation(columns, NEAR)]))
    scores = {"gray": own}
    if own > NOTHING:
        return "auto", scores
    planes = texture(gray(np.moveaxis(photo.pixels, -1, 0))[0])
    scores["texture"] = float(np.mean([correlation(lines, FAR) for plane in planes for lines in (plane, plane.T)]))
    return ("texture" if scores["texture"] >= MUCH else "auto"), scores


def correlation(lines: Array, h: int) -> float:
    """ρ(h) along lines (L, n); 1 where all values are equal."""
    centred = lines - lines.mean()
    variance = float((centred**2).mean())
    return float((centred[:, h:] * centred[:, :-h]).mean()) / variance if variance > 0 else 1.0
