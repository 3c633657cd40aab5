"""Denoising planes: what it achieves, and what must not change it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from emseg.execution.processes import Processes
from emseg.execution.runner import Runner
from emseg.restore.denoising import denoise_fast, denoise_local, denoise_mixture
from emseg.restore.noise.censored_patches import Censored
from emseg.restore.noise.unclip import unclipped
from emseg.restore.patch import patch_mixture, similar
from emseg.restore.patch.patch_mixture import PatchMixture
from emseg.restore.patch.patches import Real, bands
from emseg.restore.patch.photographs import photographs

pytestmark = pytest.mark.long

SIGMA = np.array([20.0])
ENDS = (0.0, 255.0)
METHODS = [denoise_local, denoise_fast]
#: Grey levels: rounding changes which of two patches at equal distances is a member, and members are dozens.
ROUNDING = 0.05


def scene(size: int = 48) -> np.ndarray:
    y, x = np.mgrid[:size, :size]
    return (60 * ((x // 12 + y // 12) % 2) + 20 * np.sin(x / 3)).astype(np.float32)[None]


def rms(error: np.ndarray) -> float:
    return float(np.sqrt((error**2).mean()))


def noisy(size: int = 48) -> np.ndarray:
    return scene(size) + np.random.default_rng(0).normal(0, 20, (1, size, size)).astype(np.float32)


@pytest.mark.parametrize(("method", "most"), [(denoise_local, 7), (denoise_fast, 7.5)])
def test_noise_goes_and_the_scene_stays(method: Callable[..., Real], most: float) -> None:
    assert rms(method(noisy(), SIGMA, Runner()) - scene()) < most  # 20 before


def test_quick_rounds_are_between_a_single_pass_and_all_rounds(samples: Path) -> None:
    with Image.open(samples / "camera.png") as picture:
        clean = np.asarray(picture.convert("L").crop((150, 60, 278, 188)), np.float32)[None]
    y = clean + np.random.default_rng(0).normal(0, 20, clean.shape).astype(np.float32)
    quick = rms(denoise_fast(y, SIGMA, Runner()) - clean)
    single = rms(denoise_mixture(y, SIGMA, Runner(), True)[0] - clean)
    assert rms(denoise_local(y, SIGMA, Runner()) - clean) < quick < single


@pytest.mark.parametrize("method", METHODS)
def test_workers_and_tiles_change_nothing(method: Callable[..., Real], monkeypatch: pytest.MonkeyPatch) -> None:
    y = noisy(80)
    whole = method(y, SIGMA, Runner())
    with Processes(1) as one, Processes(2) as two:  # to the last bit; this process may have more threads
        there = method(y, SIGMA, Runner(one))
        assert (method(y, SIGMA, Runner(two)) == there).all()
    assert np.abs(there - whole).max() < ROUNDING
    monkeypatch.setattr(similar, "TILE", (5, 7))
    assert np.abs(method(y, SIGMA, Runner()) - whole).max() < ROUNDING


@pytest.mark.parametrize("method", METHODS)
def test_a_transposed_image_gives_the_transposed_estimate(method: Callable[..., Real]) -> None:
    y = noisy()
    turned = method(np.ascontiguousarray(y.swapaxes(1, 2)), SIGMA, Runner()).swapaxes(1, 2)
    assert np.abs(method(y, SIGMA, Runner()) - turned).max() < ROUNDING


@pytest.mark.parametrize("method", [*METHODS, lambda y, s, r: denoise_mixture(y, s, r, True)[0]])
@pytest.mark.parametrize("shape", [(1, 1), (3, 40), (8, 8), (9, 11)])
def test_planes_of_any_size(method: Callable[..., Real], shape: tuple[int, int]) -> None:
    y = np.random.default_rng(0).normal(0, 5, (2, *shape)).astype(np.float32)
    found = method(y, np.array([5.0, 5.0]), Runner())
    assert found.shape == y.shape
    assert np.isfinite(found).all()


@pytest.mark.parametrize("method", METHODS)
def test_a_channel_without_noise_stays(method: Callable[..., Real]) -> None:
    y = np.concatenate([noisy(), scene()])
    found = method(y, np.array([20.0, 0.0]), Runner())
    assert np.isfinite(found).all()
    assert rms(found[1] - scene()[0]) < 0.02 * scene().std()
    assert rms(found[0] - scene()[0]) < 8


@pytest.mark.parametrize("method", [*METHODS, partial(denoise_mixture, fast=True)])
def test_progress_goes_from_nothing_to_all(method: Callable[..., object], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patch_mixture, "bands", partial(bands, pixels=200))
    seen: list[float] = []
    method(noisy(), SIGMA, runner=Runner(None, seen.append))
    assert seen == sorted(set(seen))
    assert seen[-1] == pytest.approx(1)


@pytest.mark.parametrize("method", METHODS)
def test_cut_noise_is_removed_better_as_incomplete_data_than_by_undoing_its_mean(method: Callable[..., Real]) -> None:
    y, x = np.mgrid[:64, :64]
    clean = (128 + 120 * np.sign(np.sin(x / 5) + np.sin(y / 7)))[None].astype(np.float32)
    sigma = np.array([40.0])
    cut = (clean + np.random.default_rng(2).normal(0, 40, clean.shape)).clip(*ENDS).astype(np.float32)
    undone = unclipped(method(cut, sigma, Runner()), cut, 40.0, ENDS).clip(*ENDS)
    completed = method(cut, sigma, Runner(), Censored(cut, sigma, ENDS, np.ones((1, 1)))).clip(*ENDS)
    assert ((completed - clean) ** 2).mean() < 0.8 * ((undone - clean) ** 2).mean()


@pytest.mark.parametrize("fast", [True, False])
def test_the_scale_of_the_numbers_does_not_matter_to_the_mixture(fast: bool) -> None:
    y, x = np.mgrid[:32, :32]
    picture = (100.0 * ((x // 12 + y // 12) % 2) + np.random.default_rng(0).normal(0, 10, (32, 32))).astype(np.float32)
    large, _ = denoise_mixture(picture[None] * 1000, np.array([10_000.0]), Runner(), fast)
    small, _ = denoise_mixture(picture[None] / 1000, np.array([0.01]), Runner(), fast)
    assert np.allclose(large / 1000, small * 1000, atol=0.5)


def test_the_mixture_is_fitted_to_the_image_unless_it_is_to_be_fast() -> None:
    planes, fit = denoise_mixture(noisy(), SIGMA, Runner(), fast=False)
    quick, none = denoise_mixture(noisy(), SIGMA, Runner(), fast=True)
    assert none is None
    assert fit is not None
    assert isinstance(fit.mixture, PatchMixture)
    assert np.abs(fit.mixture.weights - photographs().weights).max() > 0.01
    assert fit.trace[-1].objective > fit.trace[0].objective
    assert rms(quick - scene()) < 10
    assert rms(planes - scene()) < 10
