"""The mean of noise that is cut off, by simulation."""

from __future__ import annotations

import numpy as np
import pytest

from emseg.restore.noise.unclip import unclipped


@pytest.mark.parametrize("truth", [0.0, 8.0, 128.0, 250.0, 255.0])
def test_the_mean_of_cut_noise_gives_the_mean_before(truth: float) -> None:
    noisy = np.clip(truth + np.random.default_rng(0).normal(0, 20, 400_000), 0, 255)
    noisy[:1000], noisy[1000:2000] = 0, 255  # both ends are in use
    mean = np.clip(truth + np.random.default_rng(1).normal(0, 20, 400_000), 0, 255).mean()
    estimate = np.full(noisy.shape, mean, np.float32)
    assert unclipped(estimate, noisy, 20.0, (0.0, 255.0))[0] == pytest.approx(truth, abs=0.3)


def test_an_end_that_is_not_in_use_changes_nothing() -> None:
    noisy = 50 + np.random.default_rng(0).normal(0, 5, (40, 40))
    estimate = np.full((40, 40), 3, np.float32)
    assert (unclipped(estimate, noisy, 20.0, (0.0, 255.0)) == 3).all()
