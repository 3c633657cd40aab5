"""How deep holes are, against scipy's distance transform."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import distance_transform_edt

from emseg.restore.inpaint.first_guess import depth


@pytest.mark.parametrize("share", [0.0, 0.1, 0.6, 0.9, 0.99, 0.999])
def test_scattered_holes(share: float) -> None:
    missing = np.random.default_rng(1).random((60, 45)) < share
    assert depth(missing) == pytest.approx(distance_transform_edt(missing).max() if missing.any() else 0)


@pytest.mark.parametrize("hole", [np.s_[3:9, 4:30], np.s_[:, 20:41], np.s_[:59, :44], np.s_[10:, :7]])
def test_blocks(hole: tuple[slice, slice]) -> None:
    missing = np.zeros((60, 45), bool)
    missing[hole] = True
    assert depth(missing) == pytest.approx(distance_transform_edt(missing).max())


def test_nothing_known_is_infinitely_deep() -> None:
    assert depth(np.ones((3, 4), bool)) == np.inf
    assert depth(np.zeros((3, 4), bool)) == 0
