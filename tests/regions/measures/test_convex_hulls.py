"""Hulls: scikit-image's counts in the plane, and closed forms in space."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from scipy import ndimage
from skimage.measure import label, regionprops_table
from skimage.morphology import convex_hull_image

from emseg.regions.measures.convex_hulls import hull_pixels
from emseg.regions.measures.runs import runs_of


@pytest.mark.parametrize("width", [0.0, 1.0, 3.0])
@pytest.mark.parametrize("connectivity", [1, 2])
def test_counts_of_scikit_image(width: float, connectivity: int) -> None:
    noise = np.random.default_rng(int(width)).normal(size=(90, 110))
    ids = label(ndimage.gaussian_filter(noise, width) > 0, connectivity=connectivity).astype(np.int32)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it complains of single pixels
        expected = regionprops_table(ids, properties=["area_convex"])["area_convex"]
    np.testing.assert_array_equal(hull_pixels(runs_of(ids, int(ids.max()))), expected)


def test_solids() -> None:
    ids = np.zeros((30, 40, 50), np.int32)
    ids[2:9, 3:8, 4:20] = 1
    ids[15, 20, 25] = 2
    ids[20:28, 30:38, 30:38] = 3
    ids[22:26, 32:36, 30:38] = 0  # a tunnel
    ids[12:19, 5, 40] = ids[12, 5:19, 40] = 4
    z, y, x = np.mgrid[:30, :40, :50]
    angle = np.count_nonzero(convex_hull_image(ids[:, :, 40] == 4))  # in a plane of its own
    assert hull_pixels(runs_of(ids, 4)).tolist() == [7 * 5 * 16, 1, 512, angle]
    ball = ((z - 15) ** 2 + (y - 20) ** 2 + (x - 25) ** 2 < 144).astype(np.int32)
    assert hull_pixels(runs_of(ball, 1)).tolist() == [np.count_nonzero(convex_hull_image(ball, tolerance=1e-7))]


def test_no_regions() -> None:
    assert hull_pixels(runs_of(np.zeros((3, 4), np.int32), 0)).size == 0
