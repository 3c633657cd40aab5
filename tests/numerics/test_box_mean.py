"""Means of squares, against scipy's filter."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import uniform_filter

from emseg.numerics import box_mean as module
from emseg.numerics.box_mean import box_mean


@pytest.mark.parametrize("shape", [(1, 1), (1, 30), (9, 8), (40, 300)])
@pytest.mark.parametrize("side", [15, 25])
def test_means_of_squares_to_the_last_bit(shape: tuple[int, int], side: int, monkeypatch: pytest.MonkeyPatch) -> None:
    plane = np.random.default_rng(0).normal(100, 50, shape).astype(np.float32)
    wanted = uniform_filter(plane, side)
    for band in (module.BAND, 500):
        monkeypatch.setattr(module, "BAND", band)
        found = box_mean(plane, side)
        assert found.dtype == np.float32
        assert (found == wanted).all()
