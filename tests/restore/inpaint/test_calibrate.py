"""Calibrated deviations: what is held out, and the share of true values that intervals hold."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from emseg.execution.runner import Runner
from emseg.restore.inpaint import calibrate
from emseg.restore.inpaint.calibrate import LEVEL, QUANTILE, USUAL, deviation_factor
from emseg.restore.inpaint.rounds import inpaint
from emseg.restore.patch.patches import Real

pytestmark = pytest.mark.long


def test_the_quantile_belongs_to_the_level() -> None:
    assert pytest.approx(norm.ppf((1 + LEVEL) / 2), abs=1e-4) == QUANTILE


@pytest.mark.parametrize("share", [0.5, 0.8])
def test_intervals_hold_what_they_promise(photo: np.ndarray, share: float) -> None:
    missing = np.random.default_rng(0).random(photo.shape) < share
    planes = np.where(missing, 0, photo)[None]
    found, deviation = inpaint(planes, missing, Runner())
    factor = deviation_factor(planes, missing, np.random.default_rng(0), Runner())
    inside = np.abs(found[0] - photo)[missing] <= QUANTILE * factor * deviation[0][missing]
    assert 0.85 <= inside.mean() <= 0.95


@pytest.mark.parametrize("true", [0.25, 1.0, 3.0])
@pytest.mark.parametrize("holes", ["stripes", "dense"])
def test_it_is_the_ratio_of_true_to_stated_deviations(true: float, holes: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Errors are drawn from a normal distribution of known deviation instead of an inpainting."""
    rng, shape = np.random.default_rng(0), (200, 300)
    missing = np.zeros(shape, bool)
    if holes == "dense":
        missing = rng.random(shape) < 0.5
    else:
        missing[:, ::4] = True
    planes = rng.normal(100, 30, (2, *shape)).astype(np.float32)
    seen: list[np.ndarray] = []

    def drawn(given: Real, lost: np.ndarray, runner: Runner) -> tuple[Real, Real]:
        seen.append(lost)
        deviation = rng.uniform(1, 9, given.shape)
        return given + true * rng.normal(size=given.shape) * deviation, deviation

    monkeypatch.setattr(calibrate, "inpaint", drawn)
    factor = deviation_factor(planes, missing, np.random.default_rng(1), Runner())
    hidden = seen[0] & ~missing
    assert (seen[0] >= missing).all()
    assert calibrate.LEAST <= hidden.sum() <= 2 * calibrate.SHARE * (~missing).sum()
    if holes == "stripes":  # whole squares, in which holes are as deep as elsewhere
        elsewhere = np.roll(missing, (shape[0] // 3 + 1, shape[1] // 3 + 1), (0, 1)) & ~missing
        chosen = [False, False]
        for i, j in np.ndindex(7, 10):
            square = np.s_[32 * i : 32 * i + 32, 32 * j : 32 * j + 32]
            chosen[int(hidden[square].any())] = True
            assert not hidden[square].any() or (hidden[square] == elsewhere[square]).all()
        assert all(chosen)
    # The standard error of the .9 quantile of |N(0, 1)| is √(.9 · .1/n) / 0.206 with n independent values.
    assert factor == pytest.approx(true, rel=5 * 1.457 / QUANTILE / np.sqrt(2 * hidden.sum()))


def test_where_little_can_be_held_out_the_factor_is_the_usual_one() -> None:
    planes = np.random.default_rng(0).normal(size=(1, 40, 40)).astype(np.float32)
    for missing in (np.zeros((40, 40), bool), np.ones((40, 40), bool), np.arange(1600).reshape(40, 40) % 400 == 0):
        assert deviation_factor(planes, missing, np.random.default_rng(0), Runner()) == USUAL


def test_the_callers_generator_stays_as_it_was(photo: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calibrate, "inpaint", lambda planes, *_: (planes + 1, np.ones_like(planes)))
    rng, missing = np.random.default_rng(0), np.random.default_rng(1).random(photo.shape) < 0.5
    assert deviation_factor(photo[None], missing, rng, Runner()) == pytest.approx(1 / QUANTILE, rel=1e-5)
    assert rng.random() == np.random.default_rng(0).random()
