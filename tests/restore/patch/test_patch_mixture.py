"""Patch mixtures: densities, filters and averages against their definitions."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from emseg.execution.processes import Processes
from emseg.execution.runner import Runner
from emseg.restore.patch.patch_mixture import D, PatchMixture, conditional_means, coordinates
from emseg.restore.patch.patches import cosines, cut
from emseg.restore.patch.photographs import photographs


def known(k: int = 3) -> PatchMixture:
    """A mixture of low rank, whose components lie in different directions."""
    rng = np.random.default_rng(0)
    axes = np.stack([np.linalg.qr(rng.standard_normal((D, D)))[0] for _ in range(k)])
    variances = np.stack([np.r_[400.0 / (1 + np.arange(4 + 3 * j)), np.zeros(D - 4 - 3 * j)] for j in range(k)])
    return PatchMixture(np.arange(1.0, k + 1) / (k * (k + 1) / 2), axes, variances, 25.0)


def draws(mixture: PatchMixture, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Noisy patches (D, N), and the clean ones."""
    rng = np.random.default_rng(1)
    labels = rng.choice(mixture.k, n, p=mixture.weights)
    a = rng.standard_normal((n, D)) * np.sqrt(mixture.variances[labels])
    clean = np.einsum("nij,nj->in", mixture.axes[labels], a)
    return (clean + rng.normal(0, 5, clean.shape)).astype(np.float32), clean


def covariances(mixture: PatchMixture) -> np.ndarray:
    return (mixture.axes * mixture.variances[:, None]) @ mixture.axes.swapaxes(1, 2)


def test_the_density_is_that_of_the_normal_distributions() -> None:
    mixture = known()
    x, _ = draws(mixture, 50)
    for k, s in enumerate(covariances(mixture)):
        truth = multivariate_normal(np.zeros(D), s + 25 * np.eye(D)).logpdf(x.T.astype(float))
        assert np.allclose(mixture.log_joint(x)[k], truth + np.log(mixture.weights[k]), atol=2e-3)


def test_the_filter_is_wieners() -> None:
    mixture = known()
    x, _ = draws(mixture, 200)
    z, trace = mixture.clean(x)
    label = mixture.log_joint(x).argmax(0)
    for k, s in enumerate(covariances(mixture)):
        wiener = s @ np.linalg.inv(s + 25 * np.eye(D))
        mine = label == k
        assert np.allclose(z[:, mine], wiener @ x[:, mine], atol=0.01)
        assert np.allclose(trace[mine], np.trace(s - wiener @ s), rtol=1e-3)


@pytest.mark.parametrize("step", [1, 2, 3, 4])
def test_every_step_covers_the_plane(step: int) -> None:
    rng = np.random.default_rng(0)
    plane = rng.normal(0, 10, (50, 61)).astype(np.float32)
    found = conditional_means(plane, photographs(), 10.0, step, Runner())
    assert np.isfinite(found).all()
    assert found.std() < 3.5
    with Processes(1) as one, Processes(2) as two:  # to the last bit; this process may have more threads
        there = conditional_means(plane, photographs(), 10.0, step, Runner(one))
        assert (conditional_means(plane, photographs(), 10.0, step, Runner(two)) == there).all()
    assert np.abs(there - found).max() < 1e-3  # single precision of numbers that are some tens


def test_it_is_the_average_of_filtered_patches() -> None:
    plane = np.random.default_rng(0).normal(0, 30, (9, 10)).astype(np.float32)
    seen = PatchMixture(photographs().weights, photographs().axes, photographs().variances, 100.0, 1.0)
    total, count = np.zeros((9, 10)), np.zeros((9, 10))
    for turn in (False, True):
        x = coordinates(cut(np.ascontiguousarray(plane.T if turn else plane)))
        x[1:], trace = seen.clean(np.ascontiguousarray(x[1:]))
        patches, weight = (cosines() @ x).T.reshape(-1, 8, 8), 100 / (100 + trace)
        for n, (i, j) in enumerate(np.ndindex((3, 2) if turn else (2, 3))):
            where = (slice(j, j + 8), slice(i, i + 8)) if turn else (slice(i, i + 8), slice(j, j + 8))
            total[where] += weight[n] * (patches[n].T if turn else patches[n])
            count[where] += weight[n]
    assert np.allclose(conditional_means(plane, photographs(), 10.0, 1, Runner()), total / count, atol=1e-3)
