"""The flat layout against pairs of pixels counted one by one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emseg.mrf.lattice import build_lattice, offsets, with_influence
from emseg.mrf.potts import Votes


@given(st.lists(st.integers(1, 6), min_size=1, max_size=3), st.integers(0, 99))
def test_join_undoes_split(shape: list[int], seed: int) -> None:
    neighbours = {1: 2, 2: 4, 3: 6}[len(shape)]
    planes = np.random.default_rng(seed).integers(0, 99, (2, *shape))
    grid = build_lattice(tuple(shape), neighbours)
    np.testing.assert_array_equal(grid.join(grid.split(planes)), planes)
    assert grid.inside.sum() == planes[0].size


def test_contrast_weights_fall_with_the_step_and_have_mean_one() -> None:
    guide = np.zeros((1, 6, 8))
    guide[:, :, 4:] = 10
    grid = build_lattice((6, 8), 4, guide=guide)
    weights = {}
    for phase, row, inside in zip(grid.phases, grid.couplings, grid.inside, strict=True):
        for coupling in row:
            on_grid = coupling.factors.reshape(grid.padded)
            for y, x in np.argwhere(inside.reshape(grid.padded)):
                weights[2 * y + phase[0], 2 * x + phase[1], coupling.phase, coupling.shift] = on_grid[y, x]
    values = np.array([w for w in weights.values() if w > 0])
    d = np.abs(np.diff(guide[0], axis=1)).ravel()
    mean = (2 * (d**2).sum()) / values.size
    assert values.mean() == pytest.approx(1, rel=1e-5)
    assert values.min() / values.max() == pytest.approx(np.exp(-100 / (2 * mean)), rel=1e-4)


def test_distances_weigh_neighbours() -> None:
    assert dict(offsets(2, 8))[1, 1] == pytest.approx(1 / np.sqrt(2))
    assert dict(offsets(3, 6, (3, 1, 1)))[1, 0, 0] == pytest.approx(1 / 3)
    with pytest.raises(ValueError, match="choose from 4, 8"):
        offsets(2, 6)


@pytest.mark.parametrize("neighbours", [4, 8])
def test_scaled_weights_are_products_of_what_pixels_hold(neighbours: int) -> None:
    rng = np.random.default_rng(0)
    shape, hold = (5, 6), rng.uniform(0.5, 1, (5, 6))
    image = rng.normal(size=(1, *shape))
    for guide in (None, image):
        plain = build_lattice(shape, neighbours, guide=guide)
        both = with_influence(plain, hold)
        z = rng.integers(0, 2, shape)
        found = []
        for grid in (plain, both):
            labels = grid.with_halo(np.where(grid.inside, grid.split(z.astype(np.uint8)), 255).astype(np.uint8), 255)
            votes = Votes(grid, 2)
            cells = np.stack([votes.of_labels(labels, s, slice(0, grid.cells)).copy() for s in range(4)])
            found.append(grid.join(cells))
        if guide is None:
            y, x = np.indices(shape)
            far = np.hypot(y - 2, x - 3)
            near = (far > 0) & (far < (1.1 if neighbours == 4 else 1.5))
            expected = (hold[2, 3] * hold * (z == 1) / np.where(near, far, np.inf)).sum()
            assert found[1][1][2, 3] == pytest.approx(expected, rel=1e-5)
        assert (found[1] <= found[0] + 1e-6).all()
