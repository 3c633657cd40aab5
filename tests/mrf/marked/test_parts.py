"""Parts without a mark of their class."""

from __future__ import annotations

import numpy as np

from emseg.mrf.marked.parts import LeftOut, ground_of, without_loose_parts


def test_parts_without_a_mark_join_what_is_nearest() -> None:
    labels = np.zeros((9, 12), np.uint8)
    labels[2:6, 2:5] = 1
    labels[3, 3] = 0  # a hole, which is ground that nobody marked
    labels[2:5, 8:10] = 1  # a twin without a mark
    labels[8, 11] = 2  # no data
    marks = np.zeros(labels.shape, np.uint8)
    marks[0, 0], marks[2, 2] = 1, 2
    found, left_out = without_loose_parts(labels, marks, 2, 0)
    assert left_out == (LeftOut(1, 1, 6),)
    expected = labels.copy()
    expected[2:5, 8:10] = 0
    np.testing.assert_array_equal(found, expected)
    same, nothing = without_loose_parts(found, marks, 2, 0)
    assert same is found
    assert nothing == ()


def test_the_ground_is_what_most_of_the_border_is_of() -> None:
    labels = np.ones((5, 6), np.uint8)
    labels[1:4, 1:5] = 0
    assert ground_of(labels, 2) == 1
    assert ground_of(1 - labels, 2) == 0
    labels[0, :5] = 2  # no data is no class
    assert ground_of(labels, 2) == 1
