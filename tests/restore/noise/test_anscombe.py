"""The stabilising transform: level one, unbiased back, and the gain found blind."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from emseg.restore.noise.anscombe import Anscombe, photon_gain

pytestmark = pytest.mark.long


@pytest.mark.parametrize("counts", [4.0, 20.0, 300.0])
@pytest.mark.parametrize("sigma", [0.0, 5.0])
def test_noise_becomes_white_of_level_one(counts: float, sigma: float) -> None:
    rng = np.random.default_rng(0)
    y = 2.5 * rng.poisson(counts, 200_000) + rng.normal(0, sigma, 200_000)
    assert Anscombe(2.5, sigma).forward(y).std() == pytest.approx(1, abs=0.06)


@pytest.mark.parametrize("counts", [0.05, 0.5, 2.0, 10.0, 59.0, 61.0, 1000.0])
@pytest.mark.parametrize("sigma", [0.0, 5.0])
def test_the_inverse_of_the_mean_is_the_mean(counts: float, sigma: float) -> None:
    rng = np.random.default_rng(0)
    transform = Anscombe(2.5, sigma)
    y = 2.5 * rng.poisson(counts, 1_000_000) + rng.normal(0, sigma, 1_000_000)
    error = 6 * transform.gain * np.sqrt(counts + (sigma / 2.5) ** 2) / 1000 + 0.01
    assert float(transform.inverse(transform.forward(y).mean())) == pytest.approx(2.5 * counts, abs=error)


def test_the_inverse_has_no_step() -> None:
    found = Anscombe(1.0).inverse(np.linspace(0, 40, 4001))
    assert (np.diff(found) >= 0).all()
    assert np.diff(found).max() < 0.25
    end = 2 * np.sqrt(60)  # where the table ends; the slope there is f / 2
    near = Anscombe(1.0).inverse(np.linspace(end - 0.5, end + 0.5, 10_001))
    assert np.diff(near).max() < 1.1 * end / 2 * 1e-4


@pytest.mark.parametrize("gain", [0.5, 8.0])
def test_the_gain_is_found(samples: Path, gain: float) -> None:
    with Image.open(samples / "camera.png") as picture:
        clean = np.asarray(picture.convert("L").crop((0, 0, 300, 300)), float)
    y = gain * np.random.default_rng(0).poisson(clean / gain)
    assert photon_gain(y) == pytest.approx(gain, rel=0.12)


@pytest.mark.parametrize(("peak", "sigma"), [(0.7, 0.0), (1.0, 0.0), (2.0, 0.0), (4.0, 0.0), (5.0, 1.0)])
def test_the_gain_of_few_photons(samples: Path, peak: float, sigma: float) -> None:
    with Image.open(samples / "camera.png") as picture:
        clean = np.asarray(picture.convert("L").crop((0, 0, 300, 300)), float)
    rng = np.random.default_rng(0)
    y = 3 * rng.poisson(clean / 255 * peak) + rng.normal(0, 3 * sigma, clean.shape)
    assert photon_gain(y, None, 3 * sigma) == pytest.approx(3, rel=0.25)
    inside = np.ones(y.shape, bool)
    inside[100:120, 50:250] = False
    assert photon_gain(np.where(inside, y, 500), inside, 3 * sigma) == pytest.approx(3, rel=0.25)


def test_the_gain_where_much_is_black(samples: Path) -> None:
    with Image.open(samples / "astronaut.png") as picture:
        clean = np.asarray(picture.convert("RGB"), float)[:256, :256, 1] / 255
    clean[:, :90] = 0
    for peak in (10, 1000):
        y = np.random.default_rng(0).poisson(clean * peak)
        assert photon_gain(y) == pytest.approx(1, rel=0.2)


def test_without_noise_there_is_no_gain() -> None:
    assert photon_gain(np.full((40, 40), 9.0)) == 0
    assert photon_gain(np.zeros((40, 40))) == 0
