"""Blurs over known pixels, against the sums that define them."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from emseg.numerics.masked_blur import MaskedBlur


def drawn(shape: tuple[int, ...], dtype: type = np.float64) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return rng.normal(size=shape).astype(dtype), rng.random(shape) < 0.6


def by_definition(plane: np.ndarray, known: np.ndarray, width: float, reach: float) -> np.ndarray:
    """Σ w x / Σ w over known pixels, with weights by distance and the plane mirrored at its edges."""
    radius = int(reach * width + 0.5)
    steps = np.arange(-radius, radius + 1)
    w = np.exp(-0.5 * (steps / width) ** 2)
    padded, inside = (np.pad(part, radius, "symmetric") for part in (np.where(known, plane, 0), known.astype(float)))
    weights = np.multiply.outer(w, w)
    found = np.empty(plane.shape)
    for y, x in np.ndindex(plane.shape):
        part = np.s_[y : y + 2 * radius + 1, x : x + 2 * radius + 1]
        found[y, x] = (weights * padded[part]).sum() / (weights * inside[part]).sum()
    return found


@pytest.mark.parametrize(("width", "reach"), [(1.0, 3.0), (1.7, 3.0), (1.0, 4.0)])
def test_means_are_of_known_pixels_alone(width: float, reach: float) -> None:
    plane, known = drawn((18, 23))
    wanted = by_definition(plane, known, width, reach)
    found = MaskedBlur(known, reach)(np.where(known, plane, np.nan), width)
    np.testing.assert_allclose(found, wanted, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_without_a_mask_it_is_scipys_filter(dtype: type) -> None:
    plane, _ = drawn((6, 20, 15), dtype)
    for known in (None, np.ones(plane.shape, np.bool_)):
        found = MaskedBlur(known)(plane, 1.5)
        assert found.dtype == dtype
        np.testing.assert_array_equal(found, ndimage.gaussian_filter(plane, 1.5, truncate=3))


def test_a_constant_stays_itself_and_the_unknown_becomes_it() -> None:
    _, known = drawn((30, 30), np.float32)
    plane = np.where(known, np.float32(7), np.float32(np.nan))
    np.testing.assert_allclose(MaskedBlur(known)(plane, 2.0), 7, rtol=1e-5)


def test_far_from_all_that_is_known_nothing_is_made_up() -> None:
    known = np.zeros((40, 40), np.bool_)
    known[0, 0] = True
    found = MaskedBlur(known)(np.full((40, 40), 5.0), 2.0)
    assert found[0, 0] == pytest.approx(5)
    assert found[30, 30] == 0


def test_wide_blurs_by_boxes_are_near_the_gaussian() -> None:
    """A ramp is exact. At a step, sides of whole pixels make the width wrong by up to 5 %: 0.24 · 0.05, and as much."""
    plane = np.zeros((1, 400))
    plane[:, 200:] = 1
    exact, boxes = (MaskedBlur(None, boxes_from=end)(plane, 10.0) for end in (np.inf, 4.0))
    assert np.abs(exact - boxes).max() < 0.025
    slope = np.repeat(np.arange(400.0)[None], 3, axis=0)
    np.testing.assert_allclose(MaskedBlur(None, boxes_from=4.0)(slope, 10.0)[:, 60:-60], slope[:, 60:-60], rtol=1e-9)


def test_the_result_goes_where_it_is_wanted() -> None:
    plane, known = drawn((12, 9))
    room = np.empty(plane.shape, np.float32)
    MaskedBlur(known)(plane, 1.0, out=room)
    np.testing.assert_allclose(room, MaskedBlur(known)(plane, 1.0), rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(MaskedBlur(None)(plane, 0.0), plane)
