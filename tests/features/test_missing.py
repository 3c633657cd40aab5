"""Features of pixels of which some channels are unknown: which are, what standardises them, and the way back."""

from __future__ import annotations

import numpy as np
import pytest

from emseg.errors import DataError
from emseg.features.build import build_features
from emseg.features.model import Features
from emseg.features.pixel_index import CodeIndex
from emseg.image.missing.partly_known import completed, partly_known
from emseg.image.model import Image


def pierced(dtype: type = np.uint8, colours: int = 5) -> tuple[np.ndarray, np.ndarray]:
    """Pixels (H, W, 3) of few distinct values, and which of their channels are known."""
    rng = np.random.default_rng(1)
    return rng.integers(0, colours, (12, 15, 3)).astype(dtype), rng.random((12, 15, 3)) > 0.3


def on_grid(features: Features) -> np.ndarray:
    """Features in their own units, (D, H, W), NaN where there is none."""
    own = features.shift[:, None] + features.scale[:, None] * features.x
    inside = features.on_grid(np.ones(features.x.shape[1]))
    return np.where(inside > 0, features.on_grid(own), np.nan)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int16, np.float32, np.float64, np.uint32])
def test_stored_channels_are_unknown_one_by_one(dtype: type) -> None:
    pixels, known = pierced(dtype)
    features = build_features(partly_known(Image.from_array(pixels), known), "rgb", missing=True)
    expected = np.where(known, pixels.astype(float), np.nan)
    np.testing.assert_allclose(on_grid(features), np.moveaxis(expected, -1, 0), atol=1e-9)
    assert features.n_pixels == known.any(axis=2).sum()
    values = np.where(np.isnan(features.x), 0, features.x)
    share = ~np.isnan(features.x) * features.weight
    np.testing.assert_allclose((values * share).sum(1), 0, atol=1e-9)
    assert ((values**2 * share).sum(1) / share.sum(1)).mean() == pytest.approx(1)
    repeats = np.dtype(dtype).kind != "f" and 3 * 8 * np.dtype(dtype).itemsize < 64
    assert isinstance(features.index, CodeIndex) is repeats
    if repeats:
        flat = np.where(known, pixels.astype(float), -1).reshape(-1, 3)
        assert features.x.shape[1] == len(np.unique(flat[known.reshape(-1, 3).any(1)], axis=0))


def test_nan_and_a_mask_of_channels_are_the_same() -> None:
    pixels, known = pierced(np.float64)
    masked = build_features(partly_known(Image.from_array(pixels), known), "rgb", missing=True)
    holes = build_features(partly_known(Image.from_array(np.where(known, pixels, np.nan))), "rgb", missing=True)
    np.testing.assert_array_equal(masked.x, holes.x)
    np.testing.assert_array_equal(masked.scale, holes.scale)


@pytest.mark.parametrize("spec", ["lab", "hsv", "gray", "lab,xy:0.5"])
@pytest.mark.parametrize("dtype", [np.uint8, np.float64])
def test_what_mixes_channels_needs_all_of_them(spec: str, dtype: type) -> None:
    pixels, known = pierced(dtype)
    pixels = pixels * dtype(51) if dtype is np.uint8 else pixels / 4
    image = partly_known(Image.from_array(pixels), known)
    features = build_features(image, spec, missing=True)
    whole = build_features(Image.from_array(pixels), spec)
    all_known = known.all(axis=2)
    assert features.n_pixels == all_known.sum()  # position alone is no data
    expected = np.where(all_known, on_grid(whole), np.nan)
    np.testing.assert_allclose(on_grid(features), expected, atol=1e-9)
    both = build_features(image, spec + ",rgb", missing=True)
    assert both.n_pixels == known.any(axis=2).sum()


def test_the_hue_of_grey_is_unknown() -> None:
    pixels = np.zeros((2, 3, 3), np.uint8)
    pixels[0] = [[9, 9, 9], [200, 0, 0], [0, 200, 0]]
    pixels[1] = [[7, 7, 7], [200, 0, 0], [0, 0, 200]]
    features = build_features(Image.from_array(pixels), "hue", standard=False, missing=True)
    inside = features.on_grid(np.ones(features.x.shape[1]))
    np.testing.assert_array_equal(inside > 0, [[False, True, True], [False, True, True]])
    np.testing.assert_allclose(on_grid(features)[0, :, 1:], [[0, 2 * np.pi / 3], [0, 4 * np.pi / 3]])
    assert build_features(Image.from_array(pixels), "hue", standard=False).n_pixels == 6


def test_texture_looks_away_from_pixels_that_are_not_whole() -> None:
    rng = np.random.default_rng(2)
    pixels, known = rng.normal(size=(20, 20, 2)), np.ones((20, 20, 2), np.bool_)
    known[5, 5, 0] = False
    image = partly_known(Image.from_array(np.where(known, pixels, np.nan)))
    features = build_features(image, "bands,texture", missing=True)
    planes = on_grid(features)
    assert np.isnan(planes[[0, 2, 3, 4], 5, 5]).all()
    assert np.isfinite(np.delete(planes.reshape(5, -1), 105, axis=1)).all()
    changed = pixels.copy()
    changed[5, 5, 1] = 50  # of that pixel, only the band itself shows
    again = on_grid(build_features(partly_known(Image.from_array(np.where(known, changed, np.nan))), "bands,texture",
                                   missing=True))  # fmt: skip
    np.testing.assert_allclose(again[2:], planes[2:], atol=1e-9)


def test_a_channel_of_which_nothing_is_known_is_refused() -> None:
    pixels, known = pierced(np.float64)
    known[:, :, 1] = False
    with pytest.raises(DataError, match="G is unknown in every pixel; leave it out of features"):
        build_features(partly_known(Image.from_array(pixels), known), "rgb", missing=True)


def test_without_holes_nothing_changes() -> None:
    pixels, _ = pierced()
    image = Image.from_array(pixels)
    assert partly_known(image) is image
    plain, asked = build_features(image, "rgb"), build_features(partly_known(image), "rgb", missing=True)
    assert plain.x.tobytes() == asked.x.tobytes()
    invalid = np.zeros((12, 15), np.bool_)
    invalid[:3] = True
    transparent = Image.from_array(pixels, ~invalid)
    channels = partly_known(transparent, np.ones(pixels.shape, np.bool_))
    assert channels.known is None  # a pixel is known, or it is not
    np.testing.assert_array_equal(channels.valid, ~invalid)


def test_distinct_values_with_holes() -> None:
    """What agrees where both are known cannot make two components."""
    grid = np.array([[[1.0, 2.0], [1.0, np.nan], [np.nan, 2.0], [1.0, 2.0]]])
    features = build_features(partly_known(Image.from_array(grid)), "bands", missing=True)
    assert features.n_distinct(4) == 1
    grid[0, 3, 0] = 5
    assert build_features(partly_known(Image.from_array(grid)), "bands", missing=True).n_distinct(4) == 2


def test_completed_pictures_take_the_colour_of_their_region() -> None:
    pixels = np.array([[[10, 20, 30], [0, 40, 50], [90, 90, 90], [80, 0, 70]]], np.uint8)
    known = np.array([[[1, 1, 1], [0, 1, 1], [1, 1, 1], [1, 0, 1]]], np.bool_)
    image = partly_known(Image.from_array(pixels), known)
    found = completed(image, np.array([[1, 1, 2, 2]], np.uint8)).pixels
    np.testing.assert_array_equal(found, [[[10, 20, 30], [10, 40, 50], [90, 90, 90], [80, 90, 70]]])
    plain = Image.from_array(pixels)
    assert completed(plain, np.ones((1, 4), np.uint8)) is plain
