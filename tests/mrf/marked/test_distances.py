"""Distances to marks along paths."""

from __future__ import annotations

import numpy as np

from emseg.mrf.marked.distances import nearness


def test_a_wall_is_farther_than_a_long_way() -> None:
    chances = np.zeros((2, 9, 30), np.float32)
    chances[1, :, 10:] = 1
    chances[0] = 1 - chances[1]
    marks = np.zeros((9, 30), np.uint8)
    marks[4, 8], marks[4, 28] = 1, 2
    near = nearness(chances, marks, np.ones(marks.shape, np.bool_))
    np.testing.assert_allclose(near.sum(0), 1, atol=1e-5)
    assert near[1, 4, 12] < near[0, 4, 12]  # 16 pixels from its mark, and 4 from that beyond the border
    assert near[0, 4, 8] == 0


def test_no_path_leads_over_missing_pixels() -> None:
    chances, marks = np.full((2, 3, 9), 0.5, np.float32), np.zeros((3, 9), np.uint8)
    marks[1, 0], marks[1, 8] = 1, 2
    valid = np.ones(marks.shape, np.bool_)
    valid[:, 4] = False
    near = nearness(chances, marks, valid)
    assert (near[1, :, :4] == 1).all()
    assert (near[0, :, 5:] == 1).all()
