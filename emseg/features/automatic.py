"""What the option `features` finds by itself: whether brightness tells parts of an image apart, or only texture does.

A feature that tells parts of an image apart is alike within each part, and so at distances within a part. ρ(h) is the
correlation of a feature between pixels h apart (Moran, Biometrika 37 (1950)). It can be compared across features,
whatever their units and distributions. Brightness is correlated at a distance of two windows of texture. Texture is
correlated at four, where windows no longer overlap, so that likeness by smoothing does not count. Photographs, cells
and maps are above the limit of brightness. Noise is below the limit of texture. Mosaics of textures of equal brightness
are neither, and get texture.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emseg.features.kinds.gray import gray
from emseg.image.model import Image

Array = NDArray[np.float64]
NEAR, FAR = 24, 48  # pixels: two and four windows of texture
# ρ of brightness that still leaves the choice open, and ρ of texture that decides it. Three mosaics of textures have
# 0.07 to 0.14 and 0.43 to 0.51; photographs 0.45 and more of brightness; pictures of nuclei, which have 0.00 to 0.49 of
# brightness, have 0.29 of texture at most where brightness is below 0.3. On these, all limits from 0.14 to 0.3 and from
# 0.3 to 0.43 choose the same.
NOTHING, MUCH = 0.15, 0.4
LINES = 128  # along each axis, on which brightness is correlated: a sample that costs little
LARGE = 1 << 20  # pixels; a window is then a hundredth of the width, too small to be a part of such an image


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
    from emseg.features.kinds.texture import texture  # most images do without

    planes = texture(gray(np.moveaxis(photo.pixels, -1, 0))[0])
    scores["texture"] = float(np.mean([correlation(lines, FAR) for plane in planes for lines in (plane, plane.T)]))
    return ("texture" if scores["texture"] >= MUCH else "auto"), scores


def correlation(lines: Array, h: int) -> float:
    """ρ(h) along lines (L, n); 1 where all values are equal."""
    centred = lines - lines.mean()
    variance = float((centred**2).mean())
    return float((centred[:, h:] * centred[:, :-h]).mean()) / variance if variance > 0 else 1.0
