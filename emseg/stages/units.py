"""Mixtures in the features' own units, and in the standardised ones that are fitted."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emseg.errors import DataError
from emseg.features.feature import LARGEST, SMALLEST
from emseg.features.model import Features
from emseg.mixture.mixture import Mixture


def in_own_units(mixture: Mixture, features: Features) -> Mixture:
    """A mixture of standardised features x, as one of ``shift + scale * x``.

    Where features depend on each other, it is of all of them, and its covariances are singular.
    """
    if features.span is not None:
        mixture = mixture.spread(features.span.basis, _log_volume(features))
    return mixture.affine(features.shift, features.scale)


def standardised(mixture: Mixture, features: Features) -> Mixture:
    """A mixture in the features' own units, as one of the standardised features, or of the space that they span.

    Raises
    ------
    DataError
        If squared distances in its standard deviations leave the range of numbers.
    """
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        moved = mixture.affine(-features.shift / features.scale, 1 / features.scale)
        if not _comparable(moved, np.arange(moved.d) if features.span is None else features.pivots):
            raise DataError(
                "the model's numbers are too large or too small beside those of the image; give an image like those "
                "the model was fitted to"
            )
    if features.span is None:
        return moved
    return moved.collapsed(features.pivots, features.span.triangle, _log_volume(features))


def _comparable(mixture: Mixture, independent: NDArray[np.intp]) -> bool:
    """Whether squares of means, and of distances from them in standard deviations, are numbers, of some features."""
    parts = mixture.components
    means = np.abs(parts.means[..., independent])
    if not parts.matrix_part:
        return bool((means < LARGEST).all())
    deviations = np.sqrt(np.einsum("...ii->...i", getattr(parts, parts.matrix_part))[..., independent])
    if not (np.isfinite(means).all() and np.isfinite(deviations).all()):
        return False
    far = means.max(-1) / np.maximum(deviations.min(-1), SMALLEST)
    within = (deviations > SMALLEST) & (deviations < LARGEST) & (means < LARGEST)
    return bool(within.all() and (far < LARGEST).all())


def _log_volume(features: Features) -> float:
    """Logarithm of the Jacobian of all features, less that of the pivots by their coordinates."""
    return float(np.log(features.scale).sum() + features.log_jacobian.sum())
