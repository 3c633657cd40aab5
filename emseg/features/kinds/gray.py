"""Brightness: the grey value, or the luma of a colour."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from emseg.features.feature import Floats, Pointwise, as_stored

_LUMA = np.array([0.2125, 0.7154, 0.0721])  # ITU-R BT.709, rounded as scikit-image has it


def gray(values: NDArray[Any]) -> Floats:
    """Grey value as stored, or the ITU-R BT.709 luma of three channels on the stored scale, shape (1, …)."""
    stored = as_stored(values)
    return stored if len(stored) == 1 else np.tensordot(_LUMA[None], stored, 1)


class Gray(Pointwise):
    """Brightness."""

    names = ("gray",)
    units = "stored values"
    moves = True

    def transform(self, stored: NDArray[Any]) -> Floats:
        """See `Pointwise.transform`."""
        return gray(stored)


FEATURE = Gray()
