from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from skimage.color import deltaE_ciede2000, rgb2lab

from emseg.output.pictures.palette import palette

# Machado, Oliveira and Fernandes (2009), severity 1, on linear RGB.
DEFICIENCIES = {
    "protan": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deutan": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
}


def test_entries_differ_and_are_visible() -> None:
    colours = palette(255)
    assert colours.shape == (256, 3)
    assert colours.dtype == np.uint8
    assert colours[0].tolist() == [0, 0, 0]
    assert len(np.unique(colours, axis=0)) == 256
    assert rgb2lab(colours[1:] / 255.0)[:, 0].min() > 30


@pytest.mark.parametrize("n", [0, 1, 4, 10, 11, 100, 300])
def test_a_shorter_palette_begins_a_longer_one(n: int) -> None:
    assert palette(n).shape == (n + 1, 3)
    assert np.array_equal(palette(n), palette(500)[: n + 1])


@pytest.mark.parametrize("kind", DEFICIENCIES)
def test_first_colours_stay_apart_for_the_colour_blind(kind: str) -> None:
    linear = (palette(10)[1:] / 255.0) ** 2.2
    seen = np.clip(linear @ np.array(DEFICIENCIES[kind]).T, 0, 1) ** (1 / 2.2)
    lab = rgb2lab(seen)
    assert min(np.linalg.norm(a - b) for a, b in combinations(lab, 2)) > 10


def test_neighbours_are_far_apart() -> None:
    lab = rgb2lab(palette(255)[1:] / 255.0)
    assert np.linalg.norm(np.diff(lab, axis=0), axis=1).min() > 20


def test_first_colours_and_black_are_told_apart() -> None:
    lab = rgb2lab(palette(10) / 255.0)
    assert min(float(deltaE_ciede2000(a, b)) for a, b in combinations(lab, 2)) > 15
