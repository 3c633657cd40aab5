"""Pixels that say as much as one independent sample, against fields of which it is known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from emseg.regions.effective_sample import independent_area, lags, sampled_lines


def area(field: np.ndarray) -> float:
    grid = np.arange(field[0].size, dtype=np.int32).reshape(field.shape[1:])
    flat = field.reshape(len(field), -1).astype(np.float32)
    return independent_area([flat[:, rows] for rows in sampled_lines(grid)])


def smooth_noise(shape: tuple[int, ...], sigma: float) -> np.ndarray:
    noise = np.random.default_rng(0).normal(size=shape)
    return gaussian_filter(noise, (0, *[sigma] * (len(shape) - 1)), mode="wrap")


@pytest.mark.parametrize("shape", [(1, 200), (2, 200, 150), (1, 40, 50, 60)])
def test_white_noise_is_independent(shape: tuple[int, ...]) -> None:
    assert area(smooth_noise(shape, 0)) == 1


@pytest.mark.parametrize(
    ("shape", "sigma"), [((3, 400, 300), 2.0), ((1, 400, 300), 3.0), ((2, 60, 70, 80), 1.0), ((1, 200_000), 5.0)]
)
def test_of_smoothed_noise_as_many_pixels_as_its_kernel_says(shape: tuple[int, ...], sigma: float) -> None:
    # ρ(h) = exp(-h² / 4σ²), of which the sum over the plane is 4πσ².
    expected = (4 * np.pi * sigma**2) ** ((len(shape) - 1) / 2)
    assert area(smooth_noise(shape, sigma)) == pytest.approx(expected, rel=0.15)


def test_what_is_unknown_counts_for_nothing() -> None:
    field = smooth_noise((2, 300, 300), 2.0)
    whole = area(field)
    field[0, 100:180, 60:130] = np.nan
    assert area(field) == pytest.approx(whole, rel=0.1)


def test_flat_and_tiny_images_have_independent_pixels() -> None:
    assert area(np.zeros((1, 30, 30))) == 1
    assert area(np.ones((1, 1, 1))) == 1
    assert independent_area([np.full((1, 4, 9), np.nan, np.float32)]) == 1


def test_offsets_grow_by_halves() -> None:
    assert lags(25) == [1, 2, 3, 4, 6, 8, 12, 16, 24]


def test_of_many_lines_some_are_taken() -> None:
    rows, columns = sampled_lines(np.arange(3_000_000, dtype=np.int32).reshape(1500, 2000))[::-1]
    assert rows.shape == (500, 2000)
    assert columns.shape == (667, 1500)
    assert (np.diff(columns[3]) == 2000).all()
