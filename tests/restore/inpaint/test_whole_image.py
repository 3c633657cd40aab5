"""All patches at once: against the linear system written out, and against patches each on their own."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse.linalg import cg

from emseg.execution.processes import Processes
from emseg.execution.runner import Runner
from emseg.restore.inpaint import whole_image
from emseg.restore.inpaint.first_guess import interpolated
from emseg.restore.inpaint.whole_image import ROUNDS, most_probable_pixels
from emseg.restore.patch.patches import cut
from emseg.restore.patch.prior_covariance import PriorCovariances, precisions

pytestmark = pytest.mark.long

SIGMA, VARIANCE = ROUNDS[-1]  # the last round: components are narrowest, and the system converges most slowly
#: Grey levels. The scale of the pixels is 255, of which single precision keeps 1.5e-5, and the condition number of the
#: preconditioned system is about 100.
ROUNDING = 255 * float(np.finfo(np.float32).eps) * 100


def with_missing(photo: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A guess (1, 32, 32) with 80 % of its pixels interpolated, and their mask."""
    part = photo[:32, :32]
    missing = np.random.default_rng(0).random(part.shape) < 0.8
    return interpolated(np.where(missing, 0, part)[None], missing), missing


def system(guess: np.ndarray, missing: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A and b of the linear system A z = b for the missing pixels in the last round, patch by patch."""
    down, across = guess.shape[0] - 7, guess.shape[1] - 7
    corners = [y * across + x for y in range(0, down, 4) for x in range(0, across, 4)]
    label = PriorCovariances(cut(guess)[corners], SIGMA, 1).label
    index = cut(np.arange(guess.size, dtype=np.float32).reshape(guess.shape)).astype(int)
    whole = np.zeros((guess.size, guess.size))
    for patch, k in zip(corners, label, strict=True):
        whole[np.ix_(index[patch], index[patch])] += precisions(VARIANCE)[k]
    lost = missing.ravel()
    return whole[np.ix_(lost, lost)], -whole[np.ix_(lost, ~lost)] @ guess.ravel()[~lost].astype(float)


def last_round(guess: np.ndarray, missing: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> np.ndarray:
    monkeypatch.setattr(whole_image, "ROUNDS", ROUNDS[-1:])
    return most_probable_pixels(guess, missing, Runner())


@pytest.mark.parametrize("sweeps", [1, 2, 5, 15])
def test_sweeps_are_those_of_preconditioned_conjugate_gradients(
    photo: np.ndarray, sweeps: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    guess, missing = with_missing(photo)
    a, b = system(guess[0], missing)
    wanted, _ = cg(a, b, x0=guess[0][missing].astype(float), rtol=0, maxiter=sweeps, M=np.diag(1 / np.diag(a)))
    monkeypatch.setattr(whole_image, "SWEEPS", sweeps)
    found = last_round(guess, missing, monkeypatch)
    assert np.abs(found[0][missing] - wanted).max() < ROUNDING
    assert (found[0][~missing] == guess[0][~missing]).all()


def test_the_sweeps_of_the_last_round_leave_less_than_a_grey_level(
    photo: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    guess, missing = with_missing(photo)
    monkeypatch.setattr(whole_image, "ROUNDS", ROUNDS[:-1])
    before = most_probable_pixels(guess, missing, Runner())
    a, b = system(before[0], missing)
    exact, found = np.linalg.solve(a, b), last_round(before, missing, monkeypatch)
    left, first = found[0][missing] - exact, before[0][missing] - exact
    assert np.abs(left).max() < 1
    assert left @ a @ left < 1e-3 * (first @ a @ first)


def test_many_sweeps_solve_the_linear_system(photo: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    guess, missing = with_missing(photo)
    monkeypatch.setattr(whole_image, "SWEEPS", 300)
    found = last_round(guess, missing, monkeypatch)
    assert np.abs(found[0][missing] - np.linalg.solve(*system(guess[0], missing))).max() < ROUNDING


def test_better_than_smooth_and_blocks_hardly_matter(photo: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    missing = np.random.default_rng(0).random((64, 64)) < 0.8
    guess = interpolated(np.where(missing, 0, photo)[None], missing)
    whole = most_probable_pixels(guess, missing, Runner())
    assert np.mean((whole - photo) ** 2) < 0.75 * np.mean((guess - photo) ** 2)
    monkeypatch.setattr(whole_image, "CORE", 32)
    found = most_probable_pixels(guess, missing, Runner())
    assert np.sqrt(np.mean((whole - found) ** 2)) < 2  # what lies beyond the margin
    with Processes(1) as one, Processes(2) as two:  # to the last bit; this process may have more threads
        there = most_probable_pixels(guess, missing, Runner(one))
        assert (most_probable_pixels(guess, missing, Runner(two)) == there).all()
    assert np.abs(there - found).max() < 0.1
