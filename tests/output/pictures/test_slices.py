from __future__ import annotations

import numpy as np
import pytest
from skimage.util import montage as reference

from emseg.image.model import Image
from emseg.output.pictures.slices import as_plane, montage

from ..segmented import volume


@pytest.mark.parametrize("shape", [(1, 3, 4), (5, 4, 6), (7, 2, 30), (9, 30, 2)])
@pytest.mark.parametrize("channels", [(), (3,)])
def test_the_grid_is_that_of_scikit_image(shape: tuple[int, int, int], channels: tuple[int, ...]) -> None:
    z, y, x = shape
    stack = np.random.default_rng(0).random((z * y, x, *channels))
    laid = montage(stack, shape)
    grid = (laid.shape[0] // y, laid.shape[1] // x)
    slices = stack.reshape(*shape, *channels)
    wanted = reference(slices, fill=[0] * 3 if channels else 0, grid_shape=grid, channel_axis=3 if channels else None)
    assert np.array_equal(laid, wanted)
    assert (grid[0] - 1) * grid[1] < z <= grid[0] * grid[1]  # no row is empty
    assert 0.25 < laid.shape[1] / laid.shape[0] < 4 or 1 in grid


def test_a_plane_stays_as_it_is() -> None:
    image, labels = Image(np.zeros((3, 4, 1), np.uint8), "gray"), np.ones((3, 4), np.uint8)
    assert as_plane(image, labels) == (image, labels)


def test_places_without_a_slice_hold_no_data() -> None:
    result = volume((5, 4, 6))
    image, labels = as_plane(result.image, result.labels)
    assert image.valid is not None
    assert image.valid.sum() == result.labels.size
    assert np.array_equal(image.valid, labels > 0)
    assert image.pixels.shape[:2] == labels.shape
