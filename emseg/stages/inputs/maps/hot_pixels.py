"""Hot pixels: a few single pixels far from all others, which are no class.

A dead or hot pixel of a sensor, a cosmic ray, a grain of salt on a drawing: by likelihood alone, such pixels get a
class that was asked for, or make one so broad that it takes pixels of others. A class needs more evidence than a few
single pixels. Small objects are not single pixels: theirs touch each other.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from emseg.errors import option
from emseg.features.model import Features
from emseg.mixture.mixture import Mixture
from emseg.stages.inputs.maps.pixel_weights import counting
from emseg.stages.start import FAR, MOST

SINGLE = 0.8  # share of the far pixels of which at most one of the eight around is far, too


def without_hot(features: Features, counted: Features, mixture: Mixture) -> tuple[Features, tuple[str, ...]]:
    """Features that count no hot pixels, and a line that says so; as they are if there are none.

    Parameters
    ----------
    features : Features
        Of all pixels.
    counted : Features
        Of those that are to be fitted.
    mixture : Mixture
        Of Gaussians, fitted to these.
    """
    share = np.bincount(mixture.log_joint(features.x).argmax(0), counted.weight, mixture.k) / counted.n_pixels
    large = np.flatnonzero(share >= MOST)
    if not large.size:
        return counted, ()
    far = (_squared_distances(features.x, mixture, large).min(0) > FAR**2) & (counted.weight > 0)
    if not far.any() or counted.weight[far].sum() > MOST * counted.n_pixels:
        return counted, ()
    hot = _single(features.on_grid(far))
    if hot is None:
        return counted, ()
    rest = replace(counted, weight=np.maximum(counted.weight - counting(features, hot).weight, 0))
    count = int(np.count_nonzero(hot))
    pixels, them = ("1 single pixel is", "it") if count == 1 else (f"{count} single pixels are", "them")
    line = f"{pixels} far from all others, and left out of the fit"
    return rest, (f"{line}; {option('stray', 'fit')} counts {them}",)


def _squared_distances(x: NDArray[np.float64], mixture: Mixture, classes: NDArray[np.intp]) -> NDArray[np.float64]:
    """Of samples (D, N) from some of the classes, in standard deviations of these; shape (len(classes), N)."""
    found = []
    for k in classes:
        centred = x - mixture.components.means[k][:, None]
        found.append(np.einsum("dn,dn->n", centred, np.linalg.solve(mixture.components.covariances[k], centred)))
    return np.stack(found)


def _single(far: NDArray[np.bool_]) -> NDArray[np.bool_] | None:
    """The pixels (H, W) of which at most one neighbour is far, too; None unless most are such ones."""
    from scipy.ndimage import convolve

    around = convolve(far.astype(np.uint8), np.ones((3, 3), np.uint8), mode="constant") - 1
    single: NDArray[np.bool_] = far & (around <= 1)
    return single if np.count_nonzero(single) >= SINGLE * np.count_nonzero(far) else None
