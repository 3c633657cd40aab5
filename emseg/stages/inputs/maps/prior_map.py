"""Prior maps: how probable each class is at each pixel before its values are seen, as an atlas gives it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from emseg.errors import ImageError, option

#: Smallest probability of a class at a pixel: an atlas never denies one, since it counts finitely many cases. Chosen by
#: hand.
LEAST_PROBABILITY = 1e-4


def silent_pixels(pages: NDArray[Any], valid: NDArray[np.bool_] | None) -> tuple[str, ...]:
    """A line if weights (K, H, W) say nothing of some pixels with data (H, W), or of all."""
    silent = ~pages.any(axis=0)
    count = int(np.count_nonzero(silent if valid is None else silent & valid))
    if count == 0:
        return ()
    every = count == (silent.size if valid is None else int(np.count_nonzero(valid)))
    if every:
        return (f"the prior map is 0 everywhere, and so says nothing of the classes; leave out {option('prior_map')}",)
    pixels = "1 pixel" if count == 1 else f"{count} pixels"
    return (f"{option('prior_map')} is 0 for all classes in {pixels}, where it says nothing of them",)


def log_probabilities(pages: NDArray[Any], name: str) -> NDArray[np.float32]:
    """Log-probabilities (K, H, W) from weights (K, H, W), scaled to sum to 1 at each pixel.

    Where all weights of a pixel are 0, its classes are equally probable. No class is less probable than
    `LEAST_PROBABILITY`.

    Parameters
    ----------
    pages : ndarray, shape (K, H, W)
    name : str
        What messages call them.

    Raises
    ------
    ImageError
        If a weight is below 0, infinite or no number.
    """
    weights = pages.astype(np.float32)
    if not (np.isfinite(weights).all() and weights.min() >= 0):
        raise ImageError(f"{name}: a prior holds values below 0, or none; give probabilities, or weights of 0 and more")
    total = weights.sum(0)
    equal = np.float32(1 / len(weights))
    shares = np.where(total > 0, weights / np.maximum(total, np.finfo(np.float32).tiny), equal)
    return np.asarray(np.log(np.maximum(shares, LEAST_PROBABILITY)), np.float32)
