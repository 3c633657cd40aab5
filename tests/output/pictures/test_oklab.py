from __future__ import annotations

import numpy as np
import pytest

from emseg.output.pictures.oklab import oklab, srgb


def test_oklab_of_known_colours() -> None:
    known = {(255, 255, 255): (1, 0, 0), (255, 0, 0): (0.6280, 0.2249, 0.1258), (0, 0, 255): (0.4520, -0.0325, -0.3115)}
    for colour, expected in known.items():
        assert oklab(np.array(colour, np.uint8)) == pytest.approx(expected, abs=2e-4)


def test_oklab_and_back() -> None:
    grid = np.stack(np.meshgrid(*[np.arange(0, 256, 15, dtype=np.uint8)] * 3), axis=-1)
    assert np.abs(srgb(oklab(grid)).astype(int) - grid).max() <= 1


def test_colours_out_of_reach_keep_their_hue() -> None:
    wild = np.array([[0.6, 0.4, 0.3], [0.9, -0.5, 0.1], [0.3, 0.0, -0.6]])
    tame = oklab(srgb(wild))
    assert tame[:, 0] == pytest.approx(wild[:, 0], abs=0.02)
    assert np.arctan2(tame[:, 2], tame[:, 1]) == pytest.approx(np.arctan2(wild[:, 2], wild[:, 1]), abs=0.05)
