"""What a neighbourhood looks like, whatever its brightness: activity, fineness, sparseness.

A pixel of grass has no grass in it; its neighbourhood has. Three numbers are averaged over a window, each chosen so
that within one texture it is nearly Gaussian, which is what a mixture model hopes for:

activity
    mean log gradient energy of the image as it is and smoothed by 1 and 2 pixels. The logarithm turns the heavy-tailed,
    multiplicative energies of natural textures into nearly symmetric ones, and its mean over a window obeys the central
    limit theorem; the log of a mean would be ruled by the few strongest edges.
fineness
    the same of the image as it is less that at 2 pixels, where grass differs from gravel. A ratio: contrast cancels.
sparseness
    log standard deviation less activity, high where few strong edges carry the contrast (the joints of a brick wall).
    Contrast cancels here too.

All three ignore an added brightness and turn with the image: energies are traces of the structure tensor, which no
rotation changes. Windows this wide blur the border between two textures, and a mixture would give the blur a class of
its own; so each pixel takes the most uniform of the windows around it (Kuwahara), which lies on its own side.

Sources: structure tensor: Bigün & Granlund (1987); log-energy and local-moment textures: Unser, IEEE TIP 4 (1995);
window choice: Kuwahara et al. (1976), Papari et al., IEEE TIP 16 (2007); missing pixels: normalised convolution,
Knutsson & Westin (1993).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

MEASURES = ("activity", "fineness", "sparseness")
_SCALES = (0, 1, 2)
_WINDOW = 12  # standard deviation in pixels: a few grains of the coarsest texture that is to count as one
_STRIP, _HALO = 512, 7 * _WINDOW  # rows at a time, and how far a pixel sees at most: large images need little memory
_FLOOR = 0.02  # gradients below this fraction of the image's standard deviation are noise


def texture(image: Floats, valid: Mask | None = None) -> Floats:
    """Measure texture at every pixel.

    Parameters
    ----------
    image : ndarray, shape (H, W)
        Luminance on any scale.
    valid : ndarray of bool, shape (H, W), optional
        False where there is no data; such pixels influence nothing.

    Returns
    -------
    ndarray, shape (3, H, W)
        The `MEASURES`, in natural-logarithm units; meaningless where not valid.
    """
    known = image if valid is None else image[valid]
    centred = image - known.mean()
    floor = (_FLOOR * known.std()) ** 2 or 1.0
    out = np.empty((len(MEASURES), *image.shape))
    for top in range(0, len(image), _STRIP):
        start, stop = max(top - _HALO, 0), top + _STRIP
        rows = slice(start, stop + _HALO)
        strip = _measure(centred[rows], None if valid is None else valid[rows], floor)
        out[:, top:stop] = strip[:, top - start : stop - start]
    return out


def _measure(centred: Floats, valid: Mask | None, floor: float) -> Floats:
    """The measures of an image of mean 0, shape (3, H, W)."""
    smooth = _Smoother(centred.shape, valid)
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


class _Smoother:
    """Weighted mean over a Gaussian window that leaves missing pixels out."""

    def __init__(self, shape: tuple[int, ...], valid: Mask | None) -> None:
        self._valid = valid
        self._shares: dict[float, Floats] = {}

    def __call__(self, plane: Floats, scale: float) -> Floats:
        """`plane` (H, W) smoothed with standard deviation `scale`; missing pixels become what lies around them."""
        if self._valid is None:
            return _blur(plane, scale)
        if scale not in self._shares:
            self._shares[scale] = np.maximum(_blur(self._valid.astype(np.float64), scale), 1e-9)
        smooth: Floats = _blur(np.where(self._valid, plane, 0.0), scale) / self._shares[scale]
        return smooth


def _blur(plane: Floats, scale: float) -> Floats:
    """Gaussian, or where it is wide three boxes of the same variance, whose cost does not grow with the width."""
    from scipy import ndimage

    if scale == 0:
        return plane
    if scale <= 4:
        return np.asarray(ndimage.gaussian_filter(plane, scale, truncate=3))
    width = 2 * round((np.sqrt(4 * scale**2 + 1) - 1) / 2) + 1
    for _ in range(3):
        plane = ndimage.uniform_filter(plane, width)
    return plane


def _gradient(plane: Floats) -> tuple[Floats, Floats]:
    """Central differences along y and x; the image continues as its mirror image."""
    around = np.pad(plane, 1, mode="symmetric")
    return (around[2:, 1:-1] - around[:-2, 1:-1]) / 2, (around[1:-1, 2:] - around[1:-1, :-2]) / 2


def _most_uniform(measures: Floats, smooth: _Smoother, valid: Mask | None) -> Floats:
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
