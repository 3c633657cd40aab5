"""Patch mixtures: densities, filters and averages against their definitions."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from emseg.execution.processes import Processes
from emseg.execution.runner import Runner
from emseg.restore.patch.patch_mixture import D, PatchMixture, conditional_means, coordinates
from emseg.restore.patch.patches import cosines, cut
from emseg.restore.patch.photographs import photographs

Draws = Callable[[int], tuple[np.ndarray, np.ndarray]]


def covariances(mixture: PatchMixture) -> np.ndarray:
    return (mixture.axes * mixture.variances[:, None]) @ mixture.axes.swapaxes(1, 2)


def test_the_density_is_that_of_the_normal_distributions(known: PatchMixture, draws: Draws) -> None:
    x, _ = draws(50)
    for k, s in enumerate(covariances(known)):
        truth = multivariate_normal(np.zeros(D), s + 25 * np.eye(D)).logpdf(x.T.astype(float))
        assert np.allclose(known.log_joint(x)[k], truth + np.log(known.weights[k]), atol=2e-3)


def test_the_filter_is_wieners(known: PatchMixture, draws: Draws) -> None:
    x, _ = draws(200)
    z, trace = known.clean(x)
    label = known.log_joint(x).argmax(0)
    for k, s in enumerate(covariances(known)):
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
