"""Outlines rasterise back to the labels, and are what Simple Features call valid."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from emseg.output.maps.polygons import Polygon, Ring, polygons

SHAPES = st.tuples(st.integers(1, 9), st.integers(1, 9))
MAPS = SHAPES.flatmap(lambda shape: arrays(np.uint8, shape, elements=st.integers(0, 3)))


def edges(ring: Ring) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    return list(zip(ring, [*ring[1:], ring[0]], strict=True))


def filled(found: list[Polygon], shape: tuple[int, int]) -> np.ndarray:
    """Labels of pixels by the parity of the upright edges to their left."""
    out = np.zeros(shape, int)
    for polygon in found:
        crossings = np.zeros((shape[0], shape[1] + 1), int)
        for ring in (polygon.outer, *polygon.inner):
            for (x0, y0), (x1, y1) in edges(ring):
                if x0 == x1:
                    crossings[min(y0, y1) : max(y0, y1), x0] += 1
        inside = crossings.cumsum(axis=1)[:, :-1] % 2 == 1
        assert not out[inside].any()
        out[inside] = polygon.label
    return out


def area(ring: Ring) -> float:
    return sum(x0 * y1 - x1 * y0 for (x0, y0), (x1, y1) in edges(ring)) / 2


@given(MAPS)
def test_they_rasterise_back(labels: np.ndarray) -> None:
    found = polygons(labels)
    np.testing.assert_array_equal(filled(found, labels.shape), labels)
    for label in range(1, 4):
        total = sum(area(ring) for p in found if p.label == label for ring in (p.outer, *p.inner))
        assert total == np.count_nonzero(labels == label)


@given(MAPS)
def test_rings_are_simple_and_turn_at_every_point(labels: np.ndarray) -> None:
    for polygon in polygons(labels):
        assert area(polygon.outer) > 0
        assert all(area(hole) < 0 for hole in polygon.inner)
        for ring in (polygon.outer, *polygon.inner):
            assert len(set(ring)) == len(ring) >= 4
            upright = [x0 == x1 for (x0, _), (x1, _) in edges(ring)]
            level = [y0 == y1 for (_, y0), (_, y1) in edges(ring)]
            assert [not u for u in upright] == level
            assert all(upright[i] != upright[i - 1] for i in range(len(ring)))


def test_parts_hang_together_by_sides() -> None:
    from scipy.ndimage import label

    labels = np.random.default_rng(0).integers(0, 3, (40, 50)).astype(np.uint16)
    found = polygons(labels)
    for k in (1, 2):
        assert sum(polygon.label == k for polygon in found) == label(labels == k)[1]


def test_a_square_with_a_hole() -> None:
    labels = np.ones((3, 3), np.uint8)
    labels[1, 1] = 0
    (polygon,) = polygons(labels)
    assert set(polygon.outer) == {(0, 0), (3, 0), (3, 3), (0, 3)}
    assert [set(hole) for hole in polygon.inner] == [{(1, 1), (2, 1), (2, 2), (1, 2)}]


def test_a_hole_that_touches_the_outline_in_a_corner() -> None:
    labels = np.array([[1, 1, 1], [1, 0, 1], [1, 1, 0]], np.uint8)
    (polygon,) = polygons(labels)
    assert len(polygon.outer) == 6
    assert [set(hole) for hole in polygon.inner] == [{(1, 1), (2, 1), (2, 2), (1, 2)}]


@pytest.mark.parametrize("shape", [(1, 1), (3, 5)])
def test_no_labels_no_polygons(shape: tuple[int, int]) -> None:
    assert polygons(np.zeros(shape, np.uint8)) == []
    (polygon,) = polygons(np.full(shape, 7, np.uint8))
    assert (polygon.label, area(polygon.outer), polygon.inner) == (7, shape[0] * shape[1], [])
