"""Mixtures in the features' own units, and in the standardised ones that are fitted."""

from __future__ import annotations

from emseg.features.model import Features
from emseg.mixture.mixture import Mixture


def in_own_units(mixture: Mixture, features: Features) -> Mixture:
    """A mixture of standardised features x, as one of ``shift + scale * x``."""
    return mixture.affine(features.shift, features.scale)


def standardised(mixture: Mixture, features: Features) -> Mixture:
    """A mixture in the features' own units, as one of the standardised features."""
    return mixture.affine(-features.shift / features.scale, 1 / features.scale)
