"""Parts without a mark of their class."""

from __future__ import annotations

import numpy as np

from emseg.mrf.marked.connected_parts import LeftOut, ground_of, surrounding, with_edges, without_loose_parts


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


def test_edges_are_the_ground_where_its_marks_lie_around_the_others() -> None:
    marks = np.zeros((20, 30), np.uint8)
    marks[2, 3:20], marks[17, 5:28], marks[9:11, 14:17] = 2, 2, 1
    assert surrounding(marks, 2) == 1
    assert surrounding(np.where(marks > 0, 3 - marks, 0).astype(np.uint8), 2) == 0
    halves = np.zeros((20, 30), np.uint8)  # sky and land
    halves[4, 5:25], halves[15, 5:25] = 1, 2
    assert surrounding(halves, 2) is None
    valid = np.ones(marks.shape, np.bool_)
    valid[0, 0] = False
    marks[5, 29] = 1
    found = with_edges(marks, valid, 1)
    assert found[0, 0] == 0
    assert found[5, 29] == 1
    assert (found[0, 1:] == 2).all()
    np.testing.assert_array_equal(found[1:-1, 1:-1], marks[1:-1, 1:-1])
