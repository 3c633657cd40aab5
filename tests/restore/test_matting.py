"""Cut-out objects: how much of each pixel they cover, and their own colours."""

from __future__ import annotations

import numpy as np
import pytest

from emseg.numerics.box_mean import box_mean
from emseg.restore import matting
from emseg.restore.matting import NARROWEST, matte

FRONT, BACK = np.array([0.9, 0.2, 0.1]), np.array([0.1, 0.3, 0.7])


@pytest.fixture(scope="module")
def disc() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A disc whose border is blurred: its share of each pixel, the colours, and a posterior that is sharp."""
    y, x = np.mgrid[:80, :100]
    inside = (np.hypot(y - 40, x - 50) < 25).astype(np.float32)
    share = box_mean(inside, 3)
    pixels = share[..., None] * FRONT + (1 - share[..., None]) * BACK
    return share, np.rint(255 * pixels).astype(np.uint8), inside


def test_shares_and_colours_of_mixed_pixels(disc: tuple[np.ndarray, ...]) -> None:
    share, pixels, posterior = disc
    found = matte(pixels, posterior, 255)
    mixed = (share > 0) & (share < 1)
    assert np.abs(found.alpha - share).mean() < 0.3 * np.abs(posterior - share).mean()
    assert np.abs(found.alpha - share)[mixed].mean() < 0.06
    shown = found.alpha > 0.3
    assert np.abs(found.colours[shown] - FRONT).max() < 0.12
    assert np.abs(pixels[shown & mixed] / 255 - FRONT).max() > 0.4  # what is mixed in is taken out again
    assert (found.colours[found.alpha == 0] == 0).all()


def test_alpha_is_the_posterior_away_from_borders(disc: tuple[np.ndarray, ...]) -> None:
    _, pixels, sharp = disc
    posterior = np.where(sharp > 0, np.float32(0.9), np.float32(0.05))
    rng = np.random.default_rng(0)
    noisy = np.clip(pixels + rng.normal(0, 60, pixels.shape), 0, 255).astype(np.uint8)
    found = matte(noisy, posterior, 255)
    assert found.alpha.min() >= 0
    assert found.alpha.max() <= 1
    near = box_mean(sharp, 2 * NARROWEST + 3)
    away = (near < 1e-6) | (near > 1 - 1e-6)
    assert away.mean() > 0.8
    np.testing.assert_array_equal(found.alpha[away], posterior[away])


def test_where_colours_tell_nothing_the_posterior_does(disc: tuple[np.ndarray, ...]) -> None:
    _, _, posterior = disc
    soft = box_mean(posterior, 3)
    flat = np.full((*soft.shape, 1), 77, np.uint8)
    np.testing.assert_allclose(matte(flat, soft, 255).alpha, soft, atol=1e-5)


def test_tiles_leave_no_seams(disc: tuple[np.ndarray, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    _, pixels, posterior = disc
    whole = matte(pixels, posterior, 255)
    monkeypatch.setattr(matting, "TILE", 16)
    tiled = matte(pixels, posterior, 255)
    np.testing.assert_allclose(tiled.alpha, whole.alpha, atol=1e-4)
    np.testing.assert_allclose(tiled.colours, whole.colours, atol=2e-3)
