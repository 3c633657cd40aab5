"""The shortest description, against doing it pixel by pixel."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emseg.regions.description_length import (
    EPSILON_SQUARED,
    Partition,
    code_length,
    measured_partition,
    merge_while_shorter,
)
from emseg.regions.graph import components

pytestmark = pytest.mark.long

PRICE, REGION_OFFSET = 3.0, 2.0


def small_image(seed: int, d: int = 2) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 4, (6, 8))
    values = rng.normal(size=(d, 6, 8)) + rng.normal(size=(d, 4))[:, labels] * 2
    return components(labels), values, rng.uniform(0, 1, (6, 8))


def nats(pixels: np.ndarray) -> float:
    """½ n log |S + ε² I| of values (D, n)."""
    covariance = np.cov(pixels, bias=True).reshape(len(pixels), -1) + EPSILON_SQUARED * np.eye(len(pixels))
    return float(0.5 * pixels.shape[1] * np.log(np.linalg.det(covariance)))


def sides(ids: np.ndarray, border_cost: np.ndarray) -> dict[tuple[int, int], float]:
    """Weighted sides that regions share, pixel by pixel."""
    found: dict[tuple[int, int], float] = {}
    for y, x in np.ndindex(ids.shape):
        for other in ((y + 1, x), (y, x + 1)):
            if other[0] < ids.shape[0] and other[1] < ids.shape[1] and 0 < ids[y, x] != ids[other] > 0:
                pair = (min(ids[y, x], ids[other]) - 1, max(ids[y, x], ids[other]) - 1)
                found[pair] = found.get(pair, 0) + min(border_cost[y, x], border_cost[other])
    return found


@given(st.integers(0, 999))
def test_moments_and_borders(seed: int) -> None:
    ids, values, border_cost = small_image(seed)
    parts = measured_partition(ids, values, border_cost)
    expected = sides(ids, border_cost)
    found = dict(zip(zip(parts.a.tolist(), parts.b.tolist(), strict=True), parts.border.tolist(), strict=True))
    assert found == pytest.approx(expected)
    for region, own in enumerate(code_length(parts.n, parts.first, parts.second)):
        assert own == pytest.approx(nats(values[:, ids == region + 1]), rel=1e-9, abs=1e-9)


@settings(max_examples=40)
@given(st.integers(0, 999), st.integers(1, 3))
def test_it_merges_the_cheapest_pair_until_none_is_worth_it(seed: int, d: int) -> None:
    ids, values, border_cost = small_image(seed, d)
    names = merge_while_shorter(measured_partition(ids, values, border_cost), PRICE, REGION_OFFSET)
    brute = ids.copy()
    while True:
        costs = {
            pair: (
                nats(values[:, np.isin(brute, [pair[0] + 1, pair[1] + 1])])
                - sum(nats(values[:, brute == side + 1]) for side in pair)
            )
            / (length + REGION_OFFSET)
            for pair, length in sides(brute, border_cost).items()
        }
        if not costs or min(costs.values()) > PRICE:
            break
        one, other = min(costs, key=lambda pair: costs[pair])
        brute[brute == other + 1] = one + 1
    merged = np.concatenate([[0], names + 1])[ids]
    pairs = np.unique(np.stack([merged.ravel(), brute.ravel()]), axis=1)
    assert pairs.shape[1] == np.unique(merged).size == np.unique(brute).size
    assert components(merged).max() == merged.max()


@given(st.integers(0, 999))
def test_the_description_gets_shorter(seed: int) -> None:
    ids, values, border_cost = small_image(seed)
    before = measured_partition(ids, values, border_cost)
    merged = np.concatenate([[0], merge_while_shorter(before, PRICE, REGION_OFFSET) + 1])[ids].astype(np.int32)
    after = measured_partition(merged, values, border_cost)
    assert after.energy(PRICE, REGION_OFFSET) <= before.energy(PRICE, REGION_OFFSET) + 1e-9


def test_a_free_border_is_kept_and_a_dear_one_is_not() -> None:
    ids, values, border_cost = small_image(3)
    parts = measured_partition(ids, values, border_cost)
    assert np.unique(merge_while_shorter(parts, -1e9, REGION_OFFSET)).size == parts.n.size
    assert merge_while_shorter(parts, 1e9, REGION_OFFSET).max() < parts.n.size / 2


def test_one_region_has_no_neighbour() -> None:
    parts = measured_partition(np.ones((3, 3), np.int32), np.zeros((1, 3, 3)), np.ones((3, 3)))
    assert isinstance(parts, Partition)
    assert merge_while_shorter(parts, PRICE, REGION_OFFSET).tolist() == [0]


def test_moments_of_large_regions_may_be_sampled() -> None:
    rng = np.random.default_rng(0)
    ids = np.repeat(np.repeat(np.array([[1, 2], [3, 0]], np.int32), 60, 0), 50, 1)
    values, border_cost = rng.normal(size=(2, 120, 100)) + ids, np.ones(ids.shape)
    whole, thin = (measured_partition(ids, values, border_cost, step) for step in (1, 3))
    assert thin.n.tolist() == whole.n.tolist() == [3000] * 3
    assert thin.border.tolist() == whole.border.tolist()
    np.testing.assert_allclose(thin.first / thin.n[:, None], whole.first / whole.n[:, None], atol=0.15)
    ids[1, 1] = 4  # which every third pixel misses
    assert measured_partition(ids, values, border_cost, 3).first[3].tolist() == values[:, 1, 1].tolist()
