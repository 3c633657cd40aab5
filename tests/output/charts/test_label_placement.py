from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emseg.output.charts.label_placement import HEIGHT, place

pytestmark = pytest.mark.long


@given(st.lists(st.tuples(st.floats(60, 400), st.floats(130, 500)), min_size=1, max_size=20))
def test_names_never_cover_one_another(ends: list[tuple[float, float]]) -> None:
    curves = [np.array([[60.0, 500.0], end]) for end in ends]
    names = ["incremental", "em", "squarem", "cg"] * 5
    labels = place(names[: len(ends)], curves, (60, 120, 620, 520))
    for a, b in combinations([label.box for label in labels], 2):
        assert a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]
    assert all(left >= 60 and right <= 630 and top >= 120 for left, top, right, _ in (label.box for label in labels))


def test_a_lone_name_stands_right_of_the_end() -> None:
    (label,) = place(["em"], [np.array([[0.0, 0.0], [200.0, 100.0]])], (0, 0, 400, 300))
    assert label.box[0] > 200
    assert label.box[1] < 100 < label.box[3]
    assert not label.needs_leader


def test_a_name_avoids_the_lines_of_others() -> None:
    """The line that ends first is crossed by another to its right; its name stands off that line."""
    curve, wall = np.array([[0.0, 100.0], [100.0, 100.0]]), np.array([[112.0, 0.0], [112.0, 200.0]])
    alone = place(["em"], [curve], (0, 0, 400, 200))[0]
    left, _, right, _ = alone.box
    assert left <= 112 <= right
    left, _, right, _ = place(["em", "cg"], [curve, wall], (0, 0, 400, 200))[0].box
    assert not left <= 112 <= right


@given(st.lists(st.tuples(st.floats(60, 400), st.floats(130, 500)), min_size=1, max_size=8))
def test_a_leader_ends_at_the_box(ends: list[tuple[float, float]]) -> None:
    curves = [np.array([[60.0, 500.0], end]) for end in ends]
    for label in place(["em"] * len(ends), curves, (60, 120, 620, 520)):
        left, top, right, bottom = label.box
        assert bottom - top == HEIGHT
        assert left <= label.leader_end[0] <= right
        assert top <= label.leader_end[1] <= bottom
