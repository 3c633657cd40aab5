"""Local Gaussians against their closed form and a round by brute force."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from emseg.execution.processes import Processes
from emseg.execution.runner import Runner
from emseg.restore import local_gaussians
from emseg.restore.local_gaussians import Round, local_round, posterior_means
from emseg.restore.patch import similar

pytestmark = pytest.mark.long

SMALL = Round(step=4, group=12, reach=9)


def closed_form(pilot: np.ndarray, noisy: np.ndarray, noise: float, power: int) -> np.ndarray:
    """μ + (S (S + σ²I)⁻¹)^p (y - μ) of members (M, 64), with mean and covariance of their pilots."""
    mean, s = pilot.mean(0), np.cov(pilot.T, bias=True)
    wiener = np.linalg.solve(s + noise * np.eye(64), s)
    return mean + (noisy - mean) @ np.linalg.matrix_power(wiener, power)


def planes(channels: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """Noisy planes and an estimate, float32, shape (C, 32, 40)."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:32, :40]
    clean = np.stack([40 * np.sin(x / (3 + c)) + 2.0 * y for c in range(channels)])
    estimate = clean + rng.normal(0, 5, clean.shape)
    return (clean + rng.normal(0, 20, clean.shape)).astype(np.float32), estimate.astype(np.float32)


@pytest.mark.parametrize("members", [1, 7, 20, 48])
def test_members_get_the_conditional_mean_of_a_gaussian(members: int) -> None:
    rng = np.random.default_rng(1)
    a, y = rng.normal(0, 30, (3, members, 64)), rng.normal(0, 40, (3, members, 64))
    for powers in ((1, 2, 3), (2,), (3, 1)):
        found = posterior_means(a.astype(np.float32), y.astype(np.float32), 100.0, powers)
        assert found.shape == (len(powers), 3, members, 64)
        for estimates, power in zip(found, powers, strict=True):
            for group in range(3):
                wanted = closed_form(a[group], y[group], 100.0, power)
                # The condition number of S + σ²I is below 200 here: see it as the factor on the rounding of y.
                assert np.allclose(estimates[group], wanted, atol=200 * 200 * float(np.finfo(np.float32).eps))


def test_without_noise_members_stay_near_what_they_were() -> None:
    """The least noise that single precision needs takes nothing from members that span the space of the noisy ones."""
    a = np.random.default_rng(0).normal(0, 30, (1, 20, 64)).astype(np.float32)
    found = posterior_means(a.copy(), a.copy(), 0.0)
    assert np.abs(found[0] - a).max() < 0.01
    assert np.isfinite(posterior_means(np.zeros_like(a), a.copy(), 1.0)).all()


@pytest.mark.parametrize("share", [0.0, 0.4])
def test_a_round_by_brute_force(share: float) -> None:
    noisy, estimate = planes()
    pilot = (estimate + share * (noisy - estimate)).astype(float)
    corners = [(y, x) for y in range(25) for x in range(33)]
    total, count = np.zeros((2, *noisy.shape)), np.zeros(noisy.shape[1:])

    def patch(plane: np.ndarray, corner: tuple[int, int]) -> np.ndarray:
        return plane[corner[0] : corner[0] + 8, corner[1] : corner[1] + 8].ravel()

    for y in range(0, 25, SMALL.step):
        for x in range(0, 33, SMALL.step):
            near = [c for c in corners if max(abs(c[0] - y), abs(c[1] - x)) <= SMALL.reach]
            near.sort(key=lambda c: ((patch(pilot[0], c) - patch(pilot[0], (y, x))) ** 2).sum())
            members = near[: SMALL.group]
            for channel, noise in enumerate((400.0, 100.0)):
                own, seen = (np.array([patch(p[channel], c) for c in members], float) for p in (pilot, noisy))
                for power in (1, 2):
                    for c, found in zip(members, closed_form(own, seen, noise, power), strict=True):
                        total[power - 1, channel, c[0] : c[0] + 8, c[1] : c[1] + 8] += found.reshape(8, 8)
            for c in members:
                count[c[0] : c[0] + 8, c[1] : c[1] + 8] += 1
    wanted = np.where(count > 0, total / np.maximum(count, 1), estimate)
    found = local_round(noisy, estimate, [400.0, 100.0], Runner(), (1, 2), SMALL, share)
    assert np.abs(found - wanted).max() < 0.01


def test_where_no_member_lies_the_estimate_stays() -> None:
    rng = np.random.default_rng(0)
    y, estimate = rng.normal(size=(2, 1, 40, 40)).astype(np.float32)
    found = local_round(y, estimate, [1.0], Runner(), (1, 2), Round(16, 1, 0, 4), 0.5)
    uncovered = np.ones((40, 40), bool)
    for i in (0, 16, 32):
        for j in (0, 16, 32):
            uncovered[i : i + 8, j : j + 8] = False
    assert (found[:, :, uncovered] == estimate[:, uncovered]).all()
    # A patch alone is the mean of its Gaussian, and is taken from the pilot as it is.
    assert np.allclose(found[:, :, ~uncovered], (estimate + 0.5 * (y - estimate))[:, ~uncovered], atol=1e-5)


@pytest.mark.parametrize("cosines", [0, 4])
def test_workers_tiles_and_chunks_change_nothing(cosines: int, monkeypatch: pytest.MonkeyPatch) -> None:
    noisy, estimate = planes()
    how = replace(SMALL, cosines=cosines)
    whole = local_round(noisy, estimate, [400.0, 400.0], Runner(), how=how)
    monkeypatch.setattr(similar, "TILE", (2, 3))
    monkeypatch.setattr(local_gaussians, "CHUNK", 5)
    assert np.abs(local_round(noisy, estimate, [400.0, 400.0], Runner(), how=how) - whole).max() < 0.01
    with Processes(1) as one, Processes(2) as two:  # to the last bit; this process may have more threads
        there = local_round(noisy, estimate, [400.0, 400.0], Runner(one), how=how)
        assert (local_round(noisy, estimate, [400.0, 400.0], Runner(two), how=how) == there).all()
    assert np.abs(there - whole).max() < 0.01
