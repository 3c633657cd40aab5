"""Conditional means of patches with holes, first guesses, and calibrated deviations."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage.restoration import inpaint_biharmonic

from emseg.execution.processes import Processes
from emseg.execution.runner import Runner
from emseg.restore.inpaint import rounds as inpaint_
from emseg.restore.inpaint.calibrate import QUANTILE, deviation_factor
from emseg.restore.inpaint.first_guess import depth, doubled, halved, interpolated
from emseg.restore.inpaint.rounds import inpaint


@pytest.fixture(scope="module")
def photo() -> np.ndarray:
    with Image.open(Path(__file__).parents[3] / "sample_images" / "camera.png") as picture:
        return np.asarray(picture.convert("L").resize((256, 256)).crop((60, 30, 124, 94)), np.float32)


def holes(share: float) -> np.ndarray:
    return np.random.default_rng(0).random((64, 64)) < share


def rms(error: np.ndarray) -> float:
    return float(np.sqrt(np.mean(error.astype(float) ** 2)))


@pytest.mark.parametrize("share", [0.5, 0.8])
def test_better_than_biharmonic_and_known_pixels_as_they_were(photo: np.ndarray, share: float) -> None:
    missing = holes(share)
    found, _ = inpaint(np.where(missing, 0, photo)[None], missing, Runner())
    assert (found[0][~missing] == photo[~missing]).all()
    peer = inpaint_biharmonic(np.where(missing, 0, photo) / 255, missing) * 255
    assert rms(found[0] - photo) < 0.93 * rms(peer - photo)


def test_quicker_where_very_many_pixels_are_missing(photo: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    missing, steps = holes(0.5), []
    whole, _ = inpaint(np.where(missing, 0, photo)[None], missing, Runner(on_progress=steps.append))
    monkeypatch.setattr(inpaint_, "MANY", 1000)
    fewer: list[float] = []
    found, _ = inpaint(np.where(missing, 0, photo)[None], missing, Runner(on_progress=fewer.append))
    assert len(fewer) < len(steps)
    assert steps == sorted(steps)
    assert fewer[-1] == steps[-1] == pytest.approx(1)
    assert rms(whole - photo) < rms(found - photo) < 1.1 * rms(whole - photo)


def test_what_the_holes_held_and_who_works_makes_no_difference(photo: np.ndarray) -> None:
    """To the last bit among processes; this one may have more threads, which is less than rounding to whole levels."""
    missing = holes(0.5)
    with Processes(1) as one, Processes(2) as two:
        first, _ = inpaint(np.where(missing, 0, photo)[None], missing, Runner(one))
        other, _ = inpaint(np.where(missing, 200, photo)[None], missing, Runner(two))
    assert (first == other).all()
    here, _ = inpaint(np.where(missing, 0, photo)[None], missing, Runner())
    assert rms(here - first) < 12**-0.5


@pytest.mark.parametrize("share", [0.5, 0.8])
def test_intervals_hold_what_they_promise(photo: np.ndarray, share: float) -> None:
    missing = holes(share)
    planes = np.where(missing, 0, photo)[None]
    found, deviation = inpaint(planes, missing, Runner())
    factor = deviation_factor(planes, missing, np.random.default_rng(0), Runner())
    inside = np.abs(found[0] - photo)[missing] <= QUANTILE * factor * deviation[0][missing]
    assert 0.85 <= inside.mean() <= 0.95


def test_where_most_is_missing_guesses_count_less_than_known_pixels(
    photo: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By five percent of the error here; a few times what rounding of the rounds before could make of it."""
    missing = holes(0.7)
    found, _ = inpaint(np.where(missing, 0, photo)[None], missing, Runner())
    monkeypatch.setattr(inpaint_, "TRUST", 1.0)
    alike, _ = inpaint(np.where(missing, 0, photo)[None], missing, Runner())
    assert rms(found[0] - photo) < 0.98 * rms(alike[0] - photo)


def test_a_large_hole_in_stripes_is_filled_with_stripes() -> None:
    stripes = np.repeat(100 + 80 * np.sin(np.arange(96) / 2)[None], 96, axis=0).astype(np.float32)
    missing = np.zeros((96, 96), bool)
    missing[38:58, 38:58] = True
    found, _ = inpaint(np.where(missing, 0, stripes)[None], missing, Runner())
    assert depth(missing) == 10
    assert rms(found[0][missing] - stripes[missing]) < 12


def test_a_plane_is_a_first_guess_that_is_exact_enough() -> None:
    y, x = np.mgrid[:40, :50]
    plane = (2.0 * x + y).astype(np.float32)
    missing = np.random.default_rng(0).random((40, 50)) < 0.7
    assert np.abs(interpolated(plane[None], missing)[0] - plane)[5:-5, 5:-5].max() < 6
    assert (interpolated(plane[None], missing)[0][~missing] == plane[~missing]).all()


def test_halving_and_doubling() -> None:
    missing = np.zeros((5, 6), bool)
    missing[:2, :2] = True
    coarse, lost = halved(np.full((1, 5, 6), 7, np.float32), missing)
    assert coarse.shape == (1, 3, 3)
    assert lost.tolist() == [[True, False, False], [False] * 3, [False] * 3]
    assert (coarse[0][~lost] == 7).all()
    assert (doubled(np.full((1, 3, 3), 7, np.float32), (5, 6)) == 7).all()
