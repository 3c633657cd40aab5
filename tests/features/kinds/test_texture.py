"""Texture measures: what they must ignore, what they must tell apart."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow
from scipy import ndimage

from emseg.features.build import build_features
from emseg.features.kinds.texture import HALO, MEASURES, Brightness, texture
from emseg.image.model import Image
from emseg.image.windows import windows

TEXTURES = Path(__file__).parents[3] / "shared" / "data" / "textures"
NOISE = ndimage.gaussian_filter(np.random.default_rng(3).normal(size=(70, 90)), 0.8) * 100


@pytest.mark.parametrize(("gain", "offset"), [(1, 50), (3, 0), (0.01, -7)])
def test_brightness_and_contrast(gain: float, offset: float) -> None:
    plain, changed = texture(NOISE), texture(gain * NOISE + offset)
    np.testing.assert_allclose(changed[0], plain[0] + np.log(gain), atol=1e-6)
    np.testing.assert_allclose(changed[1:], plain[1:], atol=1e-6)


@pytest.mark.parametrize("turn", [np.rot90, np.transpose, np.flipud], ids=["rot90", "transpose", "flip"])
def test_measures_turn_with_the_image(turn: Callable[[np.ndarray], np.ndarray]) -> None:
    expected = np.stack([turn(plane) for plane in texture(NOISE)])
    np.testing.assert_allclose(texture(turn(NOISE)), expected, atol=1e-8)


def test_two_textures_of_equal_mean_and_variance_are_told_apart() -> None:
    rng = np.random.default_rng(0)
    fine, coarse = (ndimage.gaussian_filter(rng.normal(size=(128, 64)), sigma) for sigma in (0.5, 2.5))
    image = np.hstack([part / part.std() for part in (fine, coarse)])
    fineness = texture(image)[MEASURES.index("fineness")]
    split = fineness > (fineness[:, :64].mean() + fineness[:, 64:].mean()) / 2
    assert np.mean(split == (np.arange(128) < 64)) > 0.9


def test_what_a_hole_contains_does_not_matter() -> None:
    valid = np.ones(NOISE.shape, bool)
    valid[20:50, 30:40] = False
    spoiled = np.where(valid, NOISE, 1e4)
    measured = texture(spoiled, valid)
    np.testing.assert_allclose(measured[:, valid], texture(NOISE, valid)[:, valid])
    np.testing.assert_allclose(measured[:, valid], texture(NOISE)[:, valid], atol=0.25)
    assert np.isfinite(measured).all()


def test_strips_leave_no_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    tall = np.random.default_rng(5).normal(size=(300, 20)).cumsum(axis=1)
    whole = texture(tall)
    monkeypatch.setattr("emseg.features.kinds.texture._STRIP", 37)
    np.testing.assert_allclose(texture(tall), whole, atol=1e-8)


def test_each_measure_is_a_group_of_its_own() -> None:
    pixels = np.clip(NOISE + 128, 0, 255).astype(np.uint8)
    features = build_features(Image.from_array(pixels), "texture:2,gray", pixels > 90)
    assert features.names == (*MEASURES, "gray")
    np.testing.assert_allclose(features.x.std(axis=1), [2, 2, 2, 1])
    planes = features.on_grid(features.shift[:, None] + features.scale[:, None] * features.x)
    expected = texture(pixels.astype(float), pixels > 90)
    np.testing.assert_allclose(planes[:3, pixels > 90], expected[:, pixels > 90], atol=1e-9)


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (3, 2), (30, 1)])
def test_small_and_constant_images_are_measured(shape: tuple[int, int]) -> None:
    assert np.isfinite(texture(np.zeros(shape))).all()
    assert np.isfinite(texture(np.arange(np.prod(shape)).reshape(shape) / 3.0)).all()


@pytest.mark.parametrize("name", ["mosaic0", "mosaic2", "mosaic4"])
def test_brick_grass_and_gravel_are_separable(name: str) -> None:
    """Nearest class mean under the class covariances, truth known: the measures carry what a mixture needs."""
    if not TEXTURES.is_dir():
        pytest.skip("the shared texture mosaics are not here")
    with Pillow.open(TEXTURES / "images" / f"{name}.png") as file:
        x = texture(np.asarray(file, dtype=np.float64)).reshape(3, -1)
    with np.load(TEXTURES / "gt" / f"{name}.npz") as archive:
        truth = archive["segs"][0].ravel()
    scores = []
    for label in np.unique(truth):
        inside = x[:, truth == label]
        covariance = np.cov(inside)
        off = x - inside.mean(axis=1, keepdims=True)
        distance = np.einsum("dn,dn->n", off, np.linalg.solve(covariance, off))
        scores.append(-0.5 * (distance + np.linalg.slogdet(covariance)[1]) + np.log(inside.shape[1]))
    assert np.mean(np.unique(truth)[np.argmax(scores, axis=0)] != truth) < 0.06


@pytest.mark.parametrize("holes", [False, True])
def test_windows_with_the_halo_give_the_texture_of_the_whole(holes: bool) -> None:
    rng = np.random.default_rng(4)
    image = rng.normal(size=(200, 230)) * np.linspace(1, 3, 230)
    valid = rng.random(image.shape) < 0.9 if holes else None
    common, whole = Brightness.of(image, valid), texture(image, valid)
    for window in windows(image.shape, (90, 77), HALO):
        part = texture(image[window.read], None if valid is None else valid[window.read], common)
        np.testing.assert_allclose(part[:, *window.inside], whole[:, *window.interior], atol=1e-9)


@pytest.mark.parametrize("holes", [False, True])
def test_the_halo_is_enough(holes: bool) -> None:
    """Values change only within the halo of a pixel that changes."""
    rng = np.random.default_rng(5)
    image = rng.normal(size=(2 * HALO + 31, 2 * HALO + 31))
    valid = rng.random(image.shape) < 0.8 if holes else None
    middle = HALO + 15
    if valid is not None:
        valid[middle, middle] = True
    changed = image.copy()
    changed[middle, middle] = 40
    common = Brightness.of(image, valid)
    moved = np.abs(texture(image, valid, common) - texture(changed, valid, common)).max(0) > 1e-9
    y, x = np.nonzero(moved)
    assert moved.any()
    assert max(np.abs(y - middle).max(), np.abs(x - middle).max()) <= HALO
