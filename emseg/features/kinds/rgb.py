"""The three channels of a colour image as stored."""

from __future__ import annotations

from emseg.features.feature import Stored


class Rgb(Stored):
    """Red, green and blue."""

    names = ("R", "G", "B")


FEATURE = Rgb()
