"""Inpainting by rounds: against peers and closed forms, and what each part of it is worth."""

from __future__ import annotations

import numpy as np
import pytest
from skimage.restoration import inpaint_biharmonic

from emseg.execution.processes import Processes
from emseg.execution.runner import Runner
from emseg.restore.inpaint import rounds
from emseg.restore.inpaint.first_guess import depth
from emseg.restore.inpaint.rounds import inpaint

pytestmark = pytest.mark.long

#: Share of the stated standard deviation by which results may differ through rounding. Rounding changes which of two
#: patches at equal distances is a member, and a member is one of dozens. Between one and two threads of OpenBLAS, and
#: between its kernels, the largest share seen is 0.04; a picture that differs by anything but rounding has 1 or more.
ROUNDING = 0.2


def scattered(share: float, shape: tuple[int, int] = (64, 64)) -> np.ndarray:
    return np.random.default_rng(0).random(shape) < share


def rms(error: np.ndarray) -> float:
    return float(np.sqrt(np.mean(error.astype(float) ** 2)))


def filled(picture: np.ndarray, missing: np.ndarray, held: float = 0.0) -> np.ndarray:
    """The picture (H, W) from its known pixels."""
    return inpaint(np.where(missing, np.float32(held), picture)[None], missing, Runner())[0][0]


@pytest.mark.parametrize("share", [0.5, 0.8])
def test_better_than_biharmonic_and_known_pixels_as_they_were(photo: np.ndarray, share: float) -> None:
    missing = scattered(share)
    found = filled(photo, missing)
    assert (found[~missing] == photo[~missing]).all()
    peer = inpaint_biharmonic(np.where(missing, 0, photo) / 255, missing) * 255
    assert rms(found - photo) < 0.93 * rms(peer - photo)


def test_quicker_where_very_many_pixels_are_missing(photo: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    missing, steps = scattered(0.5), []
    whole, _ = inpaint(np.where(missing, 0, photo)[None], missing, Runner(on_progress=steps.append))
    monkeypatch.setattr(rounds, "MANY", 1000)
    fewer: list[float] = []
    found, _ = inpaint(np.where(missing, 0, photo)[None], missing, Runner(on_progress=fewer.append))
    assert len(fewer) < len(steps)
    assert steps == sorted(steps)
    assert fewer[-1] == steps[-1] == pytest.approx(1)
    assert rms(whole - photo) < rms(found - photo) < 1.1 * rms(whole - photo)


@pytest.mark.parametrize("share", [0.5, 0.7])
def test_what_missing_pixels_held_makes_no_difference(photo: np.ndarray, share: float) -> None:
    missing = scattered(share)
    first, deviation = inpaint(np.where(missing, 0, photo)[None], missing, Runner())
    other, again = inpaint(np.where(missing, np.float32(np.nan), photo)[None], missing, Runner())
    assert (np.abs(first - other) <= ROUNDING * deviation).all()
    assert np.allclose(again, deviation, rtol=ROUNDING)


def test_who_works_makes_no_difference(photo: np.ndarray) -> None:
    """To the last bit among processes, which have one thread each; to rounding here, where BLAS may have more."""
    missing = scattered(0.5)
    planes = np.where(missing, 0, photo)[None]
    here, deviation = inpaint(planes, missing, Runner())
    with Processes(1) as one, Processes(2) as two:
        found, other = (inpaint(planes, missing, Runner(pool))[0] for pool in (one, two))
    assert (found == other).all()
    assert (np.abs(here - found) <= ROUNDING * deviation).all()


def test_the_deviation_is_zero_at_known_pixels_and_positive_elsewhere(photo: np.ndarray) -> None:
    missing = scattered(0.5)
    _, deviation = inpaint(np.where(missing, 0, photo)[None], missing, Runner())
    assert (deviation[0][~missing] == 0).all()
    assert (deviation[0][missing] > 0).all()


def test_a_deep_hole_in_a_slanted_wave_is_filled_with_the_wave() -> None:
    """Interpolation is flat in such a hole, and patches of it resemble no other; on the coarser image it is shallow."""
    y, x = np.mgrid[:96, :96]
    wave = (100 + 80 * np.sin((x + y) / 4)).astype(np.float32)
    missing = np.zeros((96, 96), bool)
    missing[38:58, 38:58] = True
    assert depth(missing) == 10
    assert rms((filled(wave, missing) - wave)[missing]) < 2  # 25 without the coarser image


def test_guesses_count_less_than_known_pixels_where_few_are_known(
    photo: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = scattered(0.8)
    error = rms(filled(photo, missing) - photo)
    monkeypatch.setattr(rounds, "TRUST", 1.0)
    assert error < 0.98 * rms(filled(photo, missing) - photo)  # 0.96 here, 0.94 with 65 % missing


@pytest.mark.parametrize("shape", [(1, 1), (5, 40), (8, 8), (70, 9)])
def test_planes_of_any_size(shape: tuple[int, int]) -> None:
    y, x = np.mgrid[: shape[0], : shape[1]]
    plane, missing = (3.0 * x + y).astype(np.float32), scattered(0.3, shape)
    found, deviation = inpaint(np.stack([plane, 100 - plane]), missing, Runner())
    assert found.shape == deviation.shape == (2, *shape)
    assert np.isfinite(found).all()
    assert np.isfinite(deviation).all()


def test_with_nothing_missing_nothing_changes_and_with_all_missing_it_ends() -> None:
    planes = np.random.default_rng(0).normal(100, 30, (2, 20, 30)).astype(np.float32)
    found, deviation = inpaint(planes, np.zeros((20, 30), bool), Runner())
    assert (found == planes).all()
    assert (deviation == 0).all()
    found, _ = inpaint(planes, np.ones((20, 30), bool), Runner())
    assert np.isfinite(found).all()
