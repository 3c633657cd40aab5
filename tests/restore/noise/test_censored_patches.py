"""Cut-off values: their expectation by simulation, and EM's fixed point."""

from __future__ import annotations

import numpy as np
import pytest

from emseg.restore.colour_rotation import OPPONENT, rotated
from emseg.restore.noise.censored_patches import Censored

ENDS = (0.0, 255.0)
ONE = np.ones((1, 1))


@pytest.mark.parametrize("truth", [0.0, 12.0, 30.0, 240.0, 255.0])
def test_expected_values_have_the_mean_of_what_was_cut_off(truth: float) -> None:
    before = truth + np.random.default_rng(0).normal(0, 20, (1, 400, 500)).astype(np.float32)
    censored = Censored(before.clip(*ENDS), np.array([20.0]), ENDS, ONE)
    found = censored.completed(np.full(before.shape, truth, np.float32))
    there = (before <= 1e-3) | (before >= 255 - 1e-3)
    assert censored.exist
    assert found[there].mean() == pytest.approx(before[there].mean(), abs=0.4)
    assert (found[~there] == before[~there]).all()


@pytest.mark.parametrize("truth", [5.0, 20.0, 250.0])
def test_expectation_and_mean_in_turn_find_the_truth(truth: float) -> None:
    noisy = (truth + np.random.default_rng(1).normal(0, 25, (1, 200, 300))).clip(*ENDS).astype(np.float32)
    censored = Censored(noisy, np.array([25.0]), ENDS, ONE)
    mean = censored.completed(np.full_like(noisy, noisy.mean()), of_stored=True).mean()
    assert abs(mean - truth) < 1  # the mean of what is stored is 6 to 10 off
    for _ in range(30):
        mean = censored.completed(np.full_like(noisy, mean)).mean()
    assert mean == pytest.approx(truth, abs=0.4)


def test_where_nothing_is_cut_off_nothing_changes() -> None:
    noisy = np.random.default_rng(0).normal(128, 20, (3, 30, 30)).astype(np.float32)
    censored = Censored(noisy, np.full(3, 20.0), ENDS, OPPONENT)
    assert not censored.exist
    assert np.allclose(censored.completed(np.zeros_like(noisy)), rotated(OPPONENT, noisy))


def test_far_beyond_an_end_numbers_stay_finite() -> None:
    noisy = np.zeros((1, 20, 20), np.float32)
    for sigma in (0.0, 1e-3, 1.0, 500.0):
        censored = Censored(noisy, np.array([sigma]), ENDS, ONE)
        for estimate in (-1e4, 0.0, 300.0):
            assert np.isfinite(censored.completed(np.full_like(noisy, estimate))).all()
