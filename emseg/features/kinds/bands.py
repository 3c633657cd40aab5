"""Every channel as stored."""

from __future__ import annotations

from emseg.features.feature import Stored


class Bands(Stored):
    """Numbered channels."""

    names = ()


FEATURE = Bands()
