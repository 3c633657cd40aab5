"""Every channel as stored."""

from __future__ import annotations

from emseg.features.feature import Pointwise, as_stored

FEATURE = Pointwise(names=(), units="stored values", transform=as_stored, by_channel=True)
