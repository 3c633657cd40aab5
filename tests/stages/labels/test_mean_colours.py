"""Mean colours against plain means of pixels, by samples and by pixels, and what shows as white."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emseg.features.build import build_features
from emseg.image.model import Image
from emseg.stages.labels.mean_colours import mean_colours


def expected(pixels: np.ndarray, labels: np.ndarray, white: float) -> np.ndarray:
    means = [pixels[labels == label].reshape(-1, pixels.shape[2]).mean(0) for label in range(1, int(labels.max()) + 1)]
    return np.broadcast_to(np.clip(np.round(255 / white * np.stack(means)), 0, 255), (len(means), 3))


@given(st.integers(0, 99), st.sampled_from([1, 3]))
def test_both_ways_are_the_mean(seed: int, channels: int) -> None:
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 4, (9, 8, channels)).astype(np.uint8) * 60
    photo = Image.from_array(pixels)
    features = build_features(photo, "rgb" if channels == 3 else "gray")
    n = features.x.shape[1]
    rows = np.concatenate([[1, 2], rng.integers(1, 3, n - 2)]).astype(np.uint8) if n > 1 else np.ones(1, np.uint8)
    labels = features.on_grid(rows)
    counts = np.bincount(labels.ravel(), minlength=3)[1 : int(labels.max()) + 1]
    for by_samples in (rows, None):
        found = mean_colours(photo, features, by_samples, labels, counts)
        np.testing.assert_allclose(found, expected(pixels, labels, 255), atol=1)


@pytest.mark.parametrize(("dtype", "top", "white"), [(np.uint16, 900, 1023), (np.float32, 7.0, 7.0), (float, 0.5, 1.0)])
def test_white_is_what_as_many_bits_hold(dtype: type, top: float, white: float) -> None:
    pixels = np.array([[0, top], [top, top / 2]]).astype(dtype)[:, :, None]
    photo, labels = Image.from_array(pixels), np.array([[1, 1], [2, 2]], np.uint8)
    found = mean_colours(photo, build_features(photo, "gray"), None, labels, np.array([2, 2]))
    np.testing.assert_allclose(found, expected(pixels.astype(float), labels, white), atol=1)


def test_unnamed_bands_have_no_colours() -> None:
    photo = Image.from_array(np.arange(24.0).reshape(2, 3, 4))
    assert mean_colours(photo, build_features(photo, "bands"), None, np.ones((2, 3), np.uint8), np.array([6])) is None
