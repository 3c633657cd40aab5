"""What the option `features` finds by itself: colours or bands, and whether only texture tells parts of an image apart.

Three channels are colours if it is known which stored value is the brightest. Otherwise they are bands.

A feature that tells parts of an image apart is alike within each part, and so at distances within a part. ρ(h) is the
correlation of a feature between pixels h apart (Moran, Biometrika 37 (1950)). It can be compared across features,
whatever their units and distributions. Brightness is correlated at a distance of two windows of texture. Texture is
correlated at four, where windows no longer overlap, so that likeness by smoothing does not count. Photographs, cells
and maps are above the limit of brightness. Noise is below the limit of texture. Mosaics of textures of equal brightness
are neither, and get texture.

Text on paper is correlated over short distances only, and yet its grey values tell ink from paper: their histogram has
two modes with a valley between them. Such an image never gets texture.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emseg.errors import option
from emseg.features.feature import has_unit_scale
from emseg.features.kinds.gray import gray
from emseg.features.registry import FEATURES
from emseg.features.specification import parse_spec
from emseg.image.model import ASSUMED, Image
from emseg.records import replace

Array = NDArray[np.float64]
NEAR, FAR = 24, 48  # pixels: two and four windows of texture
# ρ of brightness that still leaves the choice open, and ρ of texture that decides it. Three mosaics of textures have
# 0.07 to 0.14 and 0.43 to 0.51; photographs 0.45 and more of brightness; pictures of nuclei, which have 0.00 to 0.49 of
# brightness, have 0.29 of texture at most where brightness is below 0.3. On these, all limits from 0.14 to 0.3 and from
# 0.3 to 0.43 choose the same.
NOTHING, MUCH = 0.15, 0.4
LINES = 128  # along each axis, on which brightness is correlated: a sample that costs little
LARGE = 1 << 20  # pixels; a window is then a hundredth of the width, too small to be a part of such an image
# The least density between two modes, relative to the lower one, below which they are clear. Pages of text have .00 to
# .58 with noise of up to a third of the contrast; Gaussian noise and the three mosaics of textures have .82 to 1.
CLEAR = 0.7
LEAST_MODE = 0.02  # share of the pixels on either side of the valley; ink covered 11 to 15 % of the pages measured
BINS = 64  # of the histogram; modes nearer than a twentieth of the range are one
BURNT = 0.1  # share of the pixels up to which those at both ends of the range are no mode, but cut tails


def colours_or_bands(photo: Image) -> Image:
    """The image; as bands, with a notice, if three channels cannot be colours: signed, wide, or floats beyond 0…1.

    Arrays do not say what their channels are. Three of 8 bits are a picture, as everywhere. Three of 16 bits or floats
    may be bands as well, so a notice says how they are taken.
    """
    known = photo.pixels if photo.valid is None else photo.pixels[photo.valid]
    if photo.colour != "rgb" or not known.size:
        return photo
    if has_unit_scale(known):
        if ASSUMED not in photo.metadata or photo.pixels.dtype == np.uint8:
            return photo
        line = f"three channels of {photo.pixels.dtype} are taken as red, green and blue"
        return photo.with_notices(f"{line}; {option('features', 'bands')} takes them as bands")
    line = f"three channels of {photo.pixels.dtype} whose white is unknown are taken as bands, not as colours"
    return replace(photo, colour="bands", packed=None).with_notices(f"{line}; {option('features', 'bands')} says so")


def colours_if_wanted(photo: Image, spec: str) -> Image:
    """The image; three bands are red, green and blue if a feature that somebody names is of colours alone."""
    names = (name for name in parse_spec(spec) if name in FEATURES)
    if photo.colour != "bands" or all("bands" in FEATURES[name].colours for name in names):
        return photo
    return replace(photo, colour="rgb")


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
        ρ by feature and the valley of the grey values, as far as they were needed.
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
    scores["valley"] = valley(rows)
    if scores["valley"] < CLEAR:
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


def valley(values: Array) -> float:
    """Depth of the deepest valley of a histogram: its density over that of the lower of the modes beside it.

    0 is a gap between two modes, 1 is a single mode. LEAST_MODE of the values lie on either side of the valley.
    """
    within = values[(values > values.min()) & (values < values.max())]
    values = within if within.size > (1 - BURNT) * values.size else values
    low, high = np.quantile(values, (0.001, 0.999))
    levels = np.unique(values[(values >= low) & (values <= high)])
    if levels.size < 3:
        return 1.0 if levels.size == 1 else 0.0
    step = float(np.diff(levels).min())
    bins = int(min(BINS, max(2, round((high - low) / step) + 1)))  # no finer than the levels: no gaps between these
    edges = (low - step / 2, high + step / 2)
    count = np.histogram(values, bins, edges)[0]
    density = np.convolve(count, (1, 4, 6, 4, 1), "same") if bins == BINS else count  # binomial: about a Gaussian
    before, after = np.maximum.accumulate(density), np.maximum.accumulate(density[::-1])[::-1]
    share = np.cumsum(count) / count.sum()
    between = (share >= LEAST_MODE) & (share - count / count.sum() <= 1 - LEAST_MODE)
    depth = density[between] / np.minimum(before, after)[between]
    return float(depth.min()) if depth.size else 1.0
