"""The noise level: of pure noise, of a photograph, of what is cut off at the ends."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.special import gammaincinv

from emseg.restore.noise.level import SIDE, WEAKEST, noise_level

pytestmark = pytest.mark.long


def camera(samples: Path) -> np.ndarray:
    with Image.open(samples / "camera.png") as picture:
        return np.asarray(picture.convert("L").crop((0, 0, 300, 300)), float)


def test_patches_of_noise_stay_below_the_bound() -> None:
    trace = 2 * SIDE * (SIDE - 2) * 0.5  # of the quadratic form: so many differences, each of variance ½
    shape = (SIDE**2 - 1) / 2
    assert pytest.approx(trace * gammaincinv(shape, 0.997) / shape) == WEAKEST
    patches = np.random.default_rng(0).normal(size=(100_000, SIDE, SIDE))
    slopes = [(patches[:, :, 2:] - patches[:, :, :-2]) / 2, (patches[:, 2:] - patches[:, :-2]) / 2]
    energy = sum((slope**2).sum((1, 2)) for slope in slopes)
    assert 0.985 < (energy < WEAKEST).mean() < 0.995


@pytest.mark.parametrize("sigma", [0.5, 5, 50])
def test_pure_noise(sigma: float) -> None:
    plane = np.random.default_rng(0).normal(0, sigma, (200, 200)).astype(np.float32)
    assert noise_level(plane) == pytest.approx(sigma, rel=0.03)


@pytest.mark.parametrize("sigma", [5, 15, 50])
@pytest.mark.parametrize("clipped", [False, True])
def test_a_photograph(samples: Path, sigma: float, clipped: bool) -> None:
    plane = camera(samples) + np.random.default_rng(1).normal(0, sigma, (300, 300))
    if clipped:
        found = noise_level(np.clip(np.rint(plane), 0, 255).astype(np.float32), None, (0, 255))
    else:
        found = noise_level(plane.astype(np.float32))
    assert found == pytest.approx(sigma, rel=0.07)


def test_pixels_without_data_are_left_out() -> None:
    plane = np.random.default_rng(0).normal(0, 5, (100, 100)).astype(np.float32)
    plane[:, 60:] = np.random.default_rng(1).normal(0, 90, (100, 40))
    valid = np.zeros((100, 100), bool)
    valid[:, :60] = True
    assert noise_level(plane, valid) == pytest.approx(5, rel=0.06)


def test_nothing_to_tell_from() -> None:
    assert noise_level(np.full((50, 50), 7, np.float32)) == 0
    assert noise_level(np.zeros((5, 50), np.float32)) == 0
    assert noise_level(np.random.default_rng(0).normal(0, 5, (10, 10)).astype(np.float32)) == 0


def test_what_is_not_valid_may_be_anything() -> None:
    plane = np.random.default_rng(0).normal(0, 5, (100, 100)).astype(np.float32)
    valid = np.ones((100, 100), bool)
    valid[40:50] = False
    zeros, nothing = (np.where(valid, plane, np.float32(value)) for value in (0, np.nan))
    assert noise_level(nothing, valid) == noise_level(zeros, valid) == pytest.approx(5, rel=0.06)
