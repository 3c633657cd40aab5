"""Touching objects are cut, whole ones are not: discs, ellipses, balls, rough outlines, nuclei."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from emseg.regions.split import split

NECK = 0.85


def ball(shape: tuple[int, ...], centre: tuple[float, ...], radii: tuple[float, ...]) -> NDArray[np.bool_]:
    """An ellipsoid along the axes."""
    grid = np.indices(shape).reshape(len(shape), -1).T
    return (((grid - centre) / radii) ** 2).sum(1).reshape(shape) < 1


def rough(inside: NDArray[np.bool_], seed: int) -> NDArray[np.bool_]:
    """What a segmentation of a noisy image makes of it: the outline moves by about half a pixel."""
    noise = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=inside.shape), 1)
    found = ndimage.gaussian_filter(inside.astype(float), 1) + 0.35 * noise > 0.5
    parts = ndimage.label(found)[0]
    return ndimage.binary_fill_holes(parts == np.bincount(parts.ravel())[1:].argmax() + 1)


@pytest.mark.parametrize("radius", [5, 8, 12, 30])
@pytest.mark.parametrize("angle", [0.0, 0.4, 0.8, 1.57])
def test_two_discs_are_cut_in_the_middle(radius: int, angle: float) -> None:
    middle, away = 80, 0.9 * radius * np.array([np.sin(angle), np.cos(angle)])
    one, other = (ball((160, 160), tuple(middle + sign * away), (radius,) * 2) for sign in (1, -1))
    found = split(one | other, NECK)
    assert found.max() == 2
    for disc in (one, other):
        best = max((np.count_nonzero((found == i) & disc) / np.count_nonzero((found == i) | disc)) for i in (1, 2))
        assert best > 0.9


@pytest.mark.parametrize("radii", [(6, 6), (30, 30), (20, 10), (32, 8)])
def test_whole_objects_stay_whole_however_rough(radii: tuple[float, float]) -> None:
    for seed in range(4):
        assert split(rough(ball((100, 100), (50, 50), radii), seed), NECK).max() == 1


@pytest.mark.parametrize("spacing", [None, (2.0, 1.0, 1.0), (20.0, 10.0, 10.0)])
def test_balls_in_a_volume(spacing: tuple[float, ...] | None) -> None:
    shape, flat = (40, 60, 60), 2 if spacing else 1
    radii = (12 / flat, 12, 12)
    pair = ball(shape, (20, 25, 20), radii) | ball(shape, (20 + 8 / flat, 38, 36), radii)
    assert split(pair, NECK, spacing=spacing).max() == 2
    stacked = ball(shape, (20 - 9 / flat, 30, 30), radii) | ball(shape, (20 + 9 / flat, 30, 30), radii)
    assert split(stacked, NECK, spacing=spacing).max() == 2
    assert split(ball(shape, (20, 30, 30), (15 / flat, 25, 25)), NECK, spacing=spacing).max() == 1


def test_balls_one_above_the_other_in_thick_slices() -> None:
    z, y, x = (np.indices((30, 60, 60)).T * (1, 1, 3)[::-1]).T
    for apart in ((16, 0, 0), (9, 12, 0), (0, 0, 17)):
        one, other = np.array([36, 30, 30]) + np.outer([0.5, -0.5], apart)
        pair = sum((z - c[0]) ** 2 + (y - c[1]) ** 2 + (x - c[2]) ** 2 < 100 for c in (one, other)) > 0
        assert split(np.asarray(pair), NECK, spacing=(3, 1, 1)).max() == 2


def test_a_wide_neck_is_cut_only_if_that_is_asked_for() -> None:
    pair = ball((80, 120), (40, 45), (20, 20)) | ball((80, 120), (40, 68), (20, 20))  # the neck is .82 of the width
    assert [int(split(pair, neck).max()) for neck in (0.5, 0.75, 0.85, 0.95)] == [1, 1, 2, 2]


def test_small_pieces_stay_with_what_they_hang_on() -> None:
    inside = ball((60, 80), (30, 30), (20, 20)) | ball((60, 80), (30, 53), (5, 5))
    assert split(inside, NECK).max() == 2
    assert split(inside, NECK, least=100).max() == 1


def test_objects_at_the_edge_of_the_image_are_whole() -> None:
    assert split(ball((40, 60), (0, 30), (15, 15)), NECK).max() == 1
    assert split(ball((40, 60), (0, 20), (11, 11)) | ball((40, 60), (0, 39), (11, 11)), NECK).max() == 2


def test_numbers_are_in_raster_order_and_nothing_else_is_numbered() -> None:
    inside = np.random.default_rng(0).random((50, 70)) < 0.6
    found = split(inside, NECK)
    assert ((found > 0) == inside).all()
    names, first = np.unique(found, return_index=True)
    assert (np.diff(first[names > 0]) > 0).all()
    assert names.tolist() == list(range(len(names)))
    for number in names[1:]:
        assert ndimage.label(found == number)[1] == 1
    assert split(inside & False, NECK).max() == 0


def test_nuclei_are_told_apart(shared_data: Path) -> None:
    """F1 at an IoU of .7, on outlines that people drew: .70 for connected parts."""
    hits, found, true = 0, 0, 0
    for path in sorted((shared_data / "nuclei" / "gt").glob("*.npz")):
        truth = np.unique(np.load(path)["segs"][0], return_inverse=True)[1].reshape(np.load(path)["segs"][0].shape)
        ids = split(truth > 0, NECK)
        k, m = int(ids.max()), int(truth.max())
        both = np.bincount((ids * (m + 1) + truth).ravel(), minlength=(k + 1) * (m + 1)).reshape(k + 1, m + 1)
        union = both.sum(1)[:, None] + both.sum(0) - both
        hits, found, true = hits + int((both / union)[1:, 1:].max(0).__gt__(0.7).sum()), found + k, true + m
    assert 2 * hits / (found + true) > 0.84
