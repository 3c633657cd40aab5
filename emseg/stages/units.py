"""Mixtures in the features' own units, and in the standardised ones that are fitted."""

from __future__ import annotations

import numpy as np

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
    """A mixture in the features' own units, as one of the standardised features, or of the space that they span."""
    moved = mixture.affine(-features.shift / features.scale, 1 / features.scale)
    if features.span is None:
        return moved
    return moved.collapsed(features.pivots, features.span.triangle, _log_volume(features))


def _log_volume(features: Features) -> float:
    """Logarithm of the Jacobian of all features, less that of the pivots by their coordinates."""
    return float(np.log(features.scale).sum() + features.log_jacobian.sum())
