"""`Support`: which values have a density."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from emseg.records import NamedRecord


class Support(NamedRecord):
    """Values of one dimension that have a density, and what to say of others.

    Attributes
    ----------
    values : str
        The values that have a density: ``"numbers above 0"``.
    outside_is : str
        What a value without a density is, to complete "a feature is …": ``"not above 0"``.
    least : float
        Smallest value; -∞ for none.
    above : bool
        Whether values must lie above `least`, not at it.
    unit : str
        The unit that values must have: ``"radians"``; empty for any.
    whole : bool
        Whether densities are probabilities of whole numbers.
    """

    values: str
    outside_is: str = ""
    least: float = -np.inf
    above: bool = False
    unit: str = ""
    whole: bool = False

    def outside(self, x: NDArray[np.floating[Any]]) -> NDArray[np.bool_]:
        """Where samples have no density; NaN, which was not observed, is nowhere outside."""
        return np.asarray(x <= self.least if self.above else x < self.least, np.bool_)


ANY_NUMBER = Support("any number")
COUNTS = Support("numbers of 0 or more", "below 0", 0.0, whole=True)
POSITIVE = Support("numbers above 0", "not above 0", 0.0, above=True)
ANGLE = Support("radians", unit="radians")
