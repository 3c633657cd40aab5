"""The three channels of a colour image as stored."""

from __future__ import annotations

from emseg.features.feature import Pointwise, as_stored

FEATURE = Pointwise(names=("R", "G", "B"), units="stored values", transform=as_stored, by_channel=True)
