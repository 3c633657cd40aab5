"""Local Gaussians against their closed form, and what must not change them."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from emseg.execution.processes import Processes
from emseg.execution.runner import Runner
from emseg.restore import local_gaussians
from emseg.restore.denoising import denoise_fast, denoise_local, denoise_mixture
from emseg.restore.patch import patch_mixture, similar
from emseg.restore.patch.patches import bands

SIGMA = np.array([20.0])


def scene(size: int = 48) -> np.ndarray:
    y, x = np.mgrid[:size, :size]
    return (60 * ((x // 12 + y // 12) % 2) + 20 * np.sin(x / 3)).astype(np.float32)[None]


def rms(error: np.ndarray) -> float:
    return float(np.sqrt((error**2).mean()))


def noisy(size: int = 48) -> np.ndarray:
    return scene(size) + np.random.default_rng(0).normal(0, 20, (1, size, size)).astype(np.float32)


def test_members_get_the_conditional_mean_of_a_gaussian() -> None:
    rng = np.random.default_rng(1)
    a, y = rng.normal(0, 30, (3, 20, 64)), rng.normal(0, 40, (3, 20, 64))
    found = local_gaussians.posterior_means(a.astype(np.float32), y.astype(np.float32), 100.0, (1, 2))
    for group in range(3):
        mean = a[group].mean(0)
        s = np.cov(a[group].T, bias=True)
        wiener = np.linalg.solve(s + 100 * np.eye(64), s)
        assert np.allclose(found[0, group], mean + (y[group] - mean) @ wiener, atol=0.02)
        assert np.allclose(found[1, group], mean + (y[group] - mean) @ wiener @ wiener, atol=0.02)


def test_noise_goes_and_the_scene_stays() -> None:
    error = denoise_local(noisy(), SIGMA, Runner()) - scene()
    assert np.sqrt((error**2).mean()) < 7


def test_quick_rounds_are_between_a_single_pass_and_all_rounds(samples: Path) -> None:
    with Image.open(samples / "camera.png") as picture:
        clean = np.asarray(picture.convert("L").crop((150, 60, 278, 188)), np.float32)[None]
    y = clean + np.random.default_rng(0).normal(0, 20, clean.shape).astype(np.float32)
    quick = rms(denoise_fast(y, SIGMA, Runner()) - clean)
    single = rms(denoise_mixture(y, SIGMA, Runner(), True)[0] - clean)
    assert rms(denoise_local(y, SIGMA, Runner()) - clean) < quick < single


def test_where_no_member_lies_the_estimate_stays() -> None:
    rng = np.random.default_rng(0)
    y, estimate = rng.normal(size=(2, 1, 40, 40)).astype(np.float32)
    found = local_gaussians.local_round(y, estimate, [1.0], Runner(), (1, 2), local_gaussians.Round(16, 1, 0, 4), 0.5)
    bare = np.ones((40, 40), bool)
    for i in (0, 16, 32):
        for j in (0, 16, 32):
            bare[i : i + 8, j : j + 8] = False
    assert (found[:, :, bare] == estimate[:, bare]).all()
    # A patch alone is the mean of its Gaussian, and is taken from the pilot as it is.
    assert np.allclose(found[:, :, ~bare], (estimate + 0.5 * (y - estimate))[:, ~bare], atol=1e-5)


def test_workers_and_tiles_change_nothing(monkeypatch) -> None:
    y = noisy(80)
    whole, quick = denoise_local(y, SIGMA, Runner()), denoise_fast(y, SIGMA, Runner())
    with Processes(1) as one, Processes(2) as two:  # to the last bit; this process may have more threads
        for method, here in ((denoise_local, whole), (denoise_fast, quick)):
            there = method(y, SIGMA, Runner(one))
            assert (method(y, SIGMA, Runner(two)) == there).all()
            assert np.abs(there - here).max() < 0.01
    monkeypatch.setattr(similar, "TILE", (5, 7))
    assert np.abs(denoise_local(y, SIGMA, Runner()) - whole).max() < 0.01
    assert np.abs(denoise_fast(y, SIGMA, Runner()) - quick).max() < 0.01


def test_a_transposed_image_gives_the_transposed_estimate() -> None:
    y = noisy()
    straight = denoise_local(y, SIGMA, Runner())
    turned = denoise_local(np.ascontiguousarray(y.swapaxes(1, 2)), SIGMA, Runner()).swapaxes(1, 2)
    assert np.abs(straight - turned).max() < 0.05
    straight = denoise_fast(y, SIGMA, Runner())
    turned = denoise_fast(np.ascontiguousarray(y.swapaxes(1, 2)), SIGMA, Runner()).swapaxes(1, 2)
    assert np.abs(straight - turned).max() < 0.05


def test_planes_of_any_size() -> None:
    for shape in ((1, 1), (3, 40), (8, 8), (9, 11)):
        y = np.random.default_rng(0).normal(0, 5, (2, *shape)).astype(np.float32)
        for work in (denoise_local, denoise_fast):
            found = work(y, np.array([5.0, 5.0]), Runner())
            assert found.shape == y.shape
            assert np.isfinite(found).all()


def test_progress_goes_from_nothing_to_all(monkeypatch) -> None:
    monkeypatch.setattr(patch_mixture, "bands", partial(bands, pixels=200))
    for work in (denoise_local, denoise_fast, partial(denoise_mixture, fast=True)):
        seen: list[float] = []
        work(noisy(), SIGMA, runner=Runner(None, seen.append))
        assert seen == sorted(set(seen))
        assert abs(seen[-1] - 1) < 1e-9
