"""All patches at once: against the linear system written out, and against patches each on their own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from emseg.execution.processes import Processes
from emseg.execution.runner import Runner
from emseg.restore.inpaint import whole_image
from emseg.restore.inpaint.first_guess import interpolated
from emseg.restore.inpaint.whole_image import most_probable_pixels
from emseg.restore.patch.patches import cut
from emseg.restore.patch.prior_covariance import PriorCovariances, precisions


@pytest.fixture(scope="module")
def photo() -> np.ndarray:
    with Image.open(Path(__file__).parents[3] / "sample_images" / "camera.png") as picture:
        return np.asarray(picture.convert("L").resize((256, 256)).crop((60, 30, 124, 94)), np.float32)


def test_it_solves_the_linear_system(photo: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    part = photo[:24, :20]
    missing = np.random.default_rng(0).random(part.shape) < 0.6
    guess = interpolated(np.where(missing, 0, part)[None], missing)
    monkeypatch.setattr(whole_image, "ROUNDS", ((20, 100),))
    monkeypatch.setattr(whole_image, "SWEEPS", 300)
    found = most_probable_pixels(guess, missing, Runner())[0]
    own = [y * 13 + x for y in range(0, 17, 4) for x in range(0, 13, 4)]
    label = PriorCovariances(cut(guess[0])[own], 20, 1).label
    where = np.arange(part.size).reshape(part.shape)
    whole = np.zeros((part.size, part.size))
    for patch, k in zip(own, label, strict=True):
        pixels = cut(where.astype(np.float32))[patch].astype(int)
        whole[np.ix_(pixels, pixels)] += precisions(100)[k]
    lost = missing.ravel()
    wanted = np.linalg.solve(whole[np.ix_(lost, lost)], -whole[np.ix_(lost, ~lost)] @ part.ravel()[~lost])
    assert np.abs(found[missing] - wanted).max() < 0.05
    assert (found[~missing] == part[~missing]).all()


def test_precisions_are_inverses_but_for_the_mean() -> None:
    q, pixels = precisions(9), np.arange(64)[None]
    expected = PriorCovariances(np.zeros((1, 64), np.float32), 3.0, 1.0)
    s = expected.rows(pixels)[0] + 9 * np.eye(64)
    flat = np.eye(64) - 1 / 64
    assert np.allclose(q[expected.label[0]] @ s, flat, atol=1e-3)


def test_better_than_smooth_and_the_same_whoever_works(photo: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    missing = np.random.default_rng(0).random((64, 64)) < 0.8
    guess = interpolated(np.where(missing, 0, photo)[None], missing)
    monkeypatch.setattr(whole_image, "CORE", 32)
    found = most_probable_pixels(guess, missing, Runner())
    assert np.mean((found - photo) ** 2) < 0.75 * np.mean((guess - photo) ** 2)
    with Processes(1) as one, Processes(2) as two:  # to the last bit; this process may have more threads
        there = most_probable_pixels(guess, missing, Runner(one))
        assert (most_probable_pixels(guess, missing, Runner(two)) == there).all()
    assert np.abs(there - found).max() < 0.1
    monkeypatch.setattr(whole_image, "CORE", 256)
    whole = most_probable_pixels(guess, missing, Runner())
    assert np.sqrt(np.mean((whole - found) ** 2)) < 2  # what lies beyond the margin hardly matters
