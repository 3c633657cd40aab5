"""Axes, eccentricity and orientation, against scikit-image and ellipses."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage
from skimage.measure import label, regionprops_table

from emseg.regions.measures.moments import axis_lengths, covariances, eccentricity, orientation
from emseg.regions.measures.runs import runs_of


def regions(shape: tuple[int, ...], sides: tuple[float, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Some regions, and their covariances."""
    noise = ndimage.gaussian_filter(np.random.default_rng(0).normal(size=shape), 1.5)
    ids = label(noise > 0.1, connectivity=1).astype(np.int32)
    return ids, covariances(runs_of(ids, int(ids.max())), sides)


@pytest.mark.parametrize("sides", [(1, 1), (2, 0.5)])
def test_planes(sides: tuple[float, float]) -> None:
    ids, found = regions((90, 110), sides)
    names = ["axis_major_length", "axis_minor_length", "eccentricity", "orientation"]
    expected = regionprops_table(ids, properties=names, spacing=sides)
    long, short = axis_lengths(found).T
    np.testing.assert_allclose(long, expected["axis_major_length"], atol=1e-7)
    np.testing.assert_allclose(short, expected["axis_minor_length"], atol=1e-7)
    np.testing.assert_allclose(eccentricity(found), expected["eccentricity"], atol=1e-7)
    clear = long > 1.001 * short
    apart = orientation(found) - np.degrees(expected["orientation"])
    np.testing.assert_allclose(np.sin(np.radians(apart[clear])), 0, atol=1e-7)


@pytest.mark.parametrize("sides", [(1, 1, 1), (2, 1, 0.7)])
def test_volumes(sides: tuple[float, ...]) -> None:
    ids, found = regions((20, 30, 40), sides)
    expected = regionprops_table(ids, properties=["axis_major_length"], spacing=sides)
    np.testing.assert_allclose(axis_lengths(found)[:, 0], expected["axis_major_length"], atol=1e-7)


def test_an_ellipse_that_points_down_to_the_right() -> None:
    y, x = np.mgrid[-40:41, -40:41]
    turned = np.radians(30)
    along, across = y * np.cos(turned) + x * np.sin(turned), x * np.cos(turned) - y * np.sin(turned)
    ids = ((along / 30) ** 2 + (across / 12) ** 2 < 1).astype(np.int32)
    found = covariances(runs_of(ids, 1), (1, 1))
    assert orientation(found) == pytest.approx(30, abs=0.5)
    assert axis_lengths(found)[0] == pytest.approx([60, 24], rel=0.01)
    assert eccentricity(found) == pytest.approx((1 - 0.4**2) ** 0.5, abs=0.01)


def test_single_pixels() -> None:
    found = covariances(runs_of(np.eye(2, dtype=np.int32), 1), (1, 1))
    assert eccentricity(found * 0).tolist() == [0]
    assert orientation(found) == pytest.approx(45)
    assert eccentricity(found) == pytest.approx(1)


def test_rounding_is_no_direction() -> None:
    y, x = np.mgrid[:60, :60]
    disc = (np.hypot(y - 20, x - 30) < 12.3).astype(np.int32)
    found = covariances(runs_of(disc, 1), (1, 1))
    assert orientation(found).tolist() == [0]
    assert orientation(found * [[1, 1e-14], [1e-14, 1 + 1e-14]]).tolist() == [0]
    square = np.pad(np.ones((11, 11), np.int32), 7)
    assert eccentricity(covariances(runs_of(square, 1), (0.1, 0.1))).tolist() == [0]
