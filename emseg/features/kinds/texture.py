"""What a neighbourhood looks like, whatever its brightness: activity, fineness, sparseness.

A pixel alone has no texture; its neighbourhood has. Three numbers are averaged over a window. Each is chosen so that it
is nearly Gaussian within one texture, as a mixture model supposes:

activity
    mean log gradient energy of the image as it is and smoothed by 1 and 2 pixels. Energies of natural textures are
    multiplicative and have heavy tails; their logarithms are nearly symmetric. The mean of logarithms over a window
    obeys the central limit theorem, whereas the few strongest edges would rule the logarithm of a mean.
fineness
    log gradient energy of the image as it is, less that of the image smoothed by 2 pixels. Grass differs from gravel in
    it. It is the logarithm of a ratio, so contrast cancels.
sparseness
    log standard deviation less activity. It is high where few strong edges carry the contrast, as the joints of a brick
    wall do. Contrast cancels here too.

All three ignore an added brightness. They turn with the image, because energies are traces of the structure tensor,
which no rotation changes. Windows this wide blur the border between two textures, and a mixture would give the blur a
class of its own. So each pixel takes the most uniform of the windows around it (Kuwahara), which lies on its own side.

Sources: structure tensor: Bigün & Granlund (1987); log-energy and local-moment textures: Unser, IEEE TIP 4 (1995);
window choice: Kuwahara et al. (1976), Papari et al., IEEE TIP 16 (2007); missing pixels: normalised convolution,
Knutsson & Westin (1993).
"""

from __future__ import annotations

import numpy as np

from emseg.errors import DataError
from emseg.features.feature import Feature, Floats, Pixels, require_squares
from emseg.features.kinds.gray import gray
from emseg.features.pixel_index import Mask
from emseg.image.model import Image
from emseg.image.windows import windows
from emseg.numerics.masked_blur import MaskedBlur
from emseg.records import record

MEASURES = ("activity", "fineness", "sparseness")
_SCALES = (0, 1, 2)  # standard deviations in pixels
BOXES = 4.0  # pixels; from this width on three boxes stand for a Gaussian, at a cost that does not grow with it
# Standard deviation in pixels: a few grains of the coarsest texture that is to count as one. Of three mosaics of
# textures 2.6 to 3.8 % of the pixels are nearest to a wrong class; with 10 or 14, 2.6 to 5.0 %; with 8 or 18, to 6.2 %.
_WINDOW = 12
#: Pixels that a measure sees at most along an axis: three blurs of standard deviation 2, cut at 3 of them, and a
#: gradient (19); three boxes of half width 12 (36); the blur that finds the most uniform window, a window away (21).
HALO = 76
_STRIP = 512  # rows at a time, so that large images need little memory
# Gradients below this fraction of the image's standard deviation are noise. The errors above stay within 0.4 % for
# fractions from 0.005 to 0.08.
_FLOOR = 0.02


@record(frozen=True)
class Brightness:
    """What an image has in common everywhere: its mean, and the energy below which a gradient is noise."""

    mean: float
    floor: float

    @classmethod
    def of(cls, image: Floats, valid: Mask | None = None) -> Brightness:
        """That of an image (H, W), where it is valid."""
        known = image if valid is None else image[valid]
        return cls(float(known.mean()), float((_FLOOR * known.std()) ** 2) or 1.0)


def texture(image: Floats, valid: Mask | None = None, brightness: Brightness | None = None) -> Floats:
    """Measure texture at every pixel.

    Parameters
    ----------
    image : ndarray, shape (H, W)
        Luminance on any scale.
    valid : ndarray of bool, shape (H, W), optional
        False where there is no data; such pixels influence nothing.
    brightness : Brightness, optional
        That of the whole image, if this is a window of it.

    Returns
    -------
    ndarray, shape (3, H, W)
        The `MEASURES`, in natural-logarithm units; meaningless where not valid.
    """
    common = brightness or Brightness.of(image, valid)
    out = np.empty((len(MEASURES), *image.shape))
    for window in windows(image.shape, (_STRIP, image.shape[1]), HALO):
        part = _measure(image[window.read] - common.mean, None if valid is None else valid[window.read], common.floor)
        out[:, *window.interior] = part[:, *window.inside]
    return out


class Texture(Feature):
    """Texture of the luma, or of the mean of the bands."""

    names = MEASURES
    units = "nats"
    halo = HALO
    own_scales = True

    def measure(self, pixels: Pixels) -> Floats:
        """See `Feature.measure`."""
        image, valid = pixels.image, pixels.valid
        luminance = luminance_of(image)
        whole = None if valid is None else valid.reshape(image.shape)
        if image.known is not None:
            known = np.asarray(image.known.all(axis=2))
            whole = known if whole is None else np.logical_and(whole, known)
            if not np.any(whole):
                raise DataError(f"{image.name}: texture needs all channels, and no pixel has them; leave it out")
            luminance = np.where(whole, luminance, 0)
        require_squares(luminance if whole is None else luminance[whole], image.name)
        planes = texture(luminance, whole).reshape(len(MEASURES), -1)
        if image.known is not None and whole is not None:
            planes[:, ~whole.ravel()] = np.nan
        return planes if valid is None else planes[:, valid]


def luminance_of(image: Image) -> Floats:
    """The luma of an image, or the mean of its bands, shape (H, W)."""
    stored = np.moveaxis(image.pixels, -1, 0)
    with np.errstate(over="ignore", invalid="ignore"):  # where there is no data; else it is refused for its squares
        return np.asarray(stored.mean(axis=0, dtype=np.float64) if image.colour == "bands" else gray(stored)[0])


FEATURE = Texture()


def _measure(centred: Floats, valid: Mask | None, floor: float) -> Floats:
    """The measures of an image of mean 0, shape (3, H, W)."""
    smooth = MaskedBlur(valid, boxes_from=BOXES)
    if valid is not None:
        centred = np.where(valid, centred, smooth(centred, 2))  # no steps at the rims of holes
    energy = []
    for scale in _SCALES:
        dy, dx = _gradient(smooth(centred, scale))
        energy.append(0.5 * np.log(smooth(dx * dx + dy * dy, max(scale, 1)) * max(scale, 1) ** 2 + floor))
    activity = smooth(np.mean(energy, axis=0), _WINDOW)
    fineness = smooth(energy[0] - energy[-1], _WINDOW)
    variance = smooth(centred * centred, _WINDOW) - smooth(centred, _WINDOW) ** 2
    sparseness = 0.5 * np.log(np.maximum(variance, 0) + floor) - activity
    return _most_uniform(np.stack([activity, fineness, sparseness]), smooth, valid)


def _gradient(plane: Floats) -> tuple[Floats, Floats]:
    """Central differences along y and x; the image continues as its mirror image."""
    around = np.pad(plane, 1, mode="symmetric")
    return (around[2:, 1:-1] - around[:-2, 1:-1]) / 2, (around[1:-1, 2:] - around[1:-1, :-2]) / 2


def _most_uniform(measures: Floats, smooth: MaskedBlur, valid: Mask | None) -> Floats:
    """Replace each pixel's measures by those at the most uniform of 17 places up to a window away."""
    unrest: Floats = sum(
        (smooth(plane * plane, _WINDOW / 4) - smooth(plane, _WINDOW / 4) ** 2 for plane in measures),
        start=np.zeros(measures.shape[1:]),
    )
    if valid is not None:
        unrest[~valid] = np.inf
    height, width = measures.shape[1:]
    padded = np.pad(unrest, _WINDOW, constant_values=np.inf)
    offset = np.zeros(unrest.shape, np.intp)
    for radius in (_WINDOW / 2, _WINDOW):
        for angle in np.arange(8) * np.pi / 4:
            dy, dx = round(radius * np.sin(angle)), round(radius * np.cos(angle))
            there = padded[_WINDOW + dy : _WINDOW + dy + height, _WINDOW + dx : _WINDOW + dx + width]
            better = there < unrest
            np.copyto(unrest, there, where=better)
            offset[better] = dy * width + dx
    place = np.arange(unrest.size) + offset.ravel()
    return measures.reshape(len(measures), -1)[:, place].reshape(measures.shape)
