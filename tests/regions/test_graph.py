"""Merging on the adjacency graph, against doing it pixel by pixel."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emseg.regions.graph import LARGEST, absorb_small, adjacency_graph, components, merge_alike


def relabelled(ids: np.ndarray, names: np.ndarray) -> np.ndarray:
    return np.concatenate([[0], names + 1])[ids]


def test_components_hang_together_by_their_sides() -> None:
    labels = np.array([[1, 1, 2], [2, 1, 2], [1, 2, 0]])
    assert components(labels).tolist() == [[1, 1, 2], [3, 1, 2], [4, 5, 0]]


@given(st.integers(0, 999))
def test_the_graph_counts_pixels_sums_and_neighbours(seed: int) -> None:
    rng = np.random.default_rng(seed)
    labels, values = rng.integers(0, 3, (5, 6)), rng.normal(size=(2, 5, 6))
    ids = components(labels)
    found = adjacency_graph(ids, values)
    touching = set()
    for y in range(5):
        for x in range(6):
            for other in [ids[y, x + 1 : x + 2], ids[y + 1 : y + 2, x]]:
                if other.size and 0 < ids[y, x] != other[0] > 0:
                    touching.add(tuple(sorted((ids[y, x] - 1, int(other[0]) - 1))))
    assert set(zip(found.a.tolist(), found.b.tolist(), strict=True)) == touching
    for region in range(ids.max()):
        assert found.n[region] == (ids == region + 1).sum()
        np.testing.assert_allclose(found.sums[region], values[:, ids == region + 1].sum(1))


@given(st.integers(0, 999), st.integers(1, 20), st.booleans())
def test_no_small_region_is_left_and_regions_stay_connected(seed: int, least: int, volume: bool) -> None:
    rng = np.random.default_rng(seed)
    shape = (3, 5, 6) if volume else (8, 9)
    labels = rng.integers(1, 4, shape)
    ids = components(labels)
    found = adjacency_graph(ids, labels[None] + rng.normal(size=(1, *shape)))
    names = absorb_small(found, least)
    regions = relabelled(ids, names)
    assert np.bincount(regions.ravel())[1:].min() >= least
    assert components(regions).max() == regions.max()
    merged = found.merged(names)
    np.testing.assert_allclose(merged.n, np.bincount(regions.ravel())[1:])
    again = relabelled(ids, merge_alike(merged, 5.0)[names])
    assert components(again).max() == again.max()


def test_a_small_region_joins_the_neighbour_it_resembles() -> None:
    labels = np.repeat([[1] * 6 + [2] + [3] * 6], 3, axis=0)
    values = np.array([0.0, 0.0, 7.0, 10.0])[labels][None]
    ids = components(labels)
    names = absorb_small(adjacency_graph(ids, values), 5)
    assert names.tolist() == [0, 1, 1]


def test_a_lonely_small_region_stays() -> None:
    ids = components(np.array([[1, 0, 2, 2, 2]]))
    assert absorb_small(adjacency_graph(ids, np.zeros((1, 1, 5))), 3).tolist() == [0, 1]


def test_merging_takes_the_most_alike_first_and_stops() -> None:
    labels = np.repeat(np.arange(1, 5), 4)[None].repeat(4, 0)
    means = np.array([0.0, 1.0, 2.5, 9.0])
    ids = components(labels)
    found = adjacency_graph(ids, means[labels - 1][None])
    root = (16 * 16 / 32) ** 0.5
    assert merge_alike(found, 0.9 * root).tolist() == [0, 1, 2, 3]
    assert merge_alike(found, 1.1 * root).tolist() == [0, 0, 1, 2]
    assert merge_alike(found, 100 * root).tolist() == [0, 0, 0, 0]
    assert LARGEST > 16


def test_the_cost_is_the_likelihood_ratio() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(size=(1, 1, 12))
    labels = np.array([[1] * 5 + [2] * 7])
    found = adjacency_graph(components(labels), values)
    x = values.ravel()
    apart = [-0.5 * ((part - part.mean()) ** 2).sum() for part in (x[:5], x[5:])]
    assert found.cost()[0] == pytest.approx(sum(apart) + 0.5 * ((x - x.mean()) ** 2).sum())
