"""Images at half their size."""

from __future__ import annotations

import numpy as np

from emseg.mrf.marked.pyramid import Level, doubled


def test_half_the_size_holds_means_of_what_is_valid() -> None:
    planes = np.arange(15, dtype=np.float32).reshape(1, 3, 5)
    valid = np.ones((3, 5), np.bool_)
    valid[0, 0], valid[2, 4] = False, False
    marks = np.zeros((3, 5), np.uint8)
    marks[1, 1], marks[0, 1] = 1, 2
    half = Level(planes, valid, marks, planes[[0, 0]]).halved()
    np.testing.assert_allclose(half.planes[0], [[(1 + 5 + 6) / 3, 5, 6.5], [10.5, 12.5, 0]])
    np.testing.assert_array_equal(half.valid, [[1, 1, 1], [1, 1, 0]])
    np.testing.assert_array_equal(half.marks, [[2, 0, 0], [0, 0, 0]])
    assert half.log_prior is not None
    np.testing.assert_array_equal(half.log_prior[1], half.planes[0])
    np.testing.assert_array_equal(doubled(half.marks, (3, 5))[:2, :2], 2)
    assert doubled(half.planes, (3, 5)).shape == (1, 3, 5)


def test_an_axis_of_one_pixel_stays() -> None:
    level = Level(np.ones((2, 1, 6), np.float32), np.ones((1, 6), np.bool_), np.zeros((1, 6), np.uint8))
    assert level.halved().planes.shape == (2, 1, 3)
    assert doubled(level.halved().planes, (1, 6)).shape == (2, 1, 6)
